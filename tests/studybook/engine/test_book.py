"""studybook.engine.book: what is staged mirrors the repository, and a failed book is not left behind."""

import json
import shutil

import nbformat
import pytest
import tiny
from nbformat.v4 import new_markdown_cell, new_output

from studybook.engine import book


@pytest.fixture
def project(tmp_path):
    """A repository with one finished chapter at the demo scale."""
    root = tiny.repository(tmp_path, names=["good"])
    runs = root / "runs/demo/good"
    runs.mkdir(parents=True)
    notebook = nbformat.read(root / "notebooks/good.ipynb", 4)
    notebook.cells[2].outputs = [new_output("stream", name=name, text=name) for name in ("stdout", "stderr")]
    notebook.metadata["papermill"] = {"output_path": "x"}
    nbformat.write(notebook, runs / "good.ipynb")
    scope = {"data": None, "seed": 5, "settings": {}, "output": str(runs)}
    exec(tiny.RECORD, scope)  # the record that the chapter would have written
    shutil.copy(tiny.ROOT / "_config.yml", root)
    (root / "book").mkdir()
    (root / "book/intro.md").write_text("# Title\n\n[the chapter](../notebooks/good.ipynb)\n")
    (root / "book/references.bib").write_text("")
    (root / "book/_static").mkdir()
    for name in ("book.css", "book.js"):
        (root / "book/_static" / name).write_text("")
    toc = "format: jb-book\nroot: book/intro\nchapters:\n- file: notebooks/good\n- file: book/provenance\n"
    toc += "- file: book/measured\n"
    (root / "book/_toc.yml").write_text(toc)
    return root


def test_staging_mirrors_the_repository_without_stderr(project):
    source = book.stage("demo", project)
    staged = json.loads((source / "notebooks/good.ipynb").read_text())
    assert [o["name"] for o in staged["cells"][2]["outputs"]] == ["stdout"]
    assert "papermill" not in staged["metadata"]
    assert (source / "book/intro.md").is_file() and (source / "_config.yml").is_file()


def test_terms_are_linked_once_in_a_whole_chapter(project):
    (project / "book/glossary.md").write_text("# Glossary\n\n```{glossary}\ntwin\n  Drawn.\n```\n")
    path = project / "runs/demo/good/good.ipynb"
    notebook = nbformat.read(path, 4)
    notebook.cells += [new_markdown_cell("A twin.", id="one"), new_markdown_cell("A twin,\n\nand more.", id="two")]
    nbformat.write(notebook, path)
    source = book.stage("demo", project)
    cells = json.loads((source / "notebooks/good.ipynb").read_text())["cells"]
    assert ["".join(cell["source"]) for cell in cells[-2:]] == ["A {term}`twin`.", "A twin,\n\nand more."]
    assert "{term}`twin`" not in (source / "book/glossary.md").read_text()


@pytest.mark.parametrize("tag", ["hide-input", "hide-output", "hide-cell"])
def test_what_is_folded_has_words_of_its_own(project, tag):
    path = project / "runs/demo/good/good.ipynb"
    notebook = nbformat.read(path, 4)
    notebook.cells[2].metadata["tags"] = [tag]
    nbformat.write(notebook, path)
    cell = json.loads((book.stage("demo", project) / "notebooks/good.ipynb").read_text())["cells"][2]
    assert cell["metadata"]["mystnb"]["code_prompt_show"].startswith("Show ")


def test_times_count_the_units_too_and_name_the_machine(project):
    run = project / "runs/demo/good"
    (run / "units/one-1234").mkdir(parents=True)
    (run / "units/one-1234/record.json").write_text('{"seconds": 100}')
    (run / "units/group.json").write_text('["one-1234"]')
    page = book.times({"good": json.loads((run / "record.json").read_text())}, {"good": run})
    assert (
        "| [](../notebooks/good.ipynb) | idc (drawn) | 112 s |" in page and r"A \*fast\* CPU, 2 cores, 23 GiB" in page
    )


def test_a_page_and_a_download_say_how_to_get_the_repository(project):
    (project / "book/intro.md").write_text("# Title\n\n{{ get_it }}\n\n{{ times }}\n\nA leak.\n")
    html = book.build("demo", project).parent
    page = book.searchable(html)["book/intro.html"]
    assert "git clone https://github.com/histolib/histolib" in page and "Measured on" in page and "A leak." in page
    first = json.loads((html / "_sources/notebooks/good.ipynb").read_text())["cells"][0]
    assert "`studybook`" in "".join(first["source"]) and "cd histolib" in "".join(first["source"])
    assert "A leak." in (html / "_static/pages.js").read_text()


def test_without_an_address_nothing_is_cloned():
    assert book._commands(None, "make book") == "```bash\nmake book\n```"


def test_the_repository_address_comes_from_the_environment(project, monkeypatch):
    monkeypatch.setenv(book.REPOSITORY, "https://github.com/someone/fork")
    assert "https://github.com/someone/fork" in (book.stage("demo", project) / "_config.yml").read_text()


def test_a_chapter_without_a_record_is_named(project):
    (project / "runs/demo/good/record.json").unlink()
    with pytest.raises(book.BookError, match="record.json.*CHAPTER=good PROFILE=demo"):
        book.stage("demo", project)


def test_provenance_shows_runs_and_kept_runs_with_markdown_escaped(project):
    record = json.loads((project / "runs/demo/good/record.json").read_text())
    other = record | {"data": record["data"] | {"twin": False}, "packages": {"numpy": "3"}, "revision": None}
    page = book.provenance({"good": record}, {"good: real": other})
    assert (
        r"## [A \| tiny\_chapter](../notebooks/good.ipynb) (drawn)" in page and "## good\\: real (kept, real)" in page
    )
    assert r"| idc \(drawn\), fingerprint abababab" in page and r"| 1,234 of 12 patients; 1 files skipped |" in page
    assert "idc \\(real\\)" in page and "not in git" in page and "aaaaaaaa with changes" in page
    assert r"A \*fast\* CPU" in page and r"load\_data 1.2 s" in page
    assert "| numpy | 2 | 3 |" in page


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.96, "10.0 s"), (75, "75 s"), (120, "2.0 min"), (7200, "2.0 h")]
)
def test_durations_are_readable(seconds, text):
    assert book.duration(seconds) == text


def test_a_warning_leaves_no_book_behind(project):
    (project / "runs/demo/book/_build/html").mkdir(parents=True)
    (project / "book/intro.md").write_text("# Title\n\n[nowhere](missing.md)\n")
    with pytest.raises(book.BookError, match="was not built"):
        book.build("demo", project)
    assert sorted(path.name for path in (project / "runs/demo").iterdir()) == ["good", "source"]
