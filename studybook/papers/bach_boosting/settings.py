"""How encoders are named and pooled; the settings of the boosted trees beside the published ones."""

from collections.abc import Mapping

import keras
import pandas as pd

from histolib.models import features
from studybook.published import reported

_SHORT = {"resnet50": "ResNet", "vgg16": "VGG", "inceptionv3": "Inception"}
_LAST_MAPS = ("resnet50", "inceptionv3")  # Fig. 3; of any other the last four blocks, as of VGG-16

# LightGBM's name of a setting, and the id of the published one.
PUBLISHED = {
    "num_iterations": "boosting_rounds",
    "learning_rate": "boosting_learning_rate",
    "num_leaves": "boosting_leaves",
    "max_depth": "boosting_depth",
    "feature_fraction": "boosting_feature_fraction",
    "bagging_fraction": "boosting_bagging_fraction",
    "bagging_freq": "boosting_bagging_frequency",
}


# The classes, in the order of their numbers, as a submission to the challenge names them.
ANSWERS = ("Normal", "Benign", "InSitu", "Invasive")


def short(encoder: str, width: float = 1.0) -> str:
    """Name of an encoder in tables: the published one, ``Lite0`` and so on for EfficientNet-Lite; with its width."""
    name = _SHORT.get(encoder, encoder.removeprefix("efficientnet_").capitalize())
    return name if width == 1 else f"{name} (width {width:g})"


def encoder(backbone: keras.Model, side: int | None) -> keras.Model:
    """Maps crops of any size to descriptors, pooled as the paper does; `side` as of `features.extractor`."""
    pooling = "average" if backbone.name in _LAST_MAPS else "blocks"
    return features.extractor(backbone, (None, None, 3), pooling, side)


def beside(used: Mapping) -> pd.DataFrame:
    """Settings of LightGBM (index) with ``meaning``, ``published`` (text, as printed) and ``this run``.

    Parameters
    ----------
    used
        Names and values as LightGBM has them, each of `PUBLISHED` among them.
    """
    facts = reported.outside("bach_boosting").set_index("id").loc[list(PUBLISHED.values())]
    rows = {"meaning": facts["meaning"].to_numpy(), "published": facts["printed"].to_numpy()}
    return pd.DataFrame(rows | {"this run": [f"{used[name]:g}" for name in PUBLISHED]}, index=list(PUBLISHED))
