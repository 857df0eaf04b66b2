"""Carcinoma or not: rates, counts, the area under the curve, and the authors' published answers."""

from __future__ import annotations

from statistics import fmean, pstdev

from studybook.published import reported
from studybook.published.intervals import Range, agrees, rounding, worst_case
from studybook.published.report import Paper, Row, number

CLASSES = ("normal", "benign", "in_situ", "invasive")
# Each set point with its sensitivity and its specificity.
_POINTS = {
    "high_sensitivity_point": ("high_sensitivity", "high_sensitivity_specificity"),
    "middle_point": ("middle_sensitivity", "middle_specificity"),
}


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the decision between carcinoma and no carcinoma."""
    return [*_counts(paper), *_abstract(paper), *_answers(paper)]


def _points(paper: Paper) -> dict[str, tuple[float, float]]:
    """Return, for each set point as printed, the images called rightly among the carcinomas and among the others."""
    positives = float(paper.text("carcinomas"))
    negatives = float(paper.text("images")) - positives
    return {
        paper.text(point): (positives * float(paper.text(a)) / 100, negatives * float(paper.text(b)) / 100)
        for point, (a, b) in _POINTS.items()
    }


def _counts(paper: Paper) -> list[Row]:
    points, carcinomas, images = _points(paper), paper.text("carcinomas"), float(paper.text("images"))
    figure = reported.figure(paper.name, "4a").to_numpy().tolist()
    said = [[float(paper.text(id)) for id in (point, *rates)] for point, rates in _POINTS.items()]
    rows = [
        Row(
            "set points with their sensitivity and specificity",
            "Fig. 4a; Results",
            "; ".join(" ".join(f"{value:g}" for value in point) for point in figure),
            "; ".join(" ".join(f"{value:g}" for value in point) for point in said),
            figure == said,
        )
    ]
    for (point, found), rates in zip(points.items(), _POINTS.values(), strict=True):
        rows.append(
            Row(
                f"sensitivity and specificity at set point {point} are whole numbers of images",
                "Fig. 4a",
                " and ".join(f"{paper.text(id)} %" for id in rates),
                " and ".join(f"{count:g} of {carcinomas}" for count in found),
                all(abs(count - round(count)) < 1e-6 for count in found),
            )
        )
    kinds = [paper.text(f"missed_{kind}") for kind in ("in_situ", "invasive")]
    missed = {point: float(carcinomas) - found for point, (found, _) in points.items()}
    fits = [point for point, count in missed.items() if abs(count - sum(map(float, kinds))) < 1e-6]
    rows.append(
        Row(
            "missed carcinomas belong to a set point",
            f"{paper.place('missed_in_situ')}; Fig. 4a",
            " and ".join(kinds),
            ", ".join(f"{count:g} at {point}" for point, count in missed.items()),
            bool(fits),
            f"To {' and '.join(fits)}; the text does not say so.",
        )
    )
    printed = paper.text("two_class_accuracy")
    right = {point: 100 * sum(found) / images for point, found in points.items()}
    fits = [point for point, share in right.items() if agrees(printed, share)]
    rows.append(
        Row(
            "accuracy belongs to a set point",
            f"{paper.place('two_class_accuracy')}; Fig. 4a",
            printed,
            ", ".join(f"{share:.2f} at {point}" for point, share in right.items()),
            bool(fits),
            f"To {' and '.join(fits)}; the text does not say so.",
        )
    )
    low, high = _area(paper)
    auc = rounding(paper.text("auc"))
    rows.append(
        Row(
            "area under an ROC curve through both set points",
            f"{paper.place('auc')}; Fig. 4a",
            paper.text("auc"),
            f"{low:.3f} to {high:.3f}",
            low <= auc.high and auc.low <= high,
            "Between the points the curve may lie anywhere.",
        )
    )
    return rows


def _area(paper: Paper) -> tuple[float, float]:
    """Return the least and the greatest area under a rising curve through the set points."""
    points = sorted((1 - float(paper.text(b)) / 100, float(paper.text(a)) / 100) for a, b in _POINTS.values())
    path = [(0.0, 0.0), *points, (1.0, 1.0)]
    steps = list(zip(path, path[1:], strict=False))
    return sum((b[0] - a[0]) * a[1] for a, b in steps), sum((b[0] - a[0]) * b[1] for a, b in steps)


def _abstract(paper: Paper) -> list[Row]:
    same = (
        ("abstract_two_class_accuracy", "two_class_accuracy", "accuracy"),
        ("abstract_sensitivity", "high_sensitivity", "sensitivity at the point of high sensitivity"),
        ("abstract_specificity", "high_sensitivity_specificity", "specificity at the point of high sensitivity"),
    )
    rows = [
        number(
            f"{what}, carcinoma or not", f"Abstract; {paper.place(id)}", paper.text(abstract), rounding(paper.text(id))
        )
        for abstract, id, what in same
    ]
    rows.append(
        number(
            "area under the ROC curve in percent",
            f"Abstract; {paper.place('auc')}",
            paper.text("abstract_auc"),
            worst_case(lambda share: 100 * share, float(paper.text("auc"))),
        )
    )
    rates = [float(paper.text(f"abstract_{name}")) for name in ("sensitivity", "specificity")]
    rows.append(
        number(
            "accuracy, sensitivity and specificity of the abstract belong to one set point",
            "Abstract",
            paper.text("abstract_two_class_accuracy"),
            worst_case(lambda a, b: (a + b) / 2, *rates),
            "With classes of equal size the accuracy is the mean of the two rates. The abstract joins the accuracy of "
            "one set point with the rates of another.",
        )
    )
    return rows


def _answers(paper: Paper) -> list[Row]:
    """Return the checks against the answers for each image that the authors published."""
    count = {(true, called): float(paper.text(f"answers_{true}_{called}")) for true in CLASSES for called in CLASSES}
    source = "authors' published answers"
    right = sum(count[name, name] for name in CLASSES)
    share = 100 * right / float(paper.text("images"))
    rows = [
        number(
            "accuracy of the fusion, four classes",
            f"{paper.place('accuracy')}; {source}",
            paper.text("accuracy"),
            Range(share, share, share),
            f"{right:.0f} images.",
        )
    ]
    for kind in ("in_situ", "invasive"):
        missed = sum(count[kind, called] for called in ("normal", "benign"))
        rows.append(
            number(
                f"{kind.replace('_', ' ')} carcinomas called normal or benign",
                f"{paper.place(f'missed_{kind}')}; {source}",
                paper.text(f"missed_{kind}"),
                Range(missed, missed, missed),
            )
        )
    alarms = sum(count[true, called] for true in CLASSES[:2] for called in CLASSES[2:])
    negatives = sum(count[true, called] for true in CLASSES[:2] for called in CLASSES)
    rows.append(
        number(
            "specificity where the most probable class decides",
            f"{paper.place('middle_specificity')}; {source}",
            paper.text("middle_specificity"),
            worst_case(lambda false, all: 100 * (1 - false / all), alarms, negatives),
        )
    )
    folds = [float(value) for value in paper.text("two_class_folds").split(",")]
    rows += [
        number(
            "accuracy over the folds, carcinoma or not",
            f"{paper.place('two_class_accuracy')}; authors' published code",
            paper.text("two_class_accuracy"),
            Range(*[fmean(folds)] * 3),
        ),
        number(
            "standard deviation over the folds, carcinoma or not",
            f"{paper.place('two_class_std')}; authors' published code",
            paper.text("two_class_std"),
            Range(*[pstdev(folds)] * 3),
        ),
    ]
    return rows
