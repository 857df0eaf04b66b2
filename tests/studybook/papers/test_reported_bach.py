"""The published numbers of the BACH paper."""

import numpy as np
import pandas as pd
import pytest

from histolib import metrics
from histolib.descriptors import boosting
from histolib.metrics import predictions
from studybook.published import reported

PAPER = "bach_boosting"
CLASSES = ("normal", "benign", "in_situ", "invasive")


def test_cells_of_table_1_add_up():
    table = reported.table(PAPER, 1).set_index("method")
    singles = [f"{encoder}-{size}" for encoder in ("ResNet", "VGG", "Inception") for size in (400, 650)]
    assert table.index.tolist() == [*singles, "std", "fusion"]
    # Added up from the paper by column; the row of the fusion makes 349 of 400 images, in steps of 2.5 %.
    columns = [544, 494, 477.5, 528, 494.5, 484, 497, 497, 502.5, 482]
    assert table.loc[singles, table.columns[:10]].sum().tolist() == columns
    assert table.loc["fusion", table.columns[:10]].sum() == 872.5


def test_setting_of_the_boosting_is_the_one_that_is_used():
    found = reported.outside(PAPER).set_index("id")["value"]
    used = boosting.AS_RUN
    names = {
        "rounds": "num_iterations", "learning_rate": "learning_rate", "leaves": "num_leaves", "depth": "max_depth",
        "feature_fraction": "feature_fraction", "bagging_fraction": "bagging_fraction",
        "bagging_frequency": "bagging_freq",
    }  # fmt: skip
    assert {key: found[f"boosting_{key}"] for key in names} == {key: used[name] for key, name in names.items()}


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    """The authors' published answers for 400 images, certain of one class each."""
    rows = [
        (k, j)
        for k, true in enumerate(CLASSES)
        for j, called in enumerate(CLASSES)
        for _ in range(int(reported.value(PAPER, f"answers_{true}_{called}")))
    ]
    truth, called = np.array(rows).T
    manifest = pd.DataFrame({"image_id": range(len(rows)), "patient": range(len(rows)), "label": truth})
    return predictions.table("fusion", manifest, np.eye(4)[called])


def test_published_answers_give_the_published_results(answers):
    assert answers["y_true"].value_counts().tolist() == [100] * 4
    assert metrics.per_fold(answers).at["fusion", "mean"] == 87.25
    two = predictions.two_classes(answers)
    point = metrics.operating_point(two["y_true"], two["p_1"], 0.5)
    assert point[["sensitivity", "specificity", "accuracy"]].tolist() == [0.93, 0.945, 0.9375]
    assert metrics.missed(answers, CLASSES)["missed"].tolist() == [9, 5]
    matrix = metrics.confusion(answers["y_true"], predictions.scores_of(answers), percent=False)
    assert matrix.to_numpy()[1].tolist() == [8, 81, 2, 9]
