"""How good predictions are, and how sure one can be of it."""

from histolib.metrics.by_method import one_answer, per_fold
from histolib.metrics.classification import confusion, operating_point, roc, scores
from histolib.metrics.patients import patient_scores, recognition_intervals, recognition_rate
from histolib.metrics.resampling import bootstrap, difference, differences, summary

__all__ = [
    "bootstrap",
    "confusion",
    "difference",
    "differences",
    "one_answer",
    "operating_point",
    "patient_scores",
    "per_fold",
    "recognition_intervals",
    "recognition_rate",
    "roc",
    "scores",
    "summary",
]
