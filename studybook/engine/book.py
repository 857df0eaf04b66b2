"""Renders the book from executed chapters.

``python -m studybook.engine.book --profile demo``, in the repository's top folder, stages ``runs/<profile>/source/``,
which mirrors the repository but holds the executed chapters, the pages on provenance and on speed, drawn pictures, and
links to the glossary, and builds ``runs/<profile>/book/`` from it. Every warning of the build is an error, and a book
that failed to build is not left behind.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from bs4 import BeautifulSoup

from histolib import cache
from studybook.engine import glossary, measured, pictures

REPOSITORY = "BOOK_REPOSITORY"
GLANCE = "{{ glance }}"  # where the first page shows the papers at a glance
# What stands on the button that opens a folded part of a cell, by the cell's tag.
_FOLDED = {
    "hide-input": ("Show the code behind this", "Hide the code behind this"),
    "hide-output": ("Show what this prints", "Hide what this prints"),
    "hide-cell": ("Show this code and what it prints", "Hide this code and what it prints"),
}
_BLOCKS = ["p", "li", "td", "th", "dt", "dd", "pre", "figcaption", "h1", "h2", "h3", "h4"]
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|$~^:@&%]|-(?=-)|(?<=-)-)")


class BookError(RuntimeError):
    """The book cannot be staged or was not built."""


def stage(profile: str, root: Path = Path()) -> Path:
    """Lay out the sources of the book: prose, executed chapters, provenance.

    Parameters
    ----------
    profile
        The runs to show, a folder below ``runs/``.
    root
        The repository's top folder.

    Returns
    -------
    Path
        ``runs/<profile>/source``, replaced as a whole.

    Raises
    ------
    BookError
        If a chapter has no finished run at this profile; names the file that is missing.
    """
    runs = root / "runs" / profile
    names = sorted(path.stem for path in (root / "notebooks").glob("*.ipynb"))
    for name in names:
        for path in (runs / name / "record.json", runs / name / f"{name}.ipynb"):
            if not path.is_file():
                raise BookError(f"{path} is missing; run `make chapter CHAPTER={name} PROFILE={profile}` first")
    config = yaml.safe_load((root / "_config.yml").read_text("utf8"))
    config["repository"]["url"] = os.environ.get(REPOSITORY) or config["repository"]["url"]
    facts = {name: json.loads((runs / name / "record.json").read_text("utf8")) for name in names}
    contents = (root / "book/_toc.yml").read_text("utf8")
    ordered = sorted(names, key=lambda name: contents.find(f"file: notebooks/{name}\n"))
    config["sphinx"]["config"]["myst_substitutions"] = {
        "get_it": _commands(config["repository"]["url"], "make book"),
        "times": times({name: facts[name] for name in ordered}, {name: runs / name for name in names}),
    }
    kept = {f"{path.parent.parent.name}: {path.parent.name}": path for path in root.glob("records/*/*/record.json")}
    with cache.atomic_folder(runs / "source") as source:
        shutil.copytree(root / "book", source / "book")
        first = source / "book/intro.md"
        if GLANCE in (text := first.read_text("utf8")):
            # Before terms are linked: its claims may be where one is used first.
            first.write_text(text.replace(GLANCE, at_a_glance(root / "records", runs)), "utf8")
        (source / "book/provenance.md").write_text(provenance(facts, _records(kept)), "utf8")
        (source / "book/pictures").mkdir()
        pictures.write(source / "book/pictures")
        benches = [*sorted(root.glob("records/bench/*.json")), *root.glob("runs/bench.json")]
        measured.write(source / "book", benches, sorted(root.glob("records/gpu/*.json")))
        (source / "notebooks").mkdir()
        for name in names:
            executed = _readable(json.loads((runs / name / f"{name}.ipynb").read_text("utf8")))
            (source / "notebooks" / f"{name}.ipynb").write_text(json.dumps(executed, indent=1), "utf8")
        _link_terms(source)
        (source / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False), "utf8")
    return runs / "source"


def build(profile: str, root: Path = Path()) -> Path:
    """Stage and render the book; returns the path of its ``index.html``.

    Raises
    ------
    BookError
        If the build warns or fails; the former book is gone then too, since it no longer shows these runs.
    """
    book = root / "runs" / profile / "book"
    shutil.rmtree(book, ignore_errors=True)
    source = stage(profile, root).resolve()
    with cache.atomic_folder(book) as part:
        command = [
            sys.executable,
            "-c",
            "from jupyter_book.cli.main import main; main()",
            "build",
            str(source),
        ]
        command += [
            "--path-output",
            str(part),
            "--toc",
            str(source / "book" / "_toc.yml"),
            "-W",
            "-n",
            "--keep-going",
        ]
        if subprocess.run(command, check=False).returncode:
            raise BookError(f"the book of {profile} was not built; the warnings above are errors")
        for left in (part / "_build").iterdir():
            if left.name != "html":
                shutil.rmtree(left)
        html = part / "_build/html"
        url = yaml.safe_load((source / "_config.yml").read_text("utf8"))["repository"]["url"]
        for path in sorted((html / "_sources/notebooks").glob("*.ipynb")):
            path.write_text(
                json.dumps(_downloaded(json.loads(path.read_text("utf8")), path.stem, url), indent=1), "utf8"
            )
        (html / "_static/pages.js").write_text(f"window.PAGES = {json.dumps(searchable(html))};\n", "utf8")
    return book / "_build" / "html" / "index.html"


def at_a_glance(kept: Path, runs: Path) -> str:
    """The main claim of each paper beside what the kept runs and this book's say about it, as Markdown.

    Parameters
    ----------
    kept, runs
        Folders of the kept runs and of this profile's, by chapter.
    """
    # By name: the engine stands below the rooms that it runs.
    found = importlib.import_module("studybook.comparison.glance").table(kept, runs)
    columns = ["claim", "published", "real images", "twins", "verdict"]
    rows = []
    for paper, row in found.iterrows():
        cells = {name: escape(row[name]) for name in columns} | {"verdict": f"**{escape(row['verdict'])}**"}
        cells["claim"] += f" (compared: {escape(row['compared'])})"
        rows.append([f"[](../notebooks/{paper}.ipynb)", *cells.values()])
    return table(["Chapter", *(name.capitalize() for name in columns)], rows)


def times(records: dict[str, dict[str, Any]], folders: dict[str, Path]) -> str:
    """How long each chapter computed, and on what, as Markdown.

    Parameters
    ----------
    records
        Record of each chapter, by the chapter's name.
    folders
        Where each chapter's run lies. Units of a study that the engine computed before the chapter are counted too.
    """
    rows, machines = [], set()
    for name, record in records.items():
        stamps = (folders[name] / "units").glob("*.json")
        computed = {unit for path in stamps for unit in json.loads(path.read_text())}
        parts = [folders[name] / "units" / unit / "record.json" for unit in sorted(computed)]
        seconds = record["seconds"] + sum(json.loads(path.read_text("utf8"))["seconds"] for path in parts)
        rows.append([f"[](../notebooks/{name}.ipynb)", _data(record), duration(seconds)])
        machines.add(escape(_machine(record["hardware"])))
    header = ["Chapter", "Data", "Computing time"]
    return f"{table(header, rows)}\n\nMeasured on: {'; '.join(sorted(machines))}."


def searchable(html: Path) -> dict[str, str]:
    """The text of each page of the book, by the page's path below `html`.

    It is HTML without any markup but the anchors of sections. A page that is read from disk may not fetch others, so
    the search takes the excerpts that it shows from here (``book/_static/book.js``).
    """
    found = {}
    for path in sorted([*html.glob("book/**/*.html"), *html.glob("notebooks/*.html")]):
        main = BeautifulSoup(path.read_text("utf8"), "html.parser").select_one("article")
        for tag in main.select("script, style, .headerlink, img, summary"):
            tag.decompose()
        for term in main.select("dt[id]"):
            # A term's own anchor has its explanation, also where several terms share one.
            term.name, meaning = "section", term.find_next_sibling("dd")
            term.append(BeautifulSoup(f": {meaning.get_text()}" if meaning else "", "html.parser"))
        for tag in main.select("dd"):
            tag.decompose()
        for tag in main.find_all(True):
            if tag.name in _BLOCKS:
                tag.append(" ")
            if tag.name == "section":
                tag.name, tag.attrs = "div", {"id": tag.get("id", "")}
            else:
                tag.unwrap()
        found[path.relative_to(html).as_posix()] = f'<div role="main">{main.decode_contents()}</div>'
    return found


def provenance(runs: dict[str, dict[str, Any]], kept: dict[str, dict[str, Any]]) -> str:
    """Return the page that says what the numbers in the book come from, as Markdown.

    Parameters
    ----------
    runs
        Record of each chapter, by the chapter's name.
    kept
        Records of runs on real data that are kept in the repository, by ``<chapter>: <run>``.
    """
    titles = {
        name: f"[{escape(record['title'])}](../notebooks/{name}.ipynb) ({_kind(record)})"
        for name, record in runs.items()
    }
    titles |= {name: f"{escape(name)} (kept, {_kind(record)})" for name, record in kept.items()}
    records = runs | kept
    parts = [
        "# Provenance",
        "Every number in this book is recomputed from the saved predictions of these runs. This page is generated "
        "from their records. A *twin* is drawn data in the layout of the real data set; a *kept* run is one on "
        "real data, whose record and predictions come with the book.",
    ]
    for name, record in records.items():
        rows = ((label, escape(value)) for label, value in _facts(record).items())
        parts += [f"## {titles[name]}", table(["What", "Value"], rows)]
    parts += ["## Packages", _packages({titles[name]: record["packages"] for name, record in records.items()}), ""]
    return "\n\n".join(parts)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; cells are Markdown already (see `escape`)."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def escape(text: object) -> str:
    """Return text that Markdown shows as it is, in a table too."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def duration(seconds: float) -> str:
    """Return a duration as people say it: ``0.4 s``, ``75 s``, ``12.5 min``, ``3.1 h``."""
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _facts(record: dict[str, Any]) -> dict[str, object]:
    """What a run was, in the order in which a reader asks."""
    data, machine, (commit, _, dirty) = record["data"], record["hardware"], (record["revision"] or "").partition("-")
    return {
        "data": f"{_data(record)}, fingerprint {data['fingerprint'][:12]}",
        "images": f"{data['images']:,} of {data['patients']:,} patients; {len(data['skipped'])} files skipped",
        "seeds": ", ".join(f"{name} {value}" for name, value in record["seeds"].items()),
        "run time": f"{duration(record['seconds'])}, started {record['started'][:16].replace('T', ' ')} UTC",
        "stages": ", ".join(f"{stage} {duration(seconds)}" for stage, seconds in record["stages"].items()),
        "git revision": commit[:12] + (" with changes" if dirty else "") or "not in git",
        "processor": _machine(machine),
        "accelerators": ", ".join(machine["accelerators"]) or "none",
        "backend": f"{record['backend']}, Python {record['python']}",
    }


