"""Every published number of the five papers beside every run: the reader's, the book's twins, and those kept.

What a run answers is computed from its saved predictions, by the code of its own chapter.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from IPython.display import Markdown

from histolib import metrics
from histolib.metrics import fusion, predictions
from studybook.comparison import scoring
from studybook.engine import records
from studybook.papers.bach_boosting import authors
from studybook.papers.bach_boosting import findings as bach
from studybook.papers.breakhis_magnification import answers as magnification
from studybook.papers.breakhis_patches import findings as patches
from studybook.papers.breakhis_patches.scoring import levels
from studybook.papers.idc_transfer import findings as idc
from studybook.papers.mammography_finetuning import findings as mammography
from studybook.papers.mammography_finetuning import paired
from studybook.published import beside, reported, schema, verdicts

PAPERS = ("idc_transfer", "bach_boosting", "mammography_finetuning", "breakhis_magnification", "breakhis_patches")
AUTHORS = "the authors' own answers"
INSIDE, ABOVE, BELOW = "inside the interval", "published is above", "published is below"
NUMBER, CLAIM = "number", "claim"
_PER_CENT = ("%", "points")
_SHARES = ("tp", "fp", "tn", "fn")


def numbers(paper: str) -> pd.DataFrame:
    """Every number that a paper prints: cells of its tables and figures, and numbers of its running text.

    Settings and facts from elsewhere are no results, and are not among them.

    Returns
    -------
    DataFrame
        Index: the reference, as `reported.value` takes it. ``place``, ``what`` (row and column, or the meaning),
        ``printed``, ``unit``.
    """
    rows = {}
    for reference, what in reported.cells(paper).items():
        one = reported.find(paper, reference)
        rows[reference] = (one.place, what, one.text, one.unit)
    for one in reported.claims(paper).itertuples():
        if not np.isnan(one.value):
            rows[one.id] = (one.place, one.meaning, one.printed, one.unit)
    return pd.DataFrame.from_dict(rows, "index", columns=["place", "what", "printed", "unit"]).rename_axis("reference")


def counterparts(paper: str) -> dict[str, tuple[str, str]]:
    """Reference of a published number to method and score of a run, as `scores` names them.

    Raises
    ------
    LookupError
        If the paper prints no such number.
    """
    found = {}
    for rule in _rules()[paper] or []:
        if "table" in rule:
            title, columns = rule["table"], rule["columns"]
            for row, method in rule["rows"].items():
                found |= {f"{title}/{row}/{column}": (method, score) for column, score in columns.items()}
        found |= {reference: tuple(pair) for reference, pair in rule.get("values", {}).items()}
    if unknown := sorted({*found} - {*numbers(paper).index}):
        raise LookupError(f"{paper}: prints no number {', '.join(unknown)}; see reported.cells and reported.claims")
    return found


@cache
def _rules() -> dict:
    return yaml.safe_load(Path(__file__).with_name("counterparts.yaml").read_text("utf8"))


def runs(kept: Path | None, book: Path | None) -> Iterator[tuple[str, str, dict, pd.DataFrame]]:
    """Every run that can be found: paper, name of the run, its record, its predictions; real ones first.

    Parameters
    ----------
    kept
        Folder whose folders hold the kept runs of each chapter.
    book
        Folder of this book's runs, one folder per chapter; None if there is none.
    """
    for paper in PAPERS:
        found = records.kept(kept / paper) if kept else {}
        for name, (record, rows) in found.items():
            yield paper, f"kept: {name} ({kind(record)})", record, rows
        file = book / paper / "record.json" if book else None
        if file and file.is_file():
            record, rows = records.read(file)
            yield paper, f"this book ({kind(record)})", record, rows


def kind(record: Mapping) -> str:
    """What a run's images are, in words."""
    return "drawn twin" if record["data"]["twin"] else "real"


def answers(paper: str, record: Mapping, rows: pd.DataFrame, draws: int, seed: int) -> dict[str, pd.Series]:
    """What a run says about the paper's claims, by id: ``value, low, high``; each chapter's own code answers.

    Parameters
    ----------
    paper
        One of `PAPERS`.
    record, rows
        From `records.read`.
    draws, seed
        As in `metrics.bootstrap`.
    """
    if paper == "idc_transfer":
        return idc.answers(rows, draws, seed)
    if paper == "bach_boosting":
        return bach.differences(rows, draws, seed)
    if paper == "breakhis_magnification":
        return magnification.differences(magnification.named(rows), draws, seed)
    if paper == "breakhis_patches":
        known = record["parameters"]
        return patches.differences(levels(rows, known["rule"], known["exist_n"]), draws, seed)
    other = mammography.on_other_set(rows)
    first = rows.loc[~other, "method"].str.split(", ").str[0]
    # A run may hold several sets; the one with most regions answers.
    own = rows[~other][first == first.value_counts().index[0]]
    return mammography.answers(paired.named(own), rows[other], draws, seed)


