"""The cell with which a chapter begins where Colab opens it: it fetches the repository and installs its packages.

Everywhere else it does nothing, and the book's pages leave it out. ``python -m studybook.engine.colab``, in the
repository's top folder, writes it into every chapter, with the address that ``_config.yml`` gives.
"""

from __future__ import annotations

import json
from pathlib import Path

import yaml

TAG = "colab"
_SOURCE = """\
# On Colab: fetch the book and install it. Anywhere else this does nothing.
import importlib.util
import os
import subprocess
import sys

if "google.colab" in sys.modules and not importlib.util.find_spec("histolib"):
    address = "ADDRESS"
    clone = ["git", "clone", "--depth", "1", address, "book"]
    install = [sys.executable, "-m", "pip", "install", "-q", "./book[tensorflow]"]
    for command in (clone, install):
        subprocess.run(command, check=True)
    importlib.invalidate_caches()
    os.chdir("book/notebooks")
"""


def address(root: Path = Path()) -> str:
    """The repository's address, from its settings."""
    return yaml.safe_load((root / "_config.yml").read_text("utf8"))["repository"]["url"]


def cell(url: str) -> dict:
    """The cell, as a notebook holds it."""
    source = _SOURCE.replace("ADDRESS", url).rstrip().splitlines(keepends=True)
    metadata = {"tags": [TAG, "remove-cell"]}
    return {"cell_type": "code", "execution_count": None, "id": TAG, "metadata": metadata, "outputs": [],
            "source": source}  # fmt: skip


def inserted(notebook: str, url: str) -> str:
    """The text of a notebook with the cell behind its first one, its title, in place of an older one."""
    content = json.loads(notebook)
    first, *others = [one for one in content["cells"] if TAG not in one["metadata"].get("tags", [])]
    content["cells"] = [first, cell(url), *others]
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Run the command."""
    for path in sorted(Path("notebooks").glob("*.ipynb")):
        path.write_text(inserted(path.read_text("utf8"), address()), "utf8")


if __name__ == "__main__":
    main()
