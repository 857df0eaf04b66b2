"""Plain classifiers that learn or are chosen in ways that a study may not notice, and what they learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from histolib.descriptors import classifiers


def chosen_on_test(learned: np.ndarray, labels: np.ndarray, shown: np.ndarray, answers: np.ndarray, seed: int):
    """A logistic regression of the penalty with the largest AUC on the test part itself, `shown` and `answers`."""
    tried = {}
    for penalty in classifiers.CLASSIFIERS["logistic"].grid["classifier__C"]:
        tried[penalty] = classifiers.make("logistic", seed).set_params(classifier__C=penalty).fit(learned, labels)
    best = max(tried, key=lambda one: roc_auc_score(answers, tried[one].predict_proba(shown)[:, 1]))
    tried[best].best_ = {"C": best}
    return tried[best]


def acquisition(images: np.ndarray) -> np.ndarray:
    """What film, scanner and storage leave in a region, (N, 6), whatever it shows.

    Parameters
    ----------
    images
        uint8, (N, H, W, 3), of three equal channels.

    Returns
    -------
    ndarray
        Mean and standard deviation of the gray levels, share of levels that occur, share of pixels at level 0, and the
        mean step between neighboring pixels and between pixels four apart, whose ratio tells sharpness from noise.
    """
    found = []
    for image in images:
        gray = image[..., 0].astype(np.float32)
        steps = [np.abs(gray[:, k:] - gray[:, :-k]).mean() for k in (1, 4)]
        found.append([gray.mean(), gray.std(), len(np.unique(image[..., 0])) / 256, (gray == 0).mean(), *steps])
    return np.array(found)


def joined(tables: Mapping[str, pd.DataFrame], rows: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """These rows of several sets' tables one below the other, patients and images named after their set."""
    parts = [tables[name].iloc[chosen].assign(source=name) for name, chosen in rows.items()]
    whole = pd.concat(parts, ignore_index=True)
    return whole.assign(**{name: whole["source"] + " " + whole[name].astype(str) for name in ("patient", "image_id")})
