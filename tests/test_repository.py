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
MODULES = sorted((ROOT / "histolib").rglob("*.py"))
# A module imports from its own layer and from those above it in this list, never from below.
LAYERS = [
    {"cache", "parameters", "reproducibility", "reported"},
    {
        "phantoms",
        "datasets",
        "splits",
        "stain",
        "images",
        "oversampling",
        "augmentation",
        "contrast",
        "patches",
        "regions",
    },
    {"features", "models", "activation", "descriptors", "classifiers", "baselines"},
    {"training", "extraction", "finetuning", "boosting", "protocols"},
    {"predictions", "fusion", "metrics", "aggregation", "embeddings", "handcrafted"},
    {"consistency", "beside", "plots", "records", "tables"},
    {
        "pretraining",
        "units",
        "screening",
        "regionplots",
        "patchplots",
        "patchscores",
        "patchfindings",
        "magnificationplots",
    },
    {"studies"},
    {"chapters", "book"},
]
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
    folders = ("histolib", "tests", "bench", "notebooks")
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


def subject(path: Path) -> str:
    """Module or package directly below histolib that a file belongs to."""
    return path.relative_to(ROOT / "histolib").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    if subject(path) == "__init__":
        assert not imports(path)
        return
    layer = {name: k for k, names in enumerate(LAYERS) for name in names}
    assert subject(path) in layer, f"add {subject(path)} to LAYERS in {Path(__file__).name}"
    used = {name.split(".")[1] for name in imports(path) if name.startswith("histolib.")}
    assert not {name for name in used if layer[name] > layer[subject(path)]}
    backends = {name.split(".")[0] for name in imports(path)} & {"tensorflow", "torch", "jax"}
    assert not backends or subject(path) == "reproducibility", f"{path} imports {backends}"


def test_imports_have_no_circle():
    graph = {}
    for path in MODULES:
        used = {name.split(".")[1] for name in imports(path) if name.startswith("histolib.")}
        graph.setdefault(subject(path), set()).update(used - {subject(path)})
    while leaves := {name for name, used in graph.items() if not used & set(graph)}:
        graph = {name: used for name, used in graph.items() if name not in leaves}
    assert not graph, f"these import each other: {sorted(graph)}"


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_profiles_set_only_what_the_chapter_declares(path):
    merged = chapters.merge(path.parent.name, path.stem, data=None, settings={}, root=ROOT)
    assert {"data", "output"} <= set(merged)


def test_every_chapter_has_every_profile_and_a_place_in_the_book():
    there = {(path.parent.name, path.stem) for path in PROFILES}
    assert there == {(profile, name) for profile in ("demo", "paper", "smoke") for name in CHAPTERS}
    toc = (ROOT / "book/_toc.yml").read_text("utf8")
    assert [name for name in CHAPTERS if f"file: notebooks/{name}\n" not in toc] == []