def _kind(record: dict[str, Any]) -> str:
    return "drawn" if record["data"]["twin"] else "real"


def _data(record: dict[str, Any]) -> str:
    return f"{record['data']['name']} ({_kind(record)})"


def _machine(hardware: dict[str, Any]) -> str:
    return f"{hardware['cpu']}, {hardware['cores']} cores, {hardware['memory_gib']:.0f} GiB"


def _packages(versions: dict[str, dict[str, str]]) -> str:
    """One column where all runs had the same packages, otherwise one per run."""
    names = sorted({name for packages in versions.values() for name in packages}, key=str.lower)
    distinct = {tuple(sorted(packages.items())) for packages in versions.values()}
    columns = {"Version": next(iter(versions.values()))} if len(distinct) == 1 else versions
    rows = ([escape(name), *(escape(column.get(name, "")) for column in columns.values())] for name in names)
    return table(["Package", *columns], rows)


def _records(paths: dict[str, Path]) -> dict[str, dict[str, Any]]:
    return {name: json.loads(paths[name].read_text("utf8")) for name in sorted(paths)}


def _readable(notebook: dict[str, Any]) -> dict[str, Any]:
    """Notebook as a page shows it: without stderr and papermill's bookkeeping, and with words on what is folded."""
    notebook["metadata"].pop("papermill", None)
    for cell in notebook["cells"]:
        cell["metadata"].pop("papermill", None)
        cell["metadata"].pop("execution", None)
        if "outputs" in cell:
            cell["outputs"] = [output for output in cell["outputs"] if output.get("name") != "stderr"]
        for tag in _FOLDED.keys() & cell["metadata"].get("tags", []):
            cell["metadata"]["mystnb"] = dict(zip(("code_prompt_show", "code_prompt_hide"), _FOLDED[tag]))
    return notebook


