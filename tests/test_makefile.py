"""The installation: uv where it is on the path, pip otherwise; the same lock file with the same hashes."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# A Python that makes an environment with itself in it, and notes how it is called.
PYTHON = """#!/bin/sh
echo "python $*" >> called
[ "$2" = venv ] && mkdir -p .venv/bin && cp "$0" .venv/bin/python
exit 0
"""


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_the_lock_file_is_installed_with_hashes(tmp_path, installer):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    for name, text in {"python": PYTHON, "uv": '#!/bin/sh\necho "uv $*" >> called\n'}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(stat.S_IRWXU)
    uv = "./uv" if installer == "uv" else "./no-uv"
    command = ["make", ".venv/.histolib", "PYTHON=./python", f"UV={uv}"]
    subprocess.run(command, cwd=tmp_path, env=os.environ | {"MAKEFLAGS": ""}, capture_output=True, check=True)
    (line,) = [line for line in (tmp_path / "called").read_text().splitlines() if "requirements.lock" in line]
    assert line.startswith("uv pip install" if installer == "uv" else "python -m pip install")
    assert "--require-hashes" in line and (installer == "pip" or "--python .venv/bin/python" in line)
