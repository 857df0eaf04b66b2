"""Renders the book from executed chapters.

``python -m studybook.engine.book --profile demo``, in the repository's top folder, stages ``runs/<profile>/source/``,
which mirrors the repository but holds the executed chapters and the provenance page, and builds
``runs/<profile>/book/`` from it. Every warning of the build is an error, and a book that failed to build is not left
behind.
"""

from __future__ import annotations

import argparse
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

from histolib import cache

REPOSITORY = "BOOK_REPOSITORY"
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|$~^:@&%-])")


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
    with cache.atomic_folder(runs / "source") as source:
        shutil.copytree(root / "book", source / "book")
        (source / "notebooks").mkdir()
        for name in names:
            executed = _readable(json.loads((runs / name / f"{name}.ipynb").read_text("utf8")))
            (source / "notebooks" / f"{name}.ipynb").write_text(json.dumps(executed, indent=1), "utf8")
        kept = {f"{path.parent.parent.name}: {path.parent.name}": path for path in root.glob("records/*/*/record.json")}
        page = provenance(_records({name: runs / name / "record.json" for name in names}), _records(kept))
        (source / "book" / "provenance.md").write_text(page, "utf8")
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
    return book / "_build" / "html" / "index.html"


def provenance(runs: dict[str, dict[str, Any]], kept: dict[str, dict[str, Any]]) -> str:
    """Return the page that says what the numbers in the book come from, as Markdown.

    Parameters
    ----------
    runs
        Record of each chapter, by the chapter's name.
    kept
        Records of runs on real data that are kept in the repository, by ``<chapter>: <run>``.
    """
    titles = {name: f"[{escape(record['title'])}](../notebooks/{name}.ipynb)" for name, record in runs.items()}
    titles |= {name: f"{escape(name)} (kept)" for name in kept}
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
        "data": f"{data['name']} ({'twin' if data['twin'] else 'real'}), fingerprint {data['fingerprint'][:12]}",
        "images": f"{data['images']:,} of {data['patients']:,} patients; {len(data['skipped'])} files skipped",
        "seeds": ", ".join(f"{name} {value}" for name, value in record["seeds"].items()),
        "run time": f"{duration(record['seconds'])}, started {record['started'][:16].replace('T', ' ')} UTC",
        "stages": ", ".join(f"{stage} {duration(seconds)}" for stage, seconds in record["stages"].items()),
        "git revision": commit[:12] + (" with changes" if dirty else "") or "not in git",
        "processor": f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']:.0f} GiB",
        "accelerators": ", ".join(machine["accelerators"]) or "none",
        "backend": f"{record['backend']}, Python {record['python']}",
    }


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
    """Notebook without what only the machine that ran it cares about: stderr and papermill's bookkeeping."""
    notebook["metadata"].pop("papermill", None)
    for cell in notebook["cells"]:
        cell["metadata"].pop("papermill", None)
        cell["metadata"].pop("execution", None)
        if "outputs" in cell:
            cell["outputs"] = [output for output in cell["outputs"] if output.get("name") != "stderr"]
    return notebook


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
