"""studybook.engine.new: a new chapter runs at once, keeps all rules, and is written whole or not at all."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from engine import ROOT, engine

from histolib import cache, datasets
from studybook.engine import chapters, new

NAME = "sixth_paper"
# What rules, chapters and book read; the rest of the repository is not copied.
FOLDERS = ("bench", "book", "histolib", "notebooks", "profiles", "studybook", "tests")
FILES = (".gitignore", "Snakefile", "_config.yml", "pyproject.toml")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the repository with a new chapter in it."""
    root = tmp_path_factory.mktemp("repository")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, root)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    new.chapter(NAME, title="A sixth paper: what's new?", root=root)
    return root


@pytest.fixture
def project(tmp_path):
    """What a new chapter is entered in, and nothing else."""
    for path in (new.CONTENTS, new.BIBLIOGRAPHY, Path("_config.yml")):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def contents(root: Path) -> dict[Path, str | None]:
    return {path: path.read_text("utf8") if path.is_file() else None for path in root.rglob("*")}


def test_all_rules_hold_with_a_new_chapter(copy, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(copy))
    rules = ["tests/test_repository.py", "tests/notebooks/test_structure.py", "tests/studybook/published"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *rules]
    result = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert result.returncode == 0 and "skipped" not in result.stdout, result.stdout + result.stderr


def test_a_new_chapter_runs_and_its_book_is_built(copy, tmp_path, monkeypatch):
    # Without the other chapters, which tests of their own run, and without the page that leads to them.
    root = shutil.copytree(copy, tmp_path / "repository")
    for path in [*root.glob("notebooks/*.ipynb"), *root.glob("profiles/*/*.yaml")]:
        if path.stem != NAME:
            path.unlink()
    toc = yaml.safe_load((root / new.CONTENTS).read_text("utf8"))
    toc["parts"][0]["chapters"] = [one for one in toc["parts"][0]["chapters"] if NAME in one["file"]]
    toc["parts"] = [part for part in toc["parts"] if part["caption"] not in ("Across the papers", "Appendix")]
    (root / new.CONTENTS).write_text(yaml.safe_dump(toc), "utf8")
    (root / "book/intro.md").write_text("# A book of one chapter\n", "utf8")
    monkeypatch.setenv("PYTHONPATH", str(root))
    chapters.prepare("smoke", root=root)
    result = engine(root, "runs/smoke/book/_build/html/index.html")
    assert result.returncode == 0, result.stdout + result.stderr
    page = (root / f"runs/smoke/book/_build/html/notebooks/{NAME}.html").read_text("utf8")
    assert "A sixth paper: what’s new?" in page and "color_histogram" in page


@pytest.mark.parametrize("dataset", datasets.NAMES)
def test_any_data_set_will_do(project, dataset):
    new.chapter(NAME, dataset, root=project)
    notebook = project / f"notebooks/{NAME}.ipynb"
    assert chapters.needs(notebook) == (dataset,)
    assert not [word for word in new.WORDS for text in contents(project).values() if text and word in text]


def test_the_entry_closes_the_part_of_the_chapters(project):
    before = (project / new.CONTENTS).read_text("utf8")
    new.chapter(NAME, root=project)
    after = (project / new.CONTENTS).read_text("utf8")
    entry = {"file": f"notebooks/{NAME}", "sections": [{"file": f"book/papers/{NAME}"}]}
    assert yaml.safe_load(after)["parts"][0]["chapters"] == [*yaml.safe_load(before)["parts"][0]["chapters"], entry]
    assert [line for line in after.splitlines() if NAME not in line and line != "        sections:"] == [
        line for line in before.splitlines() if line != "        sections:"
    ]


def test_a_work_that_the_bibliography_knows_is_not_entered_again(project):
    before = (project / new.BIBLIOGRAPHY).read_text("utf8")
    assert new.BIBLIOGRAPHY not in new.chapter(NAME, key="Efron1979", root=project)
    assert (project / new.BIBLIOGRAPHY).read_text("utf8") == before
    assert new.BIBLIOGRAPHY in new.chapter("seventh_paper", root=project)
    assert "@misc{SeventhPaper," in (project / new.BIBLIOGRAPHY).read_text("utf8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "Sixth-Paper"}, "CHAPTER='Sixth-Paper': expected"),
        ({"name": "sixth__paper"}, "CHAPTER='sixth__paper': expected"),
        ({"name": "book"}, "CHAPTER='book': expected"),
        ({"name": "../sixth"}, "CHAPTER='../sixth': expected"),
        ({"name": "idc_transfer"}, "has the entry already: - file: notebooks/idc_transfer"),
        ({"dataset": "idx"}, "DATASET='idx': expected one of idc, bach"),
        ({"title": 'A "paper"'}, "TITLE="),
        ({"key": "Author 2020"}, "KEY='Author 2020': expected"),
    ],
)
def test_a_mistake_stops_before_anything_is_written(project, arguments, message):
    before = contents(project)
    with pytest.raises(new.NewError) as refused:
        new.chapter(**{"name": NAME} | arguments, root=project)
    assert message in str(refused.value) and contents(project) == before


def test_what_is_there_is_never_overwritten(project):
    new.chapter(NAME, root=project)
    (project / f"notebooks/{NAME}.ipynb").unlink()
    before = contents(project)
    with pytest.raises(new.NewError, match=f"book/papers/{NAME}.md exists already"):
        new.chapter(NAME, root=project)
    assert contents(project) == before


def test_a_place_that_is_no_repository_is_named(tmp_path):
    with pytest.raises(new.NewError, match="no book/_toc.yml in"):
        new.chapter(NAME, root=tmp_path)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("last", [0, 5, 9])
def test_a_disk_that_is_full_half_way_leaves_nothing(project, monkeypatch, last):
    before, write, written = contents(project), cache.atomic_file, []

    def until(path):
        if len(written) == last:
            raise OSError("no space left on device")
        written.append(path)
        return write(path)

    monkeypatch.setattr(cache, "atomic_file", until)
    with pytest.raises(OSError, match="no space left"):
        new.chapter(NAME, root=project)
    assert len(written) == last and contents(project) == before


def test_the_command_says_what_it_wrote_and_what_is_wrong(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    assert new.main([NAME, "--dataset", "bach"]) == 0
    assert f"notebooks/{NAME}.ipynb" in capsys.readouterr().out.splitlines()
    assert new.main([NAME]) == 2
    assert "error: CHAPTER: " in capsys.readouterr().err
