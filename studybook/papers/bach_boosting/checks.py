"""Checks of the paper that need arithmetic of their own: Table 1 by folds, set points, what the authors published."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from statistics import fmean, pstdev, stdev

from scipy.stats import chi2

from histolib import metrics
from studybook.papers.bach_boosting import authors, leftout
from studybook.published import reported
from studybook.published.intervals import Range, agrees, rounding
from studybook.published.report import NOT_STATED, OUTSIDE, Paper, Row, number, row

CLASSES = ("normal", "benign", "in_situ", "invasive")
_NOT_CONSTITUENTS = ("std", "fusion")  # rows of Table 1 that are no single kind of descriptor
# Each set point with its sensitivity and its specificity.
_POINTS = {
    "high_sensitivity_point": ("high_sensitivity", "high_sensitivity_specificity"),
    "middle_point": ("middle_sensitivity", "middle_specificity"),
}
_SLACK = 1e-9


def cells(paper: Paper, method: str) -> list[float]:
    """Return the accuracies of a row in the ten folds, percent.

    They are exact as printed: with folds of 40 images and five seeds the steps between them are 0.5.
    """
    return paper.values(*(f"1/{method}/f{k}" for k in range(1, int(paper.text("folds")) + 1)))


def constituents(paper: Paper) -> dict[str, list[float]]:
    """Return the `cells` of the rows of Table 1 that hold one kind of descriptor each."""
    return {method: cells(paper, method) for method in paper.methods(1) if method not in _NOT_CONSTITUENTS}


def fold_size(paper: Paper) -> float:
    """Return the number of images in a fold."""
    images, folds = paper.values("images", "folds")
    return images / folds


def whole(values: list[float], step: float = 1) -> bool:
    """Return whether all values are multiples of a step."""
    return all(abs(value / step - round(value / step)) < _SLACK for value in values)


def design(paper: Paper) -> Iterator[Row]:
    images, classes, folds, seeds = paper.values("images", "classes", "folds", "seeds")
    place = paper.place("carcinomas", "images")
    balanced = 2 * images / classes
    yield number("carcinomas", "carcinomas if the four classes are balanced", place, paper.text("carcinomas"), balanced)
    shown = len(constituents(paper)) * folds * seeds
    yield number(
        "models_shown",
        "models behind the rows of Table 1",
        f"{paper.place('models')}; Table 1",
        paper.text("models"),
        shown,
        f"Table 1 has crops of one scale only, so half of the {paper.text('models')} models are in no result; the "
        f"published code trains {paper.text('models_run')}.",
    )


def steps(paper: Paper) -> Iterator[Row]:
    """Are the cells of Table 1 whole numbers of images, or means over five seeds?"""
    one_image, seeds = 100 / fold_size(paper), float(paper.text("seeds"))
    fused, single = cells(paper, "fusion"), sum(constituents(paper).values(), [])
    for id, check, values, step in (
        ("fusion_steps", "cells of the fusion are whole numbers of images in a fold", fused, one_image),
        ("constituent_steps", "cells of the constituents are means over five seeds", single, one_image / seeds),
    ):
        yield row(id, check, "Table 1", "all", f"steps of {step:g}", whole(values, step))
    off = sum(not whole([value], one_image) for value in single)
    yield row(
        "seeds_averaged",
        "cells of the constituents are accuracies of models averaged over their seeds",
        "Results; Table 1",
        paper.text("seeds_help"),
        f"{off} of {len(single)} cells are no whole number of images",
        off == 0,
        "Those cells can only be means of five accuracies. So the rows show what a single seed reaches on average, and "
        "do not hold the gain that is said to come from averaging the seeds.",
    )
    right, images = fmean(fused) / 100 * float(paper.text("images")), paper.text("images")
    check, printed = "accuracy of the fusion is a whole number of images", f"{paper.text('accuracy')} %"
    yield row("fusion_images", check, "Table 1; Results", printed, f"{right:g} of {images}", whole([right]))


def means(paper: Paper) -> Iterator[Row]:
    for method, values in (constituents(paper) | {"fusion": cells(paper, "fusion")}).items():
        mean = fmean(values)
        tie = whole([20 * mean]) and not whole([mean], 0.1)
        remark = "Half way between two printed numbers." if tie else ""
        check = f"mean over the folds, {method}"
        yield number(f"mean_{_id(method)}", check, "Table 1", paper.text(f"1/{method}/mean"), mean, remark)


def _id(method: str) -> str:
    return method.lower().replace("-", "_")


def spreads_of_rows(paper: Paper) -> Iterator[Row]:
    """Do the standard deviations over the folds follow from the cells?"""
    values = cells(paper, "fusion")
    check, remark = (
        "standard deviation over the folds, fusion",
        "Divided by the number of folds; divided by one less it is",
    )
    yield number(
        "std_fusion", check, "Table 1", paper.text("1/fusion/std"), pstdev(values), f"{remark} {stdev(values):.2f}."
    )
    for method, values in constituents(paper).items():
        printed, less = paper.text(f"1/{method}/std"), stdev(values)
        yield number(
            f"std_{_id(method)}",
            f"standard deviation over the folds, {method}",
            "Table 1",
            printed,
            pstdev(values),
            "Agrees if divided by one less, unlike the row of the fusion, or if seeds are counted too (log)."
            if agrees(printed, less)
            else f"Divided by one less it is {less:.2f}; what is printed is larger: seeds are counted too (log).",
        )
        least = least_spread(values, 100 / fold_size(paper))
        check, found = f"standard deviation over folds and seeds, {method}", f"at least {least:.2f}"
        yield row(f"std_seeds_{_id(method)}", check, "Table 1", printed, found, rounding(printed).high >= least)


def least_spread(values: list[float], one_image: float) -> float:
    """Return the least deviation of all accuracies of folds and seeds whose means over the seeds are a row's cells.

    Seeds differ by whole images, so a cell between two whole numbers of images needs seeds on both sides of it.
    """
    between = [value / one_image % 1 for value in values]
    within = fmean(one_image**2 * share * (1 - share) for share in between)
    return sqrt(pstdev(values) ** 2 + within)


def spreads_of_columns(paper: Paper) -> Iterator[Row]:
    singles = constituents(paper).values()
    found = [pstdev(column) for column in zip(*singles, strict=True)]
    for k, spread in enumerate(found, start=1):
        check = f"standard deviation over the six constituents, fold {k}"
        yield number(f"std_fold_{k}", check, "Table 1", paper.text(f"1/std/f{k}"), spread)
    remark = f"The mean of the ten deviations; the six means themselves deviate by {pstdev(map(fmean, singles)):.1f}."
    yield number("std_mean", "mean of the row std", "Table 1", paper.text("1/std/mean"), fmean(found), remark)


def gains(paper: Paper) -> Iterator[Row]:
    """What the text says of the fusion's gain and steadiness."""
    best, singles = fmean(cells(paper, "fusion")), [fmean(values) for values in constituents(paper).values()]
    low, high = paper.values("fusion_gain_low", "fusion_gain_high")
    for id, unit, found in (
        ("points", "points", [best - single for single in singles]),
        ("percent", "percent of the constituent's accuracy", [100 * (best / single - 1) for single in singles]),
    ):
        inside = sum(low - 0.5 <= gain < high + 0.5 for gain in found)
        yield row(
            f"gain_in_{id}",
            f"gain of the fusion over each constituent, in {unit}",
            f"{paper.place('fusion_gain_low')}; Table 1",
            f"{low:g} to {high:g}",
            f"{min(found):.1f} to {max(found):.1f}",
            inside == len(found),
            f"Of the {len(found)} gains, {inside} round into the range. Over the mean of the constituents the gain is "
            f"{best - fmean(singles):.1f} points.",
        )
    printed = fmean(paper.values(*(f"1/{method}/std" for method in constituents(paper))))
    fused, alike = pstdev(cells(paper, "fusion")), fmean(map(pstdev, constituents(paper).values()))
    yield number(
        "steadier",
        "average standard deviation of the constituents, as printed, over that of the fusion",
        f"{paper.place('steadier')}; Table 1",
        paper.text("steadier"),
        Range(printed / fused, (printed - 0.05) / (fused + 0.05), (printed + 0.05) / (fused - 0.05)),
        "Rounds to two. But the printed ones are not computed alike: from the ten cells of each row the ratio is "
        f"{alike / fused:.2f}.",
    )


