"""Checks the file of a paper when it is read, so that a typing error never becomes a published number."""

from __future__ import annotations

import re
from typing import NamedTuple

LISTS = {
    "claims": ["id", "value", "unit", "place", "meaning"],
    "settings": ["id", "value", "unit", "place", "note"],
    "outside": ["id", "value", "unit", "source", "meaning"],
}
_CITATION = ("key", "title", "authors", "journal", "year")
# What a check may do with the printed values that it names; `studybook.published.comparisons` says how.
PAIRED, OF_TWO = ("same", "rounded", "percent"), ("difference", "ratio", "percent_gain")
OPERATIONS = (*PAIRED, *OF_TWO, "sum", "product", "mean", "at_most", "at_least")
AGREES, CONTRADICTS, NOT_STATED = "agrees", "contradicts itself", "not stated"
OUTSIDE = "differs from an outside fact"
# What a verdict means, in the words that readers see.
VERDICTS = {
    AGREES: "there are values that would be printed like this and make both places true",
    CONTRADICTS: "there are none: as printed, the two places exclude each other",
    NOT_STATED: "the paper does not say what would decide it, or prints nothing to compare with",
    OUTSIDE: "the paper's value is not the one that a source outside the paper has",
}
# What a run can say about a claim (`studybook.published.verdicts`).
HOLDS, DOES_NOT_HOLD, CANNOT_TELL = "holds", "does not hold", "cannot tell"
_VERDICT = ({"id", "claim", "compared", "expected", "holds", "fails", "open"}, {"reported", "margin", "main"})
_CHECK = ({"id", "check", "reported"}, {"exact", "otherwise", "remark", *OPERATIONS})  # needed; allowed
_REMARK = ({"id", "place", "text"}, set())
_PARTS = {"paper", "tables", "figures", *LISTS, "checks", "remarks", "verdicts"}
UNKNOWN = "unknown"  # the year of a source that does not name one
DASH = "-"  # the cell of a table in which the paper prints no number


class Printed(NamedTuple):
    """One printed value: its text, its unit, its place in the paper, and the part of the file in which it stands."""

    text: str
    unit: str
    place: str
    part: str


def find(content: dict, reference: str) -> Printed:
    """Find a printed value.

    Parameters
    ----------
    content : dict
        The parsed file.
    reference : str
        The id of a claim, a setting or an outside fact, sought in that order; or a cell: the table, what stands in its
        row, its column, such as ``3/baseline/f1``, ``2/MD/vgg16/accuracy`` or ``figure 4a/0.33/sensitivity``.

    Raises
    ------
    LookupError
        If there is no such value, or if more than one row fits.
    """
    if "/" not in reference:
        for part in LISTS:
            for id, text, unit, place, _ in content.get(part) or []:
                if id == reference:
                    return Printed(text, unit, place, part)
        raise LookupError(f"no claim, setting or outside fact {reference!r}")
    title, *keys, column = reference.split("/")
    part, number = ("figures" if title.startswith("figure ") else "tables"), title.removeprefix("figure ")
    entry = (content[part] or {}).get(number, {})
    rows = [row for row in entry.get("rows", []) if {*keys} <= {*row}]
    names = [name["name"] for name in entry.get("columns", [])]
    if len(rows) != 1 or column not in names:
        raise LookupError(f"cell {reference!r}: {len(rows)} rows fit {keys}, of the columns {names}; needed: one cell")
    at = names.index(column)
    place = entry.get("place", f"{'Fig.' if part == 'figures' else 'Table'} {number}")
    return Printed(rows[0][at], entry["columns"][at]["unit"], place, part)


def listed(references: str | list[str]) -> list[str]:
    """One reference, or several, as a list."""
    return [references] if isinstance(references, str) else references


def validate(content: dict, file: str) -> None:
    """Check the content of a paper's file.

    Parameters
    ----------
    content : dict
        The parsed file, every scalar as text.
    file : str
        Its name, for the messages.

    Raises
    ------
    ValueError
        If a part is missing or unknown, a column is named twice or has no unit, a row has the wrong length,
        a cell of a column with a unit is neither a number nor a dash, or a check names what is not there. The message
        names the file and the table or the entry.
    """
    if not isinstance(content, dict) or set(content) - _PARTS or {"paper", "tables", "figures"} - set(content):
        found = sorted(content) if isinstance(content, dict) else type(content).__name__
        raise ValueError(f"{file}: parts {found}; needed: paper, tables, figures; allowed: {sorted(_PARTS)}")
    missing = [key for key in _CITATION if not content["paper"].get(key)]
    if missing:
        raise ValueError(f"{file}, paper: {', '.join(missing)} missing")
    year = content["paper"]["year"]
    if not (year.isdigit() or year == UNKNOWN):
        raise ValueError(f"{file}, paper: year {year!r}; needed: a number, or {UNKNOWN} where the source has none")
    for kind in ("tables", "figures"):
        # An empty part comes as an empty text.
        for number, entry in dict(content[kind] or {}).items():
            _entry(entry, f"{file}, {kind[:-1]} {number}", kind)
    for part, columns in LISTS.items():
        _listing(content.get(part) or [], columns, f"{file}, {part}")
    for part, (needed, allowed) in (("checks", _CHECK), ("remarks", _REMARK), ("verdicts", _VERDICT)):
        entries = content.get(part) or []
        for number, entry in enumerate(entries, start=1):
            place = f"{file}, {part}, {entry.get('id', f'entry {number}')}"
            _keys(entry, needed, allowed, place)
            if part == "checks":
                _check(entry, content, place)
            elif part == "verdicts":
                _claim(entry, content, place)
            for reference in re.findall(r"{(.+?)}", entry.get("text", entry.get("remark", ""))):
                _found(reference, content, place)
        _once([entry["id"] for entry in entries], f"{file}, {part}")


