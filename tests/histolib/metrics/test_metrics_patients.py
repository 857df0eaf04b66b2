"""Patient scores and recognition rates (equations 3 and 4 of the magnification paper), worked by hand."""

import numpy as np
import pandas as pd
import pytest

from histolib import metrics
from histolib.metrics import predictions


def rows(right, patients, method="m", fold=0, **columns):
    """Two-class answers that are right or wrong as told; the true class changes from image to image."""
    right, y = np.asarray(right, bool), np.arange(len(right)) % 2
    manifest = pd.DataFrame({"image_id": [f"i{k}" for k in range(len(y))], "patient": list(patients), "label": y})
    return predictions.table(method, manifest, np.where(right, 0.8, 0.2) * y + np.where(right, 0.2, 0.8) * (1 - y),
                             fold).assign(**columns)  # fmt: skip


def test_patient_scores_by_hand():
    table = metrics.patient_scores(rows([1, 1, 1, 0, 0, 1], "aaaabb"))
    assert table.index.names == ["method", "fold", "patient"]
    assert table.loc[("m", 0, "a")].tolist() == [4, 3, 0.75] and table.loc[("m", 0, "b")].tolist() == [2, 1, 0.5]
    assert table["images"].dtype.kind == "i"


def test_each_patient_counts_the_same():
    # 9 of 10 images right, but (1 + 0) / 2 of the patients' scores.
    assert metrics.recognition_rate(rows([1] * 9 + [0], "a" * 9 + "b")).to_dict() == {("m", 0): 0.5}


def test_rate_by_magnification_and_fold():
    first = rows([1, 0, 1, 1], "aabb", magnification=[40, 400, 40, 400])
    second = rows([0, 0, 1], "abc", fold=1, magnification=[40, 40, 40])
    rates = metrics.recognition_rate(pd.concat([first, second]), ["magnification", "fold"])
    assert rates.to_dict() == {(40, 0): 1.0, (400, 0): 0.5, (40, 1): 1 / 3}
    # A patient in two folds is tested in each; without the fold its images belong together: a (1, 0, 0), b (1, 1, 0).
    pooled = metrics.recognition_rate(pd.concat([first, second]), ["method"])
    assert pooled["m"] == pytest.approx((1 / 3 + 2 / 3 + 1) / 3)
    assert pooled.name == "recognition_rate"


def test_four_classes_and_a_threshold():
    manifest = pd.DataFrame({"image_id": list("wxyz"), "patient": ["a", "a", "b", "b"], "label": [0, 1, 2, 3]})
    four = predictions.table("m", manifest, np.eye(4)[[0, 1, 2, 0]])
    assert metrics.patient_scores(four)["score"].tolist() == [1.0, 0.5]
    two = predictions.table("m", manifest.assign(label=1), [0.3, 0.9, 0.9, 0.9])
    assert metrics.recognition_rate(two).tolist() == [0.75]
    assert metrics.recognition_rate(two, threshold=0.3).tolist() == [1.0]


def test_interval_with_equal_patients_is_that_of_the_accuracy():
    rng = np.random.default_rng(0)
    table = rows(rng.random(120) < np.repeat(rng.random(20), 6), np.repeat([f"p{k:02}" for k in range(20)], 6))
    found = metrics.recognition_intervals(table, draws=200, seed=3)
    expected = metrics.bootstrap(table, draws=200, seed=3).loc["accuracy"]
    assert found.index.tolist() == ["m"] and found.index.name == "method"
    assert found.loc["m"].to_numpy() == pytest.approx(expected.to_numpy())


def test_interval_is_of_the_mean_over_folds():
    first, second = rows([1, 0, 1, 1], "aabb", magnification=40), rows([0, 0, 1], "abc", fold=1, magnification=40)
    table = metrics.recognition_intervals(pd.concat([first, second]), ["method", "magnification"], draws=300)
    # Fold 0: (1/2 + 1) / 2; fold 1: (0 + 0 + 1) / 3.
    assert table.index.names == ["method", "magnification"]
    assert table.loc[("m", 40), "value"] == pytest.approx((3 / 4 + 1 / 3) / 2)
    # Lowest and highest of what can be drawn: only a (1/2 and 0); only c (fold 1 alone, 1).
    assert 0.25 <= table["low"].iloc[0] < table["value"].iloc[0] < table["high"].iloc[0] <= 1