def chance(paper: Paper) -> Iterator[Row]:
    """Do folds of this size differ as much as they would if images fell into them at random?"""
    folds, size = float(paper.text("folds")), fold_size(paper)
    for id, what, accuracy, spread in (
        ("fusion", "fusion", fmean(cells(paper, "fusion")), "1/fusion/std"),
        ("two_class", "carcinoma or not", float(paper.text("two_class_accuracy")), "two_class_std"),
    ):
        expected, printed = sqrt(accuracy * (100 - accuracy) / size), rounding(paper.text(spread))
        low, high = (expected * sqrt(chi2.ppf(share, folds - 1) / folds) for share in (0.025, 0.975))
        rarity = 1 / chi2.cdf(folds * (printed.value / expected) ** 2, folds - 1)
        yield row(
            f"chance_{id}",
            f"standard deviation over ten folds that chance alone gives, {what}",
            paper.place(spread),
            paper.text(spread),
            f"{low:.1f} to {high:.1f} in 19 of 20 cases",
            printed.high >= low and printed.low <= high,
            f"Folds of {size:.0f} images drawn at random would be as alike as this once in {rarity:.0f} times. A "
            "spread over ten folds is a matter of luck too, and no interval of an accuracy.",
            NOT_STATED,
        )


def set_points(paper: Paper) -> Iterator[Row]:
    """Carcinoma or not: which images are behind the rates of the set points?"""
    carcinomas, images = paper.values("carcinomas", "images")
    right = {}
    for point, rates in _POINTS.items():
        shares = [share / 100 for share in paper.values(*rates)]
        name, found = paper.text(point), (carcinomas * shares[0], (images - carcinomas) * shares[1])
        right[name] = found
        yield row(
            point,
            f"sensitivity and specificity at set point {name} are whole numbers of images",
            "Fig. 4a",
            " and ".join(f"{rate} %" for rate in paper.texts(*rates)),
            " and ".join(f"{count:g} of {carcinomas:g}" for count in found),
            all(abs(count - round(count)) < 1e-6 for count in found),
        )
    missed = {name: carcinomas - count for name, (count, _) in right.items()}
    kinds = sum(paper.values("missed_in_situ", "missed_invasive"))
    accuracy = {name: 100 * sum(found) / images for name, found in right.items()}
    for id, check, ids, found, fits in (
        (
            "missed_at_point",
            "missed carcinomas belong to a set point",
            ("missed_in_situ", "missed_invasive"),
            ", ".join(f"{count:g} at {name}" for name, count in missed.items()),
            [name for name, count in missed.items() if abs(count - kinds) < 1e-6],
        ),
        (
            "accuracy_at_point",
            "accuracy belongs to a set point",
            ("two_class_accuracy",),
            ", ".join(f"{share:.2f} at {name}" for name, share in accuracy.items()),
            [name for name, share in accuracy.items() if agrees(paper.text("two_class_accuracy"), share)],
        ),
    ):
        remark = f"To {' and '.join(fits)}; the text does not say so."
        place = f"{paper.place(*ids)}; Fig. 4a"
        yield row(id, check, place, " and ".join(paper.texts(*ids)), found, bool(fits), remark)
    low, high = area(paper)
    auc, remark = rounding(paper.text("auc")), "Between the points the curve may lie anywhere."
    check, place, found = (
        "area under an ROC curve through both set points",
        "Results; Fig. 4a",
        f"{low:.3f} to {high:.3f}",
    )
    yield row("auc", check, place, paper.text("auc"), found, low <= auc.high and auc.low <= high, remark)


