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


def test_citation():
    paper = reported.paper(PAPER)
    assert paper["key"] == "Rakhlin2018" and paper["year"] == 2018 and len(paper["authors"]) == 4


def test_table_1_is_complete():
    table = reported.table(PAPER, 1).set_index("method")
    assert table.columns.tolist() == [*(f"f{k}" for k in range(1, 11)), "mean", "std"]
    singles = [f"{encoder}-{size}" for encoder in ("ResNet", "VGG", "Inception") for size in (400, 650)]
    assert table.index.tolist() == [*singles, "std", "fusion"]
    assert table.loc["fusion"].tolist() == [92.5, 82.5, 87.5, 87.5, 87.5, 90, 85, 87.5, 87.5, 85, 87.2, 2.6]
    assert table.loc["Inception-400", ["f1", "f3", "mean", "std"]].tolist() == [93, 71.5, 83, 6.5]
    # A sum over all cells of the constituents, added up from the paper by column.
    columns = [544, 494, 477.5, 528, 494.5, 484, 497, 497, 502.5, 482]
    assert table.loc[singles, table.columns[:10]].sum().tolist() == columns
    assert np.isnan(table.at["std", "std"]) and table.at["std", "mean"] == 3
    assert reported.printed(PAPER, 1).set_index("method").at["ResNet-400", "f1"] == "92.0"


def test_set_points_of_figure_4a():
    points = reported.figure(PAPER, "4a").set_index("set_point")
    assert points.loc[0.33].tolist() == [96.5, 88.0] and points.loc[0.5].tolist() == [93.0, 94.5]
    with pytest.raises(LookupError, match="figure 4b .*image"):
        reported.figure(PAPER, "4b")


def test_claims_and_settings():
    value = reported.claims(PAPER).set_index("id")["value"]
    assert value[["accuracy", "accuracy_std", "two_class_accuracy", "two_class_std"]].tolist() == [87.2, 2.6, 93.8, 2.3]
    assert value[["auc", "missed_in_situ", "missed_invasive", "models"]].tolist() == [0.973, 9, 5, 600]
    setting = reported.settings(PAPER).set_index("id")["value"]
    crops = ["full_crop_small", "full_crop_large", "half_crop_small", "half_crop_large", "crops"]
    assert setting[crops].tolist() == [800, 1300, 400, 650, 20]
    assert setting[["color_augmentations", "stain_low", "stain_high", "pooling_p", "folds", "seeds"]].tolist() == [
        50, 0.7, 1.3, 3, 10, 5,
    ]  # fmt: skip


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