def _link_terms(source: Path) -> None:
    """Make the first use of each term on each staged page and chapter a link to the glossary."""
    page = source / "book/glossary.md"
    terms = glossary.entries(page.read_text("utf8")) if page.is_file() else []
    for path in set((source / "book").rglob("*.md")) - {page}:
        path.write_text(glossary.link(path.read_text("utf8"), terms), "utf8")
    for path in (source / "notebooks").glob("*.ipynb"):
        notebook = json.loads(path.read_text("utf8"))
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
        # One text, so that a term is linked once in a chapter; no Markdown has this character in it.
        linked = glossary.link("\n\n\0\n\n".join("".join(cell["source"]) for cell in cells), terms)
        for cell, text in zip(cells, linked.split("\n\n\0\n\n"), strict=True):
            cell["source"] = text.splitlines(keepends=True)
        path.write_text(json.dumps(notebook, indent=1), "utf8")


def _commands(url: str | None, *commands: str) -> str:
    """A block of shell commands, run in a clone of the repository."""
    place = [f"git clone {url}", f"cd {url.rstrip('/').split('/')[-1].removesuffix('.git')}"] if url else []
    return "\n".join(["```bash", *place, *commands, "```"])


def _downloaded(notebook: dict[str, Any], name: str, url: str | None) -> dict[str, Any]:
    """Notebook as it is downloaded from its page: its first cell says what it needs to run."""
    how = _commands(url, f"make chapter CHAPTER={name}", f".venv/bin/jupyter lab notebooks/{name}.ipynb")
    text = (
        "**To run this notebook** you need the repository that it comes from: it imports the packages `histolib` and "
        "`studybook`, and no package index has them. `make` installs both, and all that they need, into `.venv` in the "
        f"repository's folder; `README.md` there says what it takes.\n\n{how}"
    )
    cell = {"cell_type": "markdown", "id": "how-to-run", "metadata": {}, "source": text.splitlines(keepends=True)}
    return notebook | {"cells": [cell, *notebook["cells"]]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m studybook.engine.book", description=__doc__.split("\n")[0])
    parser.add_argument("--profile", default="demo", help="the runs to show (default: demo)")
    try:
        index = build(parser.parse_args(arguments).profile)
    except BookError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"the book: {index.resolve()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
