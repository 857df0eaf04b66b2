"""What a change costs: dependencies are read from imports, name by name."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from studybook.engine import chapters, dependencies

STUDIES = ("breakhis_magnification", "breakhis_patches", "idc_transfer", "mammography_finetuning")


def clear():
    """Forget what was read of files that a test changes."""
    for function in (dependencies._defining, dependencies._imported_by, dependencies._beside):
        function.cache_clear()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A package `a` that hands on names of its modules, one of them with data beside it."""
    modules = {
        "a/__init__.py": "from a.one import f\nfrom a.two import g as h\n",
        "a/one.py": "def f():\n    return 1\n",
        "a/two.py": "from a import three\n\ndef g():\n    return three.x\n",
        "a/three.py": 'FILE = "numbers.csv"\nx = 3\n',
        "a/numbers.csv": "1\n",
        "a/other.csv": "2\n",
        "a/deep/__init__.py": "",
        "a/deep/four.py": "def late():\n    from a.one import f\n    return f\n",
    }
    for name, text in modules.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(dependencies, "ROOT", tmp_path)
    monkeypatch.setattr(dependencies, "PACKAGES", ("a",))
    clear()
    yield tmp_path
    clear()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import json", []),
        ("from a import f", ["one.py"]),
        ("from a import h", ["numbers.csv", "three.py", "two.py"]),
        ("import a.one", ["one.py"]),
        ("from a.deep import four", ["deep/four.py", "one.py"]),
        ("def late():\n    from a import three", ["numbers.csv", "three.py"]),
        ("from a import deep\ndeep.four.late()", ["deep/four.py", "one.py"]),
        ("from a import deep\nprint(deep)", ["deep/__init__.py"]),
        ("import a", ["__init__.py", "numbers.csv", "one.py", "three.py", "two.py"]),
    ],
)
def test_a_name_counts_where_it_is_defined(project, source, expected):
    found = [path.relative_to(project / "a").as_posix() for path in dependencies.files(source)]
    assert sorted(found) == expected


def test_a_relative_import_is_refused(project):
    with pytest.raises(ValueError, match="from .one import"):
        dependencies.files("from .one import f")


def test_the_digest_knows_code_and_data_but_no_words(project):
    source = "from a import h"

    def after(name, text):
        (project / "a" / name).write_text(text)
        clear()
        return dependencies.digest(source)

    before = dependencies.digest(source)
    said = '"""Module."""\nfrom a import three  # why\n\ndef g():\n    "What."\n    return three.x\n'
    assert after("two.py", said) == before == dependencies.digest(f"# said\n{source}")
    assert dependencies.digest(source, without=["a"]) != before
    assert after("one.py", "def f():\n    return 2\n") == before
    data = after("numbers.csv", "7\n")
    code = after("three.py", 'FILE = "numbers.csv"\nx = 4\n')
    assert len({before, data, code}) == 3


@pytest.fixture(scope="module")
def copy(root, tmp_path_factory):
    """A copy of the repository in which every chapter and unit seems to be done."""
    top = tmp_path_factory.mktemp("copy")
    for name in ("histolib", "studybook", "notebooks", "profiles"):
        shutil.copytree(root / name, top / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    shutil.copy(root / "Snakefile", top)
    done = [path.with_name("record.json") for path in chapters.prepare("smoke", root=top)]
    for name in _waiting(top, done):
        (top / name).parent.mkdir(exist_ok=True)
        (top / name).write_text("[]")
    for path in done:
        os.utime(path)
    return top, done


def _waiting(top: Path, done: list[Path]) -> list[str]:
    """Files that Snakemake would make."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run"]
    command += ["--", *(str(path.relative_to(top)) for path in done)]
    environment = os.environ | {"PYTHONPATH": str(top)}
    result = subprocess.run(command, cwd=top, env=environment, capture_output=True, text=True, check=True)
    return re.findall(r"^ +output: (.+)$", result.stdout + result.stderr, re.M)


def _digests(top: Path) -> dict[str, str]:
    """Of the code of each study."""
    code = "import importlib, json; from studybook.engine import units; print(json.dumps({name: units.code("
    code += f"importlib.import_module(f'studybook.papers.{{name}}.study')) for name in {STUDIES}}}))"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=top, capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new), "utf8")


def test_what_a_change_costs(copy):
    top, done = copy
    before = _digests(top)
    assert _waiting(top, done) == []

    # The color of one chapter's figure, a published number of another, a figure of the library: shown anew, and
    # nothing is trained.
    _edit(top / "studybook/papers/breakhis_patches/figures.py", '"RdBu_r"', '"PuOr_r"')
    _edit(top / "studybook/papers/mammography_finetuning/published.yaml", "meaning", "Meaning")
    _edit(top / "studybook/papers/idc_transfer/published.yaml", "meaning", "Meaning")
    _edit(top / "histolib/plots/embeddings.py", "alpha=0.6", "alpha=0.5")
    drawing = {path.stem for path in top.glob("notebooks/*.ipynb") if "plots.embedding(" in path.read_text("utf8")}
    assert "pretraining" in drawing and "breakhis_magnification" not in drawing
    # Chapters that belong to no paper quote all of them.
    papers = {"breakhis_patches", "mammography_finetuning", "idc_transfer"}
    shown = papers | {"audit", "comparison"} & {*chapters.chapters(top)}
    waiting = _waiting(top, done)
    assert {Path(name).parts[2] for name in waiting} == drawing | shown
    assert not [name for name in waiting if "/units/" in name]
    assert _digests(top) == before

    # A layer: the units of the study whose network has it.
    _edit(top / "histolib/models/patch_resnet.py", "def patch_resnet(", "LAYER = 1\n\n\ndef patch_resnet(")
    after = _digests(top)
    assert {name for name in STUDIES if after[name] != before[name]} == {"breakhis_patches"}
    units = {Path(name).parts[2] for name in _waiting(top, done) if "/units/" in name}
    # The comparison has that network among its methods.
    assert units == {"breakhis_patches"} | {"comparison"} & {*chapters.chapters(top)}
