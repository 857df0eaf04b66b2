"""Gradient-boosted trees (LightGBM) on descriptors of images, all descriptors of an image on one side of a split."""

from histolib.descriptors.boosting.trees import AS_RUN, PARAMETERS, name, predict
from histolib.descriptors.boosting.tuning import GRID, TUNE, tune
from histolib.descriptors.boosting.validation import CrossValidation, cross_validate

__all__ = [
    "AS_RUN",
    "GRID",
    "PARAMETERS",
    "TUNE",
    "CrossValidation",
    "cross_validate",
    "name",
    "predict",
    "tune",
]
