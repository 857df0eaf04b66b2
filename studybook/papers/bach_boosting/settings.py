"""The settings of the boosted trees beside the published ones."""

from collections.abc import Mapping

import pandas as pd

from studybook.published import reported

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
