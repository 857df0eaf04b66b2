"""The engine as the tests call it, and one run of it at the smoke scale that they share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Cheap tests first: a slip of the pen shows before the chapters have run.
ORDER = ["test_repository.py", "test_environment.py", "", "notebooks", "site"]


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: _place(item.path.relative_to(ROOT / "tests")))


def _place(path: Path) -> int:
    return ORDER.index(path.parts[0]) if path.parts[0] in ORDER else ORDER.index("")


def engine(root: Path, *targets: str) -> subprocess.CompletedProcess:
    """Make files of a repository as `make` does."""
    code = "import sys; from studybook.engine import run, running; "
    code += "sys.exit(run.snakemake(sys.argv[1:], 2, [], running.hold()))"
    environment = os.environ | {"CELL_TIMEOUT": "120"}
    command = [sys.executable, "-c", code, *targets]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's top folder."""
    return ROOT


@pytest.fixture(scope="session")
def smoke(root) -> subprocess.CompletedProcess:
    """Every chapter, executed at the smoke scale; one that failed does not stop the others."""
    from studybook.engine import chapters

    files = chapters.prepare("smoke", root=root)
    return engine(root, *(str(path.with_name("record.json").relative_to(root)) for path in files))


@pytest.fixture(scope="session")
def site(root, smoke) -> Path:
    """Folder of the book's HTML, built from the chapters at the smoke scale with warnings as errors."""
    result = engine(root, "runs/smoke/book/_build/html/index.html")
    assert result.returncode == 0, result.stdout + result.stderr
    return root / "runs/smoke/book/_build/html"
