import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from histolib import metrics, predictions


def table(y, p, patients=None, method="m"):
    manifest = pd.DataFrame(
        {
            "image_id": [f"i{k}" for k in range(len(y))],
            "patient": patients if patients is not None else [f"p{k}" for k in range(len(y))],
            "label": y,
        }
    )
    return predictions.table(method, manifest, p)


@pytest.fixture
def binary():
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, 400)
    return y, np.clip(0.3 * y + rng.random(400) * 0.7, 0, 1).round(2), rng.integers(1, 4, 400)


@pytest.mark.parametrize("weighted", [False, True])
def test_scores_equal_scikit_learn(binary, weighted):
    y, p, w = binary
    weight = w if weighted else None
    called = (p >= 0.5).astype(int)
    expected = {
        "accuracy": reference.accuracy_score(y, called, sample_weight=weight),
        "balanced_accuracy": reference.balanced_accuracy_score(y, called, sample_weight=weight),
        "precision": reference.precision_score(y, called, sample_weight=weight),
        "sensitivity": reference.recall_score(y, called, sample_weight=weight),
        "specificity": reference.recall_score(y, called, pos_label=0, sample_weight=weight),
        "f1": reference.f1_score(y, called, sample_weight=weight),
        "macro_f1": reference.f1_score(y, called, average="macro", sample_weight=weight),
        "auc": reference.roc_auc_score(y, p, sample_weight=weight),
    }
    found = metrics.scores(y, p, weight=weight)
    assert list(found.index) == list(expected)
    assert found.to_dict() == pytest.approx(expected)


def test_scores_of_three_classes_equal_scikit_learn():
    rng = np.random.default_rng(3)
    y, p = rng.integers(0, 3, 300), rng.dirichlet([1, 1, 1], 300)
    p = (p + np.eye(3)[y] * 0.5) / 1.5
    found = metrics.scores(y, p)
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(y, p.argmax(1)))
    assert found["f1"] == found["macro_f1"] == pytest.approx(reference.f1_score(y, p.argmax(1), average="macro"))
    assert found["auc"] == pytest.approx(reference.roc_auc_score(y, p, multi_class="ovr"))


def test_hand_worked_operating_point():
    point = metrics.operating_point([1, 1, 1, 0, 0, 0, 0, 0], [0.9, 0.33, 0.1, 0.33, 0.2, 0.1, 0.5, 0.0], 0.33)
    assert point[["tp", "fp", "tn", "fn"]].tolist() == [2, 2, 3, 1]
    assert point["sensitivity"] == pytest.approx(2 / 3) and point["specificity"] == pytest.approx(3 / 5)
    assert point["precision"] == pytest.approx(1 / 2) and point["accuracy"] == pytest.approx(5 / 8)


def test_confusion_in_per_cent():
    matrix = metrics.confusion([0, 0, 0, 1], [0.1, 0.6, 0.2, 0.7])
    assert matrix.to_numpy().tolist() == [[50, 25], [0, 25]]
    shares = metrics.confusion_shares(table([0, 0, 0, 1], [0.1, 0.6, 0.2, 0.7])).loc["m"]
    assert shares.to_dict() == {"tp": 25, "fp": 25, "tn": 50, "fn": 0}


def test_degenerate_scores():
    nothing_called = metrics.scores([0, 1], [0.1, 0.2])
    assert nothing_called["precision"] == 0 and nothing_called["f1"] == 0 and nothing_called["auc"] == 1
    one_class = metrics.scores([0, 0], [0.1, 0.2])
    assert np.isnan(one_class["auc"]) and np.isnan(one_class["sensitivity"]) and one_class["accuracy"] == 1


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="2 classes, 1 scores"):
        metrics.scores([0, 1], [0.5])
    with pytest.raises(ValueError, match="not finite"):
        metrics.scores([0, 1], [0.5, np.nan])
    with pytest.raises(ValueError, match=r"y_true holds classes \[0, 2\]"):
        metrics.scores([0, 2], [0.5, 0.1])
    with pytest.raises(ValueError, match="two classes, not 3"):
        metrics.operating_point([0, 1], np.full((2, 3), 1 / 3), 0.5)
    with pytest.raises(ValueError, match="by='slide'"):
        metrics.bootstrap(table([0, 1], [0.1, 0.9]), by="slide")


def test_interval_by_patient_is_wider_where_patients_resemble_themselves():
    rng = np.random.default_rng(0)
    patients = np.repeat([f"p{k}" for k in range(20)], 30)
    y = np.tile([0, 1], 300)
    p = np.clip(0.5 + np.repeat(rng.normal(0, 0.3, 20), 30) + 0.1 * (y - 0.5) + rng.normal(0, 0.02, 600), 0, 1)
    rows = table(y, p, patients)
    width = {
        by: np.subtract(*metrics.bootstrap(rows, by=by, draws=300).loc["specificity", ["high", "low"]])
        for by in ("patient", "image_id")
    }
    assert width["patient"] > 2 * width["image_id"]


def test_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(30):
        y = rng.integers(0, 2, 120)
        right = rng.random(120) < 0.8
        rows = table(y, np.where(right == (y == 1), 0.9, 0.1))
        low, high = metrics.bootstrap(rows, draws=100).loc["accuracy", ["low", "high"]]
        covered += low <= 0.8 <= high
    assert covered >= 25


def test_bootstrap_is_repeatable_and_holds_the_value(binary):
    rows = table(binary[0], binary[1])
    first, second = (metrics.bootstrap(rows, draws=50, seed=7) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert ((first["low"] <= first["value"]) & (first["value"] <= first["high"])).all()


def test_paired_difference_is_sharper_than_two_intervals():
    rng = np.random.default_rng(4)
    patients = np.repeat([f"p{k}" for k in range(25)], 20)
    y = rng.integers(0, 2, 500)
    hard = np.repeat(rng.normal(0, 0.3, 25), 20)
    a = np.clip(0.5 + hard + 0.2 * (y - 0.5), 0, 1)
    b = np.clip(0.5 + hard + 0.3 * (y - 0.5), 0, 1)
    both = pd.concat([table(y, a, patients, "a"), table(y, b, patients, "b")], ignore_index=True)
    difference = metrics.difference(both, "a", draws=300).loc[("b", "auc")]
    alone = metrics.bootstrap(both[both.method == "b"], draws=300).loc["auc"]
    assert difference["low"] > 0
    assert difference["high"] - difference["low"] < alone["high"] - alone["low"]
    with pytest.raises(ValueError, match="reference='c'"):
        metrics.difference(both, "c")
    with pytest.raises(ValueError, match="not tested on the same images"):
        metrics.difference(both.iloc[1:], "b")