def scores(paper: str, rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """The scores of a run that `counterparts` asks for: index ``method, score``; ``value, low, high`` in shares."""
    return _SCORES[paper](rows, draws, seed)


def _idc(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    wanted = {method for method, _ in counterparts("idc_transfer").values()}
    tested = idc.comparable(rows)
    tested = tested[tested["method"].isin(wanted)]
    shares = {
        name: metrics.bootstrap(one, _confusion, draws=draws, seed=seed) for name, one in tested.groupby("method")
    }
    return pd.concat([metrics.summary(tested, draws, seed), pd.concat(shares)])


def _confusion(y_true, y_score, weight=None) -> pd.Series | pd.DataFrame:
    """True and false positives and negatives at one half, as shares of all."""
    called, truth = y_score[:, 1] >= 0.5, y_true == 1
    cells = called & truth, called & ~truth, ~called & ~truth, ~called & truth
    return scoring.means(pd.DataFrame(dict(zip(_SHARES, cells))), weight)


def _bach(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    whole = rows[rows["method"] == fusion.FUSION]
    single = fusion.fuse(bach.parts(rows), None)
    return _four_and_two(pd.concat([single, whole]), predictions.two_classes(whole), draws, seed)


def _four_and_two(four: pd.DataFrame, two: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Scores of four classes, and of carcinoma or not, at one half and at the published point of high sensitivity."""
    name = "carcinoma or not"
    high = float(reported.value("bach_boosting", "high_sensitivity_point"))
    parts = [metrics.summary(four, draws, seed), metrics.summary(two.assign(method=name), draws, seed)]
    return pd.concat([*parts, metrics.summary(two.assign(method=f"{name} at {high:g}"), draws, seed, high)])


def _mammography(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    parts, two = {}, rows[rows["method"].str.contains(", 2 blocks")]
    plain = two["method"].str.contains(r", 2 blocks(?:, official parts|, tested on \w+)?(?:, training \d+)?$")
    for name, one in two[plain].groupby("method", sort=False):
        learned, network = name.split(", ")[:2]
        tested = re.search("tested on (.*?)(?:,|$)", name)
        with warnings.catch_warnings():
            # A few regions of one class have no AUC, whatever is drawn: it comes out as missing.
            warnings.simplefilter("ignore", RuntimeWarning)
            found = paired.summary(paired.named(one).assign(method="2 blocks"), draws, seed).loc["2 blocks"]
        for told in [f"tested on {tested[1]}"] if tested else [f"{learned} {network}", learned]:
            # Of several networks on a set the paper gives the best.
            if told not in parts or found.at["accuracy", "value"] > parts[told].at["accuracy", "value"]:
                parts[told] = found[["value", "low", "high"]]
    return pd.concat(parts, names=["method", "score"]) if parts else _none()


def _magnification(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    rows = magnification.named(rows)
    own = rows["method"].str.replace(r" \d+x$", "", regex=True)
    rows = rows.assign(method=own)[(rows["about"] == 0) | (rows["about"] == rows["magnification"])]
    rows = rows[rows["method"].isin(["specific", "independent", "two tasks", "pftas, svm"])]
    options = {"draws": draws, "seed": seed}
    each = metrics.recognition_intervals(rows, ("magnification", "method"), over=("training", "fold"), **options)
    each = each.rename(index=lambda value: f"at {value}x", level="magnification")
    whole = metrics.recognition_intervals(rows, over=magnification.CELLS, **options)
    whole = pd.concat({"all magnifications": whole})
    return pd.concat([each, whole])


def _none(*_) -> pd.DataFrame:
    return pd.DataFrame(columns=["value", "low", "high"], index=pd.MultiIndex.from_arrays([[], []]), dtype=float)


_SCORES: dict[str, Callable] = {
    "idc_transfer": _idc, "bach_boosting": _bach, "mammography_finetuning": _mammography,
    "breakhis_magnification": _magnification, "breakhis_patches": _none,
}  # fmt: skip


def rows_of(paper: str, run: str, found: Mapping[str, pd.Series], scored: pd.DataFrame) -> list[dict]:
    """Published numbers and claims that one run has a counterpart of, one row each.

    Parameters
    ----------
    paper, run
        Name of each.
    found
        From `answers`.
    scored
        From `scores`.
    """
    rows, printed = [], numbers(paper)
    for reference, pair in counterparts(paper).items():
        if pair in scored.index:
            said = printed.loc[reference]
            one = scored.loc[pair, ["value", "low", "high"]].astype(float) * (100 if said.unit in _PER_CENT else 1)
            value, digits = float(said.printed), max(2, len(said.printed.partition(".")[2]))
            rows.append({
                "place": said.place, "kind": NUMBER, "what": said.what,
                "published": _with_unit(said.printed, said.unit), "score": " / ".join(pair).replace("_", " "),
                "this run": beside.interval(one, digits), "less published": f"{one.value - value:+.{digits}f}",
                "verdict": INSIDE if one.low <= value <= one.high else ABOVE if value > one.high else BELOW,
                "reference": reference,
            })  # fmt: skip
    for claim in reported.verdicts(paper):
        one = found.get(claim["id"])
        if one is not None and not one.isna().any():
            said = [reported.find(paper, name) for name in claim.get("reported", [])]
            rows.append({
                "place": ", ".join(dict.fromkeys(value.place for value in said)), "kind": CLAIM, "what": claim["claim"],
                "published": "; ".join(_with_unit(value.text, value.unit) for value in said) or "in words",
                "score": claim["compared"], "this run": beside.interval(one, 3, "+"), "less published": "–",
                "verdict": verdicts.verdict(one, claim["expected"], float(claim.get("margin", 0))),
                "reference": claim["id"],
            })  # fmt: skip
    return [{"paper": paper, "run": run} | row for row in rows]


def _with_unit(text: str, unit: str) -> str:
    return f"{text} %" if unit in _PER_CENT else text


def table(kept: Path | None, book: Path | None, draws: int, seed: int) -> pd.DataFrame:
    """All published numbers and claims beside all runs, one row per number and run that has a counterpart of it."""
    rows = []
    for paper, name, record, found in runs(kept, book):
        rows += rows_of(paper, name, answers(paper, record, found, draws, seed), scores(paper, found, draws, seed))
    theirs = _four_and_two(authors.answers().assign(method=fusion.FUSION), authors.carcinoma(), draws, seed)
    rows += rows_of("bach_boosting", f"{AUTHORS} (real)", authors.differences(), theirs)
    order = {paper: k for k, paper in enumerate(PAPERS)}
    return pd.DataFrame(sorted(rows, key=lambda row: order[row["paper"]]))


def without(found: pd.DataFrame) -> pd.DataFrame:
    """Published numbers of which no run in `table` has a counterpart: ``paper, place, what, published``."""
    parts = []
    for paper in PAPERS:
        beside_runs = set(found.loc[(found["paper"] == paper) & (found["kind"] == NUMBER), "reference"])
        left = numbers(paper).drop(index=list(beside_runs))
        published = [_with_unit(*pair) for pair in zip(left["printed"], left["unit"])]
        parts.append(left.assign(paper=paper, published=published)[["paper", "place", "what", "published"]])
    return pd.concat(parts, ignore_index=True)


def counts(found: pd.DataFrame) -> pd.DataFrame:
    """How many numbers and claims each paper prints, and how many of them some run has a counterpart of."""
    rows = {}
    for paper in PAPERS:
        own, claims = found[found["paper"] == paper], reported.verdicts(paper)
        by = own.groupby("kind")["reference"].nunique()
        rows[paper] = {
            "numbers printed": len(numbers(paper)), "of them beside a run": by.get(NUMBER, 0),
            "claims": len(claims), "of them beside a run ": by.get(CLAIM, 0),
        }  # fmt: skip
    counted = pd.DataFrame(rows).T
    counted.loc["all"] = counted.sum()
    return counted


def told(found: pd.DataFrame) -> pd.DataFrame:
    """Verdicts by kind of run: how many numbers and claims of each paper got which."""
    where = np.where(found["run"].str.contains("drawn twin"), "drawn twin", "real")
    return pd.crosstab([found["paper"], found["kind"], where], found["verdict"]).rename_axis(
        index=["paper", "kind", "images"], columns=None
    )


def sentences(found: pd.DataFrame) -> Markdown:
    """What the great table says, in sentences: of real and of drawn images apart."""
    lines = []
    real = ~found["run"].str.contains("drawn twin")
    for words, part in (("real images", found[real]), ("drawn twins", found[~real])):
        printed, claims = (part[part["kind"] == one]["verdict"].value_counts() for one in (NUMBER, CLAIM))
        if len(part):
            lines.append(
                f"- On {words}: of {printed.sum()} comparisons of a published number with a run, "
                f"{printed.get(INSIDE, 0)} lie inside the run's interval, {printed.get(ABOVE, 0)} published numbers "
                f"are above it and {printed.get(BELOW, 0)} below. Of {claims.sum()} answers to claims "
                f"{claims.get(schema.HOLDS, 0)} say that the claim holds, {claims.get(schema.DOES_NOT_HOLD, 0)} that "
                f"it does not, {claims.get(schema.CANNOT_TELL, 0)} can't tell."
            )
    return Markdown("\n".join(lines) or "No run is kept here.")
