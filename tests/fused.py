"""Made-up answers of two encoders at two crop sizes, as several tests fuse them."""

import numpy as np
import pandas as pd

from studybook.papers.bach_boosting import findings

MANIFEST = pd.DataFrame({"image_id": ["a", "b", "c"], "patient": ["7", "7", "8"], "label": [0, 1, 1]})
FOLD = np.array([1, 2, 1])


def one_class(answers) -> np.ndarray:
    """Probabilities (seeds, images, augmentations, 2) from those of class 1."""
    p = np.asarray(answers, float)
    return np.stack([1 - p, p], -1)


def rows(seed=0, seeds=2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    names = [f"{encoder}-{size}" for encoder in ("ResNet", "VGG") for size in (400, 650)]
    draws = {name: one_class(rng.random((seeds, 3, 4))) for name in names}
    return pd.concat(
        [findings.of_seeds(name, MANIFEST, p, FOLD, range(seeds)) for name, p in draws.items()], ignore_index=True
    )
