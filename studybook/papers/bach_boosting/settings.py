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


def encoder(backbone: keras.Model, side: int | None, windows: bool = False) -> keras.Model:
    """Maps crops of any size to descriptors, pooled as the paper does; `side` as of `features.extractor`.

    With `windows` ResNet-50 averages windows of 7×7 places first and drops what is left over, as Keras did before
    version 2.2.

    Raises
    ------
    ValueError
        If a `side` is too small for one window: each place is 32 pixels wide.
    """
    shape = (None, None, 3)
    if not (windows and backbone.name == "resnet50"):
        return features.extractor(backbone, shape, "average" if backbone.name in _LAST_MAPS else "blocks", side)
    if side and side < 7 * 32:
        raise ValueError(f"encode_side={side}: a window is {7 * 32} pixels wide; expected at least that, or 0")
    maps = features.extractor(backbone, shape, None, side)
    pooled = keras.layers.AveragePooling2D(7, name="windows")(maps.output)
    return keras.Model(maps.input, keras.layers.GlobalAveragePooling2D()(pooled), name="resnet50_windows")


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
