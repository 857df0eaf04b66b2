"""The five papers at a glance: the main claim of each, what it prints, and what runs on real images and on twins say.

The book's first page shows it, made from the records when the book is rendered.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from studybook.comparison import reproduced
from studybook.papers.bach_boosting import authors
from studybook.published import beside, reported, verdicts

NO_RUN = "no run"
AUTHORS = "bach_boosting"  # whose own answers on the real images are at hand
DRAWS, SEED = 200, 0  # bootstrap resamples, and their seed


def table(kept: Path | None, book: Path | None, draws: int = DRAWS, seed: int = SEED) -> pd.DataFrame:
    """The main claim of each paper, beside the first real run and the twin that answer it.

    Where no run on real images is kept and the authors' own answers are at hand, these speak for real images.

    Parameters
    ----------
    kept, book
        As in `reproduced.runs`.
    draws, seed
        As in `metrics.bootstrap`.

    Returns
    -------
    DataFrame of str
        Index: the paper. ``claim, published, compared, real images, twins, verdict``: the verdict is that of the real
        run; where there is none, that of the twin, marked as such.
    """
    found: dict[str, dict[bool, pd.Series]] = {}
    for paper, _, record, rows in reproduced.runs(kept, book):
        drawn = bool(record["data"]["twin"])
        if drawn not in found.setdefault(paper, {}):
            one = reproduced.answers(paper, record, rows, draws, seed).get(main(paper)["id"])
            if one is not None and not one.isna().any():
                found[paper][drawn] = one
    found.setdefault(AUTHORS, {}).setdefault(False, authors.differences()[main(AUTHORS)["id"]])
    lines = {paper: _line(paper, found.get(paper, {})) for paper in reproduced.PAPERS}
    return pd.DataFrame(lines).T


def main(paper: str) -> dict:
    """The claim that a paper's file marks with ``main: true``.

    Raises
    ------
    LookupError
        If it marks none, or several.
    """
    marked = [claim for claim in reported.verdicts(paper) if claim.get("main") == "true"]
    if len(marked) != 1:
        raise LookupError(f"{paper}: {len(marked)} claims in published.yaml are marked main: true; expected one")
    return marked[0]


def _line(paper: str, found: Mapping[bool, pd.Series]) -> dict[str, str]:
    claim = main(paper)
    rule = {"expected": claim["expected"], "margin": float(claim.get("margin", 0))}
    said = [reported.find(paper, name) for name in claim.get("reported", [])]
    told = {drawn: beside.interval(one, 3, "+") for drawn, one in found.items()}
    decisive = found.get(False, found.get(True))
    verdict = NO_RUN if decisive is None else verdicts.verdict(decisive, **rule)
    return {
        "claim": claim["claim"],
        "published": "; ".join(f"{one.text} %" if one.unit == "%" else one.text for one in said) or "in words",
        "compared": claim["compared"],
        "real images": told.get(False, NO_RUN),
        "twins": told.get(True, NO_RUN),
        "verdict": verdict if verdict == NO_RUN or False in found else f"{verdict} (twin)",
    }
