"""Makes a new chapter that runs at once, for its author to replace part by part.

``python -m studybook.engine.new NAME``, in the repository's top folder, copies what lies in ``skeleton/``, laid out as
the repository is, with the chapter's words in place of `WORDS`; ``make new CHAPTER=NAME`` calls it.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from histolib import cache, datasets
from studybook.engine import colab

SKELETON = Path(__file__).parent / "skeleton"
WORDS = ("NEW_CHAPTER", "NEW_DATASET", "NEW_TITLE", "NEW_KEY")
TEMPLATE = ".tmpl"  # ends the names of files that are no Python before their words are filled in
CONTENTS, BIBLIOGRAPHY = Path("book/_toc.yml"), Path("book/references.bib")
TAKEN = ("book", "source")  # folders beside the chapters' in runs/<profile>/
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# Nothing that YAML, TeX, Markdown or Python would read as more than a letter.
_TITLE = re.compile(r"[^\W_]([^\W_]|[ ,.:;'()?!–-])*")


class NewError(ValueError):
    """No chapter can be made; nothing was written."""


def chapter(name: str, dataset: str = "idc", title: str = "", key: str = "", root: Path = Path()) -> list[Path]:
    """Write a new chapter and enter it in the table of contents and the bibliography, all of it or nothing.

    Parameters
    ----------
    name
        Of the notebook and the paper's room, such as ``author_subject``.
    dataset
        One of `histolib.datasets.NAMES`.
    title
        Of chapter and page; the name's words if empty.
    key
        Of the paper in the bibliography, made from the name if empty. A key that is there already is used as it is.
    root
        The repository's top folder.

    Returns
    -------
    list of Path
        The files that are new or changed, relative to `root`.

    Raises
    ------
    NewError
        A name, data set, title or key that will not do; a file that is there already.
    """
    title = title or name.replace("_", " ").capitalize()
    key = key or "".join(word.capitalize() for word in name.split("_"))
    _check(name, dataset, title, key)
    texts = _filled(dict(zip(WORDS, (name, dataset, title, key))))
    entry, citation = texts.pop(CONTENTS), texts.pop(BIBLIOGRAPHY)
    for path in texts:
        if (root / path).exists():
            raise NewError(f"CHAPTER: {path} exists already; choose another name than {name!r}")
    missing = [path for path in (CONTENTS, BIBLIOGRAPHY) if not (root / path).is_file()]
    if missing:
        raise NewError(f"no {missing[0]} in {root.resolve()}; run this in the repository's top folder")
    notebook = Path("notebooks", f"{name}.ipynb")
    texts[notebook] = colab.inserted(texts[notebook], colab.address(root))
    texts[CONTENTS] = _with_entry((root / CONTENTS).read_text("utf8"), entry)
    known = (root / BIBLIOGRAPHY).read_text("utf8")
    if not re.search(rf"^@\w+{{{key},", known, re.M):
        texts[BIBLIOGRAPHY] = known + citation
    _write({root / path: text for path, text in texts.items()})
    return list(texts)


def _check(name: str, dataset: str, title: str, key: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > 30 or name in TAKEN:
        raise NewError(
            f"CHAPTER={name!r}: expected at most 30 lower-case letters and digits, words joined by _, such as "
            f"author_subject; and neither of {', '.join(TAKEN)}"
        )
    if dataset not in datasets.NAMES:
        raise NewError(f"DATASET={dataset!r}: expected one of {', '.join(datasets.NAMES)}")
    if not _TITLE.fullmatch(title) or len(title) > 80:
        raise NewError(f"TITLE={title!r}: expected at most 80 letters, digits, spaces and , . : ; ' ( ) ? ! -")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", key):
        raise NewError(f"KEY={key!r}: expected letters and digits, such as Author2020")


def _filled(words: Mapping[str, str]) -> dict[Path, str]:
    """The skeleton's files by their place in the repository, their words filled in."""

    def fill(text: str) -> str:
        return re.sub("|".join(words), lambda found: words[found[0]], text)

    files = sorted(path for path in SKELETON.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {Path(fill(path.relative_to(SKELETON).as_posix()).removesuffix(TEMPLATE)): fill(path.read_text("utf8"))
            for path in files}  # fmt: skip


def _with_entry(contents: str, entry: str) -> str:
    """The table of contents with an entry at the end of its first part, that of the chapters."""
    if twice := [line for line in entry.splitlines() if line in contents.splitlines() and "file:" in line]:
        raise NewError(f"{CONTENTS} has the entry already: {twice[0].strip()}")
    parts = [found.start() for found in re.finditer(r"^ *- caption:", contents, re.M)]
    if not parts:
        raise NewError(f"{CONTENTS}: no part begins with `- caption:`; expected one that holds the chapters")
    place = parts[1] if len(parts) > 1 else len(contents)
    return contents[:place] + entry + contents[place:]


def _write(texts: Mapping[Path, str]) -> None:
    before = {path: path.read_bytes() if path.exists() else None for path in texts}
    folders = sorted({above for path in texts for above in path.parents if not above.exists()}, reverse=True)
    try:
        for path, text in texts.items():
            with cache.atomic_file(path) as part:
                part.write_text(text, "utf8")
    except BaseException:
        for path, content in before.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(content)
        for folder in folders:
            with suppress(OSError):
                folder.rmdir()
        raise


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m studybook.engine.new", description=__doc__.split("\n")[0])
    parser.add_argument("name", help="of the chapter, such as author_subject")
    parser.add_argument("--dataset", default="idc", help=f"one of {', '.join(datasets.NAMES)} (default: idc)")
    parser.add_argument("--title", default="", help="of chapter and page")
    parser.add_argument("--key", default="", help="of the paper in the bibliography, such as Author2020")
    options = parser.parse_args(arguments)
    try:
        files = chapter(options.name, options.dataset, options.title, options.key)
    except NewError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("\n".join(path.as_posix() for path in files))
    print("What is to be replaced there is marked EXAMPLE; book/adding_a_paper.md tells how.")
    print(f"It runs already: make chapter CHAPTER={options.name} PROFILE=smoke")
    return 0


if __name__ == "__main__":
    sys.exit(main())
