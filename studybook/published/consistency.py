"""Does a published paper agree with itself?

The comparisons of a paper are data (`comparisons`) or, where they need arithmetic of their own, functions of its module
``checks``; the rounding of the printed digits is carried along (`intervals`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import pandas as pd
from IPython.display import Markdown

from studybook.published import comparisons, reported
from studybook.published.report import Paper, Row
from studybook.published.schema import AGREES, VERDICTS


def report(paper: str, checks: Iterable[Callable[[Paper], Iterable[Row]]] = ()) -> pd.DataFrame:
    """Compare a paper's published numbers with each other.

    Parameters
    ----------
    paper : str
        Name of the paper, as in `studybook.published.reported`.
    checks : iterable of callable
        Further checks: each takes the `Paper` and yields rows.

    Returns
    -------
    pandas.DataFrame
        One row per check: ``id`` (unique in the paper), ``check`` (what is compared), ``place`` (in the paper),
        ``reported`` (text, as printed), ``recomputed`` (text; in parentheses the range that the rounding of the printed
        numbers allows), ``verdict`` (see `studybook.published.schema.VERDICTS`) and ``remark`` (what it may mean).

    Raises
    ------
    LookupError
        If the paper is unknown.
    ValueError
        If two checks have one id.
    """
    numbers = Paper(paper)
    rows = [comparisons.row(numbers, entry) for entry in reported.entries(paper, "checks")]
    rows += [row for check in checks for row in check(numbers)]
    found = pd.DataFrame(rows, columns=Row._fields)
    twice = found.loc[found["id"].duplicated(), "id"]
    if len(twice):
        raise ValueError(f"checks of {paper}: id {', '.join(twice)} stands twice; ids must differ")
    return found


def remarks(paper: str) -> pd.DataFrame:
    """What else is to be said of a paper and can't be computed; columns ``place`` and ``remark``, index ``id``."""
    numbers = Paper(paper)
    rows = [(entry["id"], entry["place"], numbers.fill(entry["text"])) for entry in reported.entries(paper, "remarks")]
    return pd.DataFrame(rows, columns=["id", "place", "remark"]).set_index("id")


def counts(report: pd.DataFrame) -> str:
    """Number of checks by verdict, those with none too, and what each verdict means; a line for each."""
    by_verdict = report["verdict"].value_counts().reindex(VERDICTS, fill_value=0)
    lines = [f"{count:4} {verdict}: {VERDICTS[verdict]}" for verdict, count in by_verdict.items()]
    return "\n".join([f"{len(report):4} checks", *lines])


def for_readers(report: pd.DataFrame, agree: bool) -> Markdown:
    """Checks that agree, or the others with their verdicts: a sentence each."""
    lines = []
    for _, one in report[(report["verdict"] == AGREES) == agree].iterrows():
        told = f"**{one['check']}** ({one['place']}): reported {one['reported']}, recomputed {one['recomputed']}"
        told += "" if agree else f"; *{one['verdict']}*"
        lines.append(_plain(f"- {told}. {one['remark']}".rstrip()))
    return Markdown("\n".join(lines) or "None.")


def _plain(text: str) -> str:
    """Text in which Markdown finds nothing but the stars that were meant."""
    return re.sub(r"([_<>|$~])", r"\\\1", text)
