"""What runs say about a paper's claims: each claim holds, does not hold, or cannot be told, by one rule.

The claims stand in ``published.yaml``, part ``verdicts``: the claim in our words, the printed values, which difference
answers it, on which side of 0 the claim puts that difference, and what is to be said in each of the three cases. The
claim that a paper stands for on the book's first page is marked ``main: true``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd
from IPython.display import Markdown

from studybook.published import beside, reported
from studybook.published.schema import CANNOT_TELL, DOES_NOT_HOLD, HOLDS

NOT_RUN = "not in this run"
# Of one run: the difference that answers each claim, by its id, as ``value, low, high``.
Differences = Mapping[str, pd.Series]


def verdict(difference: pd.Series, expected: str, margin: float = 0.0) -> str:
    """Say what a difference with its 95 % interval says about a claim.

    Parameters
    ----------
    difference
        ``value, low, high``.
    expected
        Where the claim puts the difference: ``above`` 0, ``below`` 0, or ``level``, nearer to 0 than `margin`.
    margin
        In units of the difference; of ``level`` only.

    Returns
    -------
    str
        It holds if the whole interval lies where the claim puts it, does not hold if the whole interval lies elsewhere,
        and cannot be told otherwise.
    """
    low, high = difference["low"], difference["high"]
    if expected == "level":
        inside, outside = -margin < low and high < margin, low > margin or high < -margin
    else:
        inside, outside = (low > 0, high < 0) if expected == "above" else (high < 0, low > 0)
    return HOLDS if inside else DOES_NOT_HOLD if outside else CANNOT_TELL


def table(paper: str, runs: Mapping[str, Differences], digits: int = 3) -> pd.DataFrame:
    """Each claim of a paper beside what each run says.

    Parameters
    ----------
    paper
        As in `reported.papers`.
    runs
        By name of a run, in the order of the columns: kept runs on real data first, then this run.
    digits
        Decimal places.

    Returns
    -------
    DataFrame of str
        Index: the claim. Columns: ``published``, ``compared``, and for each run its difference with the interval and
        the verdict.

    Raises
    ------
    LookupError
        If a run answers a claim that the paper's file has not.
    """
    claims = _claims(paper, runs)
    columns = {
        "published": [_printed(paper, claim) for claim in claims],
        "compared": [claim["compared"] for claim in claims],
    }
    for name, found in runs.items():
        columns[name] = [_told(found.get(claim["id"]), claim, digits) for claim in claims]
    return pd.DataFrame(columns, index=pd.Index([claim["claim"] for claim in claims], name="claim"))


def sentences(
    paper: str, runs: Mapping[str, Differences], digits: int = 3, only: Collection[str] | None = None
) -> Markdown:
    """What was found: of each claim the sentence of its verdict in the first run that answers it, and that run.

    Parameters
    ----------
    paper, runs, digits
        As in `table`.
    only
        Ids of the claims that are spoken of; None: all that a run answers.

    Raises
    ------
    LookupError
        As `table`; if `only` names a claim that the paper's file has not.
    """
    lines = []
    for claim in _claims(paper, runs, only or ()):
        if only is not None and claim["id"] not in only:
            continue
        answered = [name for name, found in runs.items() if _known(found.get(claim["id"]))]
        if answered:
            difference = runs[answered[0]][claim["id"]]
            said = claim[_SENTENCE[verdict(difference, **_rule(claim))]]
            lines.append(f"- {said} ({answered[0]}: {beside.interval(difference, digits, sign='+')})")
    return Markdown("\n".join(lines) or "No run here answers a claim of the paper.")


_SENTENCE = {HOLDS: "holds", DOES_NOT_HOLD: "fails", CANNOT_TELL: "open"}


def _claims(paper: str, runs: Mapping[str, Differences], named: Collection[str] = ()) -> list[dict]:
    claims = reported.verdicts(paper)
    unknown = {*named, *(id for found in runs.values() for id in found)} - {claim["id"] for claim in claims}
    if unknown:
        raise LookupError(f"{paper}: no claim {', '.join(sorted(unknown))} in the part verdicts of its published.yaml")
    return claims


def _printed(paper: str, claim: Mapping) -> str:
    return "; ".join(reported.value(paper, one) for one in claim.get("reported", [])) or "in words"


def _told(difference: pd.Series | None, claim: Mapping, digits: int) -> str:
    if not _known(difference):
        return NOT_RUN
    return f"{beside.interval(difference, digits, sign='+')}: {verdict(difference, **_rule(claim))}"


def _known(difference: pd.Series | None) -> bool:
    return difference is not None and not difference.isna().any()


def _rule(claim: Mapping) -> dict:
    return {"expected": claim["expected"], "margin": float(claim.get("margin", 0))}
