"""The engine as the tests call it, and one run of it at the smoke scale that they share.

What takes minutes runs in the background, beside the tests that are cheap: the chapters at the smoke scale, then the
book, then every chapter once more. Who needs one of them waits for it.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
# Cheap tests first: a slip of the pen shows before the chapters have run. What waits for the background comes last.
ORDER = ["test_repository.py", "test_environment.py", "", "notebooks", "test_execution.py", "site", "repeat"]
# Snakemake gives a chapter one thread; sums rounded otherwise would be other tables.
THREADS = dict.fromkeys(
    ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"], "1"
) | {"PYTHONHASHSEED": "0"}
_RUNNING: list[subprocess.Popen] = []


def pytest_collection_modifyitems(items):
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    path = item.path.relative_to(ROOT / "tests")
    names = ["repeat" if "repeated" in item.fixturenames else "", path.name, path.parts[0]]
    return ORDER.index(next((name for name in names if name and name in ORDER), ""))


def command(arguments: list[str], folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess:
    """Run Python to its end, or until the tests end."""
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    _RUNNING.append(process)
    stdout, stderr = process.communicate()
    _RUNNING.remove(process)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def engine(root: Path, *targets: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess:
    """Make files of a repository as `make` does."""
    code = "import sys; from studybook.engine import run, running; "
    code += "sys.exit(run.snakemake(sys.argv[1:], 2, [], running.hold()))"
    return command(["-c", code, *targets], root, (environment or os.environ) | {"CELL_TIMEOUT": "240"})


def again(name: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess:
    """Run an executed chapter once more and compare its outputs.

    In a second tree, laid out alike: relative paths mean the same there, and the record of the first run stays.
    """
    tree = ROOT / "runs" / "smoke" / "nbval" / name
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "notebooks").mkdir(parents=True)
    shutil.copy(ROOT / "runs" / "smoke" / name / f"{name}.ipynb", tree / "notebooks")
    shutil.copy(ROOT / "tests/notebooks/nbval_conftest.py", tree / "notebooks" / "conftest.py")
    (tree / "pytest.ini").write_text("[pytest]\n")
    # A chapter across the papers shows the other chapters' runs.
    for record in (ROOT / "runs/smoke").glob("*/record.json"):
        if record.parent.name != name:
            place = tree / "runs/smoke" / record.parent.name
            place.mkdir(parents=True)
            for file in (record, record.with_name("predictions.csv.gz")):
                shutil.copy(file, place)
    if (ROOT / "records").is_dir():
        shutil.copytree(ROOT / "records", tree / "records")
    options = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout", "240", "-p", "no:cacheprovider", "-q"]
    options += ["--nbval-sanitize-with", str(ROOT / "tests/nbval_sanitize.cfg")]
    return command(["-m", "pytest", *options, f"notebooks/{name}.ipynb"], tree, environment | THREADS)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's top folder."""
    return ROOT


@pytest.fixture(scope="session", autouse=True)
def background(_own_cache, request):
    """What the chosen tests ask for of what takes minutes, by name; begun at the first test of all."""
    asked = {name for item in request.session.items for name in item.fixturenames}
    chapters = {item.callspec.params["repeated"] for item in request.session.items if "repeated" in item.fixturenames}
    # As it is now: a test may change a variable for itself.
    environment = dict(os.environ)
    begun: dict[str, Future] = {}
    with ThreadPoolExecutor(2) as pool:
        if asked & {"smoke", "site", "repeated"}:
            begun["smoke"] = pool.submit(_smoke, environment)
        if "site" in asked:
            page = "runs/smoke/book/_build/html/index.html"
            begun["site"] = pool.submit(_after, begun["smoke"], engine, ROOT, page, environment=environment)
        for name in sorted(chapters):
            begun[name] = pool.submit(_after, begun["smoke"], again, name, environment)
        yield begun
        for future in begun.values():
            future.cancel()
        for process in list(_RUNNING):
            process.send_signal(signal.SIGINT)


def _smoke(environment: Mapping[str, str]) -> subprocess.CompletedProcess:
    from studybook.engine import chapters

    files = [path.with_name("record.json") for path in chapters.prepare("smoke", root=ROOT)]
    return engine(ROOT, *(str(path.relative_to(ROOT)) for path in files), environment=environment)


def _after(first: Future, work: Callable, *arguments, **named):
    first.result()
    return work(*arguments, **named)


@pytest.fixture(scope="session")
def smoke(background) -> subprocess.CompletedProcess:
    """Every chapter, executed at the smoke scale; one that failed does not stop the others."""
    return background["smoke"].result()


@pytest.fixture(scope="session")
def site(background) -> Path:
    """Folder of the book's HTML, built from the chapters at the smoke scale with warnings as errors."""
    result = background["site"].result()
    assert result.returncode == 0, result.stdout + result.stderr
    return ROOT / "runs/smoke/book/_build/html"


@pytest.fixture(params=CHAPTERS)
def repeated(request, background) -> subprocess.CompletedProcess:
    """A chapter executed at the smoke scale once more, with its outputs compared."""
    return background[request.param].result()
