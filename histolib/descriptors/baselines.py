"""Simple methods that a network has to beat before it may be called useful."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from histolib.descriptors import color


def color_forest(images: np.ndarray, labels, seed: int, trees: int = 300) -> Pipeline:
    """A random forest on color histograms (`color.rgb_histogram`), which know nothing of where a color is.

    Parameters
    ----------
    images
        uint8, (N, H, W, 3).
    labels
        Classes, (N,).
    seed, trees
        Seed of the forest, and its number of trees.

    Returns
    -------
    sklearn Pipeline
        Fitted; ``predict_proba(images)`` gives (N, classes).
    """
    forest = RandomForestClassifier(trees, min_samples_leaf=2, random_state=seed, n_jobs=-1)
    return make_pipeline(FunctionTransformer(color.rgb_histogram), forest).fit(images, labels)
