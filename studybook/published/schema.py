"""Checks the file of a paper when it is read, so that a typing error never becomes a published number."""

from __future__ import annotations

LISTS = {
    "claims": ["id", "value", "unit", "place", "meaning"],
    "settings": ["id", "value", "unit", "place", "note"],
    "outside": ["id", "value", "unit", "source", "meaning"],
}
_CITATION = ("key", "title", "authors", "journal", "year")
_PARTS = {"paper", "tables", "figures", *LISTS}
UNKNOWN = "unknown"  # the year of a source that does not name one
DASH = "-"  # the cell of a table in which the paper prints no number


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
        or a cell of a column with a unit is neither a number nor a dash. The message names the file and the table.
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
    ids = [row[0] for row in rows]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ValueError(f"{place}: id {', '.join(twice)} stands twice; ids must differ")


def _number(cell: str, place: str) -> None:
    try:
        float(cell)
    except (TypeError, ValueError):
        raise ValueError(f"{place}: {cell!r} is not a number; a column of words needs the unit text") from None
