"""What the text says of the fusion, against Table 1."""

from __future__ import annotations

from math import sqrt
from statistics import fmean, pstdev

from scipy.stats import chi2

from studybook.papers.bach_boosting.checks.design import constituents
from studybook.papers.bach_boosting.checks.folds import cells, fold_size
from studybook.published.intervals import Range, rounding
from studybook.published.report import Paper, Row, number


def checks(paper: Paper) -> list[Row]:
    """Return the checks of what is said of the fusion."""
    return [*_gains(paper), *_steadiness(paper), *_chance(paper), *_repeated(paper)]


def _gains(paper: Paper) -> list[Row]:
    best = fmean(cells(paper, "fusion"))
    singles = [fmean(cells(paper, method)) for method in constituents(paper)]
    said = [float(paper.text(f"fusion_gain_{side}")) for side in ("low", "high")]
    place = f"{paper.place('fusion_gain_low')}; Table 1"
    rows = []
    for unit, gains in (
        ("points", [best - single for single in singles]),
        ("percent of the constituent's accuracy", [100 * (best / single - 1) for single in singles]),
    ):
        inside = sum(said[0] - 0.5 <= gain < said[1] + 0.5 for gain in gains)
        rows.append(
            Row(
                f"gain of the fusion over each constituent, in {unit}",
                place,
                " to ".join(f"{value:g}" for value in said),
                f"{min(gains):.1f} to {max(gains):.1f}",
                inside == len(gains),
                f"Of the {len(gains)} gains, {inside} round into the range. Over the mean of the constituents the gain "
                f"is {best - fmean(singles):.1f} points.",
            )
        )
    return rows


def _steadiness(paper: Paper) -> list[Row]:
    place = f"{paper.place('steadier')}; Table 1"
    printed = fmean(float(paper.cell(1, method, "std")) for method in constituents(paper))
    alike = fmean(pstdev(cells(paper, method)) for method in constituents(paper))
    fused = pstdev(cells(paper, "fusion"))
    half = 0.05
    low, high = (printed - half) / (fused + half), (printed + half) / (fused - half)
    return [
        number(
            "average standard deviation of the constituents, as printed, over that of the fusion",
            place,
            paper.text("steadier"),
            Range(printed / fused, low, high),
            "Rounds to two. But the printed ones are not computed alike: from the ten cells of each row the ratio is "
            f"{alike / fused:.2f}.",
        ),
    ]


def _chance(paper: Paper) -> list[Row]:
    """Return whether folds of this size differ as much as they would if images fell into them at random."""
    rows, folds = [], float(paper.text("folds"))
    for what, place, accuracy, spread in (
        ("fusion", "Table 1", fmean(cells(paper, "fusion")), paper.cell(1, "fusion", "std")),
        (
            "carcinoma or not",
            paper.place("two_class_std"),
            float(paper.text("two_class_accuracy")),
            paper.text("two_class_std"),
        ),
    ):
        chance = sqrt(accuracy * (100 - accuracy) / fold_size(paper))
        low, high = (chance * sqrt(chi2.ppf(share, folds - 1) / folds) for share in (0.025, 0.975))
        printed = rounding(spread)
        rarity = 1 / chi2.cdf(folds * (printed.value / chance) ** 2, folds - 1)
        rows.append(
            Row(
                f"standard deviation over ten folds that chance alone gives, {what}",
                place,
                spread,
                f"{low:.1f} to {high:.1f} in 19 of 20 cases",
                printed.high >= low and printed.low <= high,
                f"Folds of {fold_size(paper):.0f} images drawn at random would be as alike as this once in "
                f"{rarity:.0f} times. A spread over ten folds is a matter of luck too, and no interval of an accuracy.",
            )
        )
    return rows


def _repeated(paper: Paper) -> list[Row]:
    return [
        number(
            "accuracy of the fusion",
            f"{paper.place('abstract_accuracy')}; Table 1",
            paper.text("abstract_accuracy"),
            rounding(paper.cell(1, "fusion", "mean")),
        ),
        number(
            "accuracy of the fusion",
            f"{paper.place('accuracy')}; Table 1",
            paper.text("accuracy"),
            rounding(paper.cell(1, "fusion", "mean")),
        ),
        number(
            "standard deviation of the fusion",
            f"{paper.place('accuracy_std')}; Table 1",
            paper.text("accuracy_std"),
            rounding(paper.cell(1, "fusion", "std")),
        ),
    ]