def area(paper: Paper) -> tuple[float, float]:
    """Return the least and the greatest area under a rising curve through the set points."""
    rates = [paper.values(*pair) for pair in _POINTS.values()]
    path = [
        (0.0, 0.0),
        *sorted((1 - specificity / 100, sensitivity / 100) for sensitivity, specificity in rates),
        (1.0, 1.0),
    ]
    pairs = list(zip(path, path[1:], strict=False))
    return sum((b[0] - a[0]) * a[1] for a, b in pairs), sum((b[0] - a[0]) * b[1] for a, b in pairs)


def published_answers(paper: Paper) -> Iterator[Row]:
    """Checks against the answers for each image that the authors published."""
    rows, two = authors.answers(), authors.carcinoma()
    missed = leftout.missed(rows, CLASSES)["missed"].droplevel("method")
    in_fold = (two["p_1"] >= 0.5).eq(two["y_true"]).groupby(two["fold"]).mean() * 100
    points = {paper.text(name): rates for name, rates in _POINTS.items()}
    at = {point: metrics.operating_point(two["y_true"], two["p_1"], float(point)) for point in points}
    found = {
        "accuracy": metrics.per_fold(rows).at["fusion", "mean"],
        "missed_in_situ": float(missed["in_situ"]),
        "missed_invasive": float(missed["invasive"]),
        "two_class_accuracy": in_fold.mean(),
        "two_class_std": in_fold.std(ddof=0),
        "auc": metrics.scores(two["y_true"], two["p_1"])["auc"],
    }
    meanings = reported.claims(paper.name).set_index("id")["meaning"]
    for point, rates in points.items():
        for id, rate in zip(rates, ("sensitivity", "specificity"), strict=True):
            found[id], meanings[id] = 100 * at[point][rate], f"{rate} at the set point {point}"
    for id, value in found.items():
        place = f"{paper.place(id)}; authors' published answers"
        yield number(f"answers_{id}", meanings[id], place, paper.text(id), value, otherwise=OUTSIDE)


def published_log(paper: Paper) -> Iterator[Row]:
    """Checks against the accuracies of single models by fold and seed that the authors published."""
    log, place = authors.accuracies(), "Table 1; authors' published log"
    single = {name: rows for name, rows in log.groupby("method", sort=False) if name in constituents(paper)}
    for method, rows in single.items():
        means, printed = rows.groupby("fold")["accuracy"].mean(), cells(paper, method)
        same = sum(abs(one - other) < _SLACK for one, other in zip(means, printed, strict=True))
        check, whole_row = f"cells as means of five seeds, {method}", f"{len(printed)} cells"
        yield row(f"log_cells_{_id(method)}", check, place, whole_row, f"{same} the same", same == len(printed))
        fifty, text = rows["accuracy"].tolist(), paper.text(f"1/{method}/std")
        yield number(
            f"log_std_{_id(method)}",
            f"standard deviation over folds and seeds, {method}",
            place,
            text,
            pstdev(fifty),
            f"Of 50 accuracies, divided by 50; divided by 49 it is {stdev(fifty):.2f}.",
            OUTSIDE,
        )


CHECKS = [
    design,
    steps,
    means,
    spreads_of_rows,
    spreads_of_columns,
    gains,
    chance,
    set_points,
    published_answers,
    published_log,
]
