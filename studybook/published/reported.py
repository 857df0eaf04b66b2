"""The published numbers of each paper, as data.

One YAML file per paper holds its tables, the numbers of its figures, the claims of its running text and its
settings. Nothing in a chapter is typed from a paper: it is asked for here.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd
import yaml

from studybook.published import schema

__all__ = [
    "cells", "claims", "entries", "figure", "find", "outside", "paper", "papers", "printed", "settings", "table",
    "value", "verdicts",
]  # fmt: skip

_PAPERS = Path(__file__).resolve().parents[1] / "papers"


def papers() -> list[str]:
    """Return the names of the papers whose numbers lie in ``studybook/papers/<name>/published.yaml``, sorted."""
    return sorted(file.parent.name for file in _PAPERS.glob("*/published.yaml"))


@cache
def _load(name: str) -> dict:
    if name not in papers():
        raise LookupError(f"paper {name!r} is unknown; known papers: {', '.join(papers())}")
    file = _PAPERS / name / "published.yaml"
    # BaseLoader keeps every scalar as text: "0.8350" must not lose the digit that says how it was rounded.
    content = yaml.load(file.read_text("utf8"), Loader=yaml.BaseLoader)
    schema.validate(content, f"{name}/published.yaml")
    return content


def paper(name: str) -> dict:
    """Return the citation of a paper.

    Parameters
    ----------
    name : str
        Name of the paper, as listed by `papers`.

    Returns
    -------
    dict
        ``key`` (in the bibliography), ``title``, ``authors`` (list), ``journal``, ``year`` (int, None where the
        source names none) and, where known, ``volume``, ``pages``, ``doi`` and ``url``.

    Raises
    ------
    LookupError
        If the paper is unknown.
    ValueError
        If the paper's file is malformed.
    """
    content = dict(_load(name)["paper"])
    year = None if content["year"] == schema.UNKNOWN else int(content["year"])
    return content | {"authors": list(content["authors"]), "year": year}


def _entry(name: str, kind: str, number: int | str) -> dict:
    entries = _load(name)[f"{kind}s"]
    readable = [key for key, entry in entries.items() if "rows" in entry]
    entry = entries.get(str(number))
    if entry is None:
        raise LookupError(f"{name} has no {kind} {number}; {kind}s with numbers: {', '.join(readable)}")
    if "rows" not in entry:
        shown = entry.get("caption", entry.get("shows"))
        raise LookupError(
            f"{kind} {number} of {name} ({shown}) has no numbers here: {entry['unreadable']}; "
            f"{kind}s with numbers: {', '.join(readable) or 'none'}"
        )
    return entry


def _frame(name: str, kind: str, number: int | str, as_printed: bool) -> pd.DataFrame:
    entry = _entry(name, kind, number)
    columns = [column["name"] for column in entry["columns"]]
    frame = pd.DataFrame(entry["rows"], columns=columns)
    units = {column["name"]: column["unit"] for column in entry["columns"]}
    if not as_printed:
        # Whole numbers (counts) become int64, all others float64; a dash becomes NaN.
        cells = frame.replace(schema.DASH, "")
        numeric = {column: pd.to_numeric(cells[column]) for column in columns if units[column] != "text"}
        frame = frame.assign(**numeric)
    frame.attrs = {
        "paper": name,
        kind: str(number),
        "caption": entry.get("caption", entry.get("shows")),
        "units": units,
        "headings": {column["name"]: column.get("printed", column["name"]) for column in entry["columns"]},
        "notes": list(entry.get("notes", [])),
    }
    return frame


def table(paper: str, number: int | str) -> pd.DataFrame:
    """Return a published table.

    Parameters
    ----------
    paper : str
        Name of the paper, as listed by `papers`.
    number : int or str
        Number of the table in the paper; a name for what the source does not number.

    Returns
    -------
    pandas.DataFrame
        One row per row of the table; columns with a unit are float64 (int64 where all cells are
        whole), NaN where the paper has a dash; columns of words are text. ``attrs`` holds
        ``caption``, ``units`` and ``headings`` (per column), and ``notes``.

    Raises
    ------
    LookupError
        If the paper or the table is unknown, or if the table's cells could not be had; the message lists those that
        exist.
    ValueError
        If the paper's file is malformed.
    """
    return _frame(paper, "table", number, as_printed=False)


def printed(paper: str, number: int | str) -> pd.DataFrame:
    """Return a published table with each cell as text, its digits as printed; else as `table`."""
    return _frame(paper, "table", number, as_printed=True)


def figure(paper: str, number: int | str) -> pd.DataFrame:
    """Return the numbers of a published figure, as `table` does.

    Raises
    ------
    LookupError
        If the figure is unknown, or if its numbers cannot be read because it is an image.
    """
    return _frame(paper, "figure", number, as_printed=False)


def _listing(name: str, part: str) -> pd.DataFrame:
    columns = schema.LISTS[part]
    frame = pd.DataFrame(_load(name).get(part, []), columns=columns).rename(columns={"value": "printed"})
    numbers = pd.to_numeric(frame["printed"], errors="coerce").astype("float64")
    frame.insert(1, "value", numbers.mask(frame["unit"] == "text"))
    return frame


def claims(paper: str) -> pd.DataFrame:
    """Return the numbers (and the claims in words) that stand in a paper's running text.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``value`` (float64, NaN for a claim in words), ``printed`` (text, as in the paper), ``unit``,
        ``place`` (section) and ``meaning`` (in our words).

    Raises
    ------
    LookupError
        If the paper is unknown.
    """
    return _listing(paper, "claims")


def cells(paper: str) -> dict[str, str]:
    """Return every number in a paper's tables and figures: its reference, as `find` takes it, to what it is, in words.

    A row is named by its words and, if it begins with a number, by that one, so that such a number is none of these.
    """
    content, found = _load(paper), {}
    for part, prefix in (("tables", ""), ("figures", "figure ")):
        for number, entry in dict(content[part] or {}).items():
            columns = entry.get("columns", [])
            named = [k for k, column in enumerate(columns) if column["unit"] == "text" or k == 0]
            rows = entry.get("rows", [])
            for row in rows:
                keys = [row[k] for k in named]
                # As few of them as tell the row from the others.
                few = next(n for n in range(1, len(keys) + 1) if sum({*keys[:n]} <= {*one} for one in rows) == 1)
                for k, column in enumerate(columns):
                    if k not in named and row[k] != schema.DASH:
                        reference = "/".join([f"{prefix}{number}", *keys[:few], column["name"]])
                        found[reference] = f"{', '.join(keys)}: {column['name'].replace('_', ' ')}"
    return found


def settings(paper: str) -> pd.DataFrame:
    """Return the published settings; columns as `claims`, with ``note`` in place of ``meaning``."""
    return _listing(paper, "settings")


def outside(paper: str) -> pd.DataFrame:
    """Return facts from elsewhere that checks need; columns as `claims`, with ``source`` for ``place``."""
    return _listing(paper, "outside")


def entries(paper: str, part: str) -> list[dict]:
    """Return the comparisons (``checks``) or the ``remarks`` of a paper's file; none where it has none."""
    return list(_load(paper).get(part) or [])


def verdicts(paper: str) -> list[dict]:
    """Return the claims that runs are asked about, in the paper's order; see `studybook.published.verdicts`."""
    return entries(paper, "verdicts")


def find(paper: str, reference: str) -> schema.Printed:
    """Return one printed value with its unit and place; `reference` as in `studybook.published.schema.find`.

    Raises
    ------
    LookupError
        If the paper is unknown or prints no such value.
    """
    try:
        return schema.find(_load(paper), reference)
    except LookupError as error:
        raise LookupError(f"{paper}: {error.args[0]}; see reported.claims({paper!r})") from None


def value(paper: str, reference: str) -> str:
    """Return one claim, setting, outside fact or cell as printed; see `find`."""
    return find(paper, reference).text
