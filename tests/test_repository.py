"""Rules of the repository that code can check: files, imports, profiles."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from studybook.engine import chapters

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
PROFILES = sorted((ROOT / "profiles").glob("*/*.yaml"))
MODULES = sorted(path for package in ("histolib", "studybook") for path in (ROOT / package).rglob("*.py"))
# A room imports from its own layer and from those above it in this list, never from below.
LAYERS = {
    "histolib": [
        {"cache", "parallel", "reproducibility"},
        {"images", "metrics"},
        {"datasets"},
        {"descriptors", "models"},
        {"training"},
        {"plots", "stain"},
    ],
    "studybook": [{"engine", "published", "twins"}, {"screening", "pretraining"}, {"papers"}, {"audit", "comparison"}],
}
# Words that would tie the library to this book; a citation by authors, year, section or equation is none, nor is
# `Dataset.twin`, which tells drawn images from photographs.
OF_THE_BOOK = re.compile(
    r"\b(?:[Cc]hapters?|[Pp]rofiles?|[Pp]apers?|[Ss]tudy ?book|[Tt]wins|(?:[Tt]he|[Aa]) (?:book|twin))\b"
    r"|\b(?:[Ff]igs?\.|[Ff]igures?|[Tt]ables?) (?:\d|[IVX]+\b)"
)
REAL_SAMPLE = re.compile(
    r"_idx5_x\d+_y\d+_class[01]\.png$|SOB_[BM]_.*\.png$|mdb\d{3}\.pgm$|^(n|b|is|iv)\d{3}\.tif$|^test\d+\.tif$"
)
OWN_PATH = re.compile(r"(?<![\w.~:/$}])/(?:home|Users|root|work|mnt|private)/\w")


def tracked() -> list[Path]:
    """Files that are or would be committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if result.returncode:
        pytest.skip("no git checkout, so what is committed is not known")
    listed = result.stdout
    return [ROOT / name for name in sorted(set(listed.split("\0"))) if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff(command):
    result = subprocess.run([sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_large_file_and_no_real_sample():
    files = tracked()
    assert not [f"{path}: {path.stat().st_size} bytes" for path in files if path.stat().st_size > 3_000_000]
    assert not [path for path in files if REAL_SAMPLE.search(path.name)]
    images = {
        path for path in files if path.suffix.lower() in {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm", ".pgm"}
    }
    assert not {path for path in images if ROOT / "book" not in path.parents}, "images lie in book/ or nowhere"


def test_no_path_of_one_machine():
    text = [
        path
        for path in tracked()
        if path.suffix not in {".png", ".gz", ".jpg", ".npz"} and path.name != "requirements.lock"
    ]
    found = [f"{path.relative_to(ROOT)}: {line.strip()[:80]}" for path in text if path != Path(__file__)
             for line in path.read_text("utf8").splitlines() if OWN_PATH.search(line)]  # fmt: skip
    assert not found


def test_nothing_is_left_to_be_done():
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|NotImplemented" + r"Error)\b")
    folders = ("histolib", "studybook", "tests", "bench", "notebooks")
    files = [p for p in tracked() if p.suffix in {".py", ".ipynb"} and p.relative_to(ROOT).parts[0] in folders]
    assert not [f"{path}: {word}" for path in files for word in words.findall(path.read_text("utf8"))]


def imports(path: Path) -> set[str]:
    """Dotted names that a module imports anywhere in it, in functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room(path: Path) -> tuple[str, str]:
    """Package of a module, and module or package directly below it."""
    package, *parts = path.relative_to(ROOT).parts
    return package, parts[0].removesuffix(".py")


def rooms_imported(path: Path) -> set[tuple[str, str]]:
    names = (name.split(".") for name in imports(path))
    return {(parts[0], parts[1]) for parts in names if parts[0] in LAYERS}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    package, own = room(path)
    if own == "__init__":
        assert not imports(path)
        return
    layer = {name: k for k, names in enumerate(LAYERS[package]) for name in names}
    assert own in layer, f"add {own} to LAYERS in {Path(__file__).name}"
    used = rooms_imported(path)
    assert package == "studybook" or not {name for other, name in used if other == "studybook"}
    assert not {name for other, name in used if other == package and layer[name] > layer[own]}
    backends = {name.split(".")[0] for name in imports(path)} & {"tensorflow", "torch", "jax"}
    assert not backends or own == "reproducibility", f"{path} imports {backends}"


def test_imports_have_no_circle():
    graph = {}
    for path in MODULES:
        graph.setdefault(room(path), set()).update(rooms_imported(path) - {room(path)})
    while leaves := {name for name, used in graph.items() if not used & set(graph)}:
        graph = {name: used for name, used in graph.items() if name not in leaves}
    assert not graph, f"these import each other: {sorted(graph)}"


def test_a_paper_knows_no_other_paper():
    for path in MODULES:
        if room(path) == ("studybook", "papers") and path.parent.parent.name == "papers":
            others = {name.split(".")[2] for name in imports(path) if name.startswith("studybook.papers.")}
            assert others <= {path.parent.name}, path
    for name in CHAPTERS:
        text = (ROOT / f"notebooks/{name}.ipynb").read_text("utf8")
        assert set(re.findall(r"studybook\.papers\.(\w+)", text)) <= {name}


def test_the_library_is_thin_and_knows_no_book():
    library = [path for path in MODULES if room(path)[0] == "histolib"]
    assert sum(len(path.read_text("utf8").splitlines()) for path in library) <= 10_000
    # A name of one word, such as pretraining, is anybody's.
    names = [name for name in CHAPTERS if "_" in name]
    words = re.compile("|".join([OF_THE_BOOK.pattern, *names]))
    found = [f"{path.relative_to(ROOT)}: {line.strip()}" for path in library
             for line in path.read_text("utf8").splitlines() if words.search(line)]  # fmt: skip
    assert not found


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_profiles_set_only_what_the_chapter_declares(path):
    merged = chapters.merge(path.parent.name, path.stem, data=None, settings={}, root=ROOT)
    assert {"data", "output"} <= set(merged)


def test_every_chapter_has_every_profile_and_a_place_in_the_book():
    there = {(path.parent.name, path.stem) for path in PROFILES}
    assert there == {(profile, name) for profile in ("demo", "paper", "sample", "smoke") for name in CHAPTERS}
    toc = (ROOT / "book/_toc.yml").read_text("utf8")
    assert [name for name in CHAPTERS if f"file: notebooks/{name}\n" not in toc] == []