def test_the_same_patients_everywhere_leave_no_interval():
    table = metrics.recognition_intervals(rows([1, 0] * 6, np.repeat(list("abcdef"), 2)), draws=50)
    assert table.loc["m"].tolist() == [0.5, 0.5, 0.5]


def test_difference_is_paired():
    rng = np.random.default_rng(1)
    patients, hard = np.repeat([f"p{k:02}" for k in range(24)], 10), np.repeat(rng.random(24), 10)
    draw = rng.random(240)
    both = pd.concat([rows(draw < hard * 0.9, patients, "a"), rows(draw < hard * 0.9 + 0.1, patients, "b")])
    found = metrics.recognition_intervals(both, draws=300, reference="a")
    alone = metrics.recognition_intervals(both, draws=300)
    rate = metrics.recognition_rate(both, ["method"])
    assert found.index.tolist() == ["b"]
    assert found.loc["b", "value"] == pytest.approx(rate["b"] - rate["a"])
    assert found.loc["b", "low"] > 0
    assert found.loc["b", "high"] - found.loc["b", "low"] < 0.5 * (alone.loc["b", "high"] - alone.loc["b", "low"])


def test_difference_by_magnification():
    a = rows([1, 0, 1, 0], "aabb", "a", magnification=[40, 400, 40, 400])
    b = a.assign(method="b", p_0=1 - a["p_0"], p_1=1 - a["p_1"])
    found = metrics.recognition_intervals(pd.concat([a, b]), ["method", "magnification"], draws=20, reference="a")
    assert found["value"].to_dict() == {("b", 40): -1.0, ("b", 400): 1.0}


def test_every_fold_and_magnification_counts_the_same_in_their_average():
    first = rows([1, 0, 1, 1], "aabb", magnification=[40, 400, 40, 400])
    table = pd.concat([first, rows([0, 0, 1], "abc", fold=1, magnification=40)])
    found = metrics.recognition_intervals(table, over=["fold", "magnification"], draws=20)
    assert found.loc["m", "value"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    both = pd.concat([table, table.assign(method="n", p_0=table["p_1"], p_1=table["p_0"])])
    less = metrics.recognition_intervals(both, over=["fold", "magnification"], draws=20, reference="m")
    assert less.loc["n", "value"] == pytest.approx(1 - 2 * (1 + 1 / 2 + 1 / 3) / 3)


def test_what_cannot_be_computed_is_named():
    table = rows([1, 0], "ab")
    with pytest.raises(ValueError, match="no column magnification; found method"):
        metrics.patient_scores(table, ["magnification"])
    with pytest.raises(ValueError, match="column magnification: a value is missing"):
        metrics.patient_scores(table.assign(magnification=[40, np.nan]), ["magnification"])
    with pytest.raises(ValueError, match="by is empty"):
        metrics.recognition_rate(table, [])
    with pytest.raises(ValueError, match="leave fold out"):
        metrics.recognition_intervals(table, ["fold"])
    with pytest.raises(ValueError, match=r"over=\['fold', 'magnification'\]: no column magnification"):
        metrics.recognition_intervals(table, over=["fold", "magnification"])
    with pytest.raises(ValueError, match="draws=0"):
        metrics.recognition_intervals(table, draws=0)
    with pytest.raises(ValueError, match="level=95"):
        metrics.recognition_intervals(table, draws=2, level=95)
    with pytest.raises(ValueError, match="reference='z': expected one of m"):
        metrics.recognition_intervals(table, reference="z")
    with pytest.raises(ValueError, match="n and m were not tested on the same images"):
        metrics.recognition_intervals(pd.concat([table, table.iloc[:1].assign(method="n")]), reference="m")
