"""Scores recomputed from other scores, and what they imply about the test data."""

from __future__ import annotations

import math


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def from_confusion(tp: float, fp: float, tn: float, fn: float) -> dict[str, float]:
    """Compute the usual scores from a confusion matrix of two classes.

    Parameters
    ----------
    tp, fp, tn, fn : float
        True positives, false positives, true negatives, false negatives: counts or shares in one common unit.

    Returns
    -------
    dict of str to float
        ``accuracy, balanced_accuracy, precision, sensitivity, specificity, f1`` (of the positive class), the
        means over both classes ``precision_macro, f1_macro`` and the means weighted by class size
        ``precision_weighted, f1_weighted``, ``prevalence`` (share of positives) and ``total`` (unit of the
        input). A score without a case to judge it by is NaN.

    Raises
    ------
    ValueError
        If an entry is negative or all are zero.
    """
    if min(tp, fp, tn, fn) < 0 or tp + fp + tn + fn == 0:
        raise ValueError(f"confusion matrix tp={tp}, fp={fp}, tn={tn}, fn={fn}: entries must be >= 0, not all 0")
    total = tp + fp + tn + fn
    share = (tp + fn) / total
    precision, negative_precision = _ratio(tp, tp + fp), _ratio(tn, tn + fn)
    sensitivity, specificity = _ratio(tp, tp + fn), _ratio(tn, tn + fp)
    f1, negative_f1 = _ratio(2 * tp, 2 * tp + fp + fn), _ratio(2 * tn, 2 * tn + fp + fn)
    return {
        "accuracy": (tp + tn) / total,
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "precision": precision,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "f1": f1,
        "precision_macro": (precision + negative_precision) / 2,
        "f1_macro": (f1 + negative_f1) / 2,
        "precision_weighted": share * precision + (1 - share) * negative_precision,
        "f1_weighted": share * f1 + (1 - share) * negative_f1,
        "prevalence": share,
        "total": total,
    }


def at_prevalence(sensitivity: float, specificity: float, prevalence: float) -> dict[str, float]:
    """Return the scores of `from_confusion` for the same classifier where positives have another share.

    Sensitivity and specificity do not depend on how common the positive class is; precision, F1 and accuracy
    do.

    Parameters
    ----------
    sensitivity, specificity, prevalence : float
        Each between 0 and 1.
    """
    positives, negatives = prevalence, 1 - prevalence
    return from_confusion(
        tp=positives * sensitivity,
        fp=negatives * (1 - specificity),
        tn=negatives * specificity,
        fn=positives * (1 - sensitivity),
    )


def recall_from_f1(precision: float, f1: float) -> float:
    """Solve F1 = 2 P R / (P + R) for the recall R.

    Raises
    ------
    ValueError
        If no recall gives this F1 (an F1 of twice the precision or more, or a precision outside 0 to 1).
    """
    if not 0 < precision <= 1 or not 0 < f1 < 2 * precision:
        raise ValueError(f"precision {precision}, F1 {f1}: needed 0 < precision <= 1 and 0 < F1 < 2 * precision")
    return f1 * precision / (2 * precision - f1)


def implied_prevalence(precision: float, f1: float, accuracy: float, definition: str = "accuracy") -> float:
    """Return the share of positives that makes three published scores true together.

    Precision and F1 fix the recall R. With prevalence q and specificity S, precision is P = q R / (q R + (1 -
    q) (1 - S)). The third score then fixes q: accuracy = q R + (1 - q) S, or balanced accuracy = (R + S) / 2.

    Parameters
    ----------
    precision, f1, accuracy : float
        The published scores, 0 to 1.
    definition : {"accuracy", "balanced"}
        What the third score is taken to be.

    Returns
    -------
    float
        The prevalence. A value outside 0 to 1 says that no data set can give these three scores.

    Raises
    ------
    ValueError
        If the definition is unknown, or no recall gives this precision and F1.
    """
    recall = recall_from_f1(precision, f1)
    false_per_true = (1 - precision) / precision
    if definition == "accuracy":
        return _ratio(1 - accuracy, (1 - recall) + recall * false_per_true)
    if definition == "balanced":
        fall_out = 1 - (2 * accuracy - recall)
        odds = _ratio(fall_out, recall * false_per_true)
        return _ratio(odds, 1 + odds) if math.isfinite(odds) else math.nan
    raise ValueError(f'definition {definition!r} is unknown; use "accuracy" or "balanced"')