def _entry(entry: dict, place: str, kind: str) -> None:
    title = "caption" if kind == "tables" else "shows"
    if not entry.get(title):
        raise ValueError(f"{place}: {title} missing")
    if "unreadable" in entry and "rows" not in entry:
        return
    for key in ("columns", "rows"):
        if not entry.get(key):
            raise ValueError(f"{place}: {key} missing")
    names = [column.get("name") for column in entry["columns"]]
    if not all(names):
        raise ValueError(f"{place}: a column has no name; found {names}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{place}: column {', '.join(twice)} stands twice; names must differ")
    for column in entry["columns"]:
        if not column.get("unit"):
            raise ValueError(f'{place}: column {column["name"]} has no unit; write "text" for words, "1" for a ratio')
    for number, row in enumerate(entry["rows"], start=1):
        if len(row) != len(names):
            raise ValueError(f"{place}: row {number} has {len(row)} cells, the table {len(names)} columns")
        for cell, column in zip(row, entry["columns"], strict=True):
            if column["unit"] != "text" and cell != DASH:
                _number(cell, f"{place}, row {number}, column {column['name']}")


def _listing(rows: list, columns: list[str], place: str) -> None:
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"{place}: entry {row} has {len(row)} items; needed: {', '.join(columns)}")
        if not row[0] or not row[2] or not row[3]:
            raise ValueError(f"{place}: entry {row} lacks its {columns[0]}, {columns[2]} or {columns[3]}")
        if row[2] != "text":
            _number(row[1], f"{place}, {row[0]}")
    _once([row[0] for row in rows], place)


def _once(ids: list[str], place: str) -> None:
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ValueError(f"{place}: id {', '.join(twice)} stands twice; ids must differ")


def _keys(entry: dict, needed: set[str], allowed: set[str], place: str) -> None:
    missing, unknown = sorted(key for key in needed if not entry.get(key)), sorted({*entry} - needed - allowed)
    if missing or unknown:
        raise ValueError(f"{place}: missing {missing}, unknown {unknown}; needed: {sorted(needed)}")
    if not re.fullmatch("[a-z0-9_]+", entry["id"]):
        raise ValueError(f"{place}: the id must be of small letters, digits and underscores")


def _check(entry: dict, content: dict, place: str) -> None:
    asked = [key for key in OPERATIONS if key in entry]
    if len(asked) != 1:
        raise ValueError(f"{place}: operations {asked}; needed: one of {', '.join(OPERATIONS)}")
    if entry.get("otherwise", NOT_STATED) not in {*VERDICTS} - {AGREES}:
        raise ValueError(f"{place}: otherwise {entry['otherwise']!r}; needed: a verdict other than {AGREES!r}")
    reported, others = listed(entry["reported"]), listed(entry[asked[0]])
    uneven = asked[0] in PAIRED[1:] and len(others) != len(reported)
    if uneven or (asked[0] in OF_TWO and len(others) != 2) or (asked[0] not in PAIRED and len(reported) != 1):
        raise ValueError(
            f"{place}: {asked[0]} of {len(others)} values for {len(reported)} reported; needed: "
            f"{', '.join(PAIRED)} pair by pair, {', '.join(OF_TWO)} of two, all others for one"
        )
    for reference in (*reported, *others):
        found = _found(reference, content, place)
        if asked[0] != "same":
            _number(found.text, f"{place}, {reference}")


def _claim(entry: dict, content: dict, place: str) -> None:
    if entry["expected"] not in ("above", "below", "level"):
        raise ValueError(f"{place}: expected {entry['expected']!r}; needed: above, below or level")
    if ("margin" in entry) != (entry["expected"] == "level"):
        raise ValueError(f"{place}: a margin belongs to a claim that expects level, and to no other")
    if "margin" in entry and not _number(entry["margin"], place) > 0:
        raise ValueError(f"{place}: margin {entry['margin']}; needed: a number above 0")
    for reference in entry.get("reported", []):
        _found(reference, content, place)


def _found(reference: str, content: dict, place: str) -> Printed:
    try:
        return find(content, reference)
    except LookupError as error:
        raise ValueError(f"{place}: {error.args[0]}") from None


def _number(cell: str, place: str) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        raise ValueError(f"{place}: {cell!r} is not a number; a column of words needs the unit text") from None
