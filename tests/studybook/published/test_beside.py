import numpy as np
import pandas as pd
import pytest

from histolib import metrics
from studybook.published import beside

INDEX = pd.MultiIndex.from_tuples([("a", "auc"), ("a", "f1"), ("b", "auc")], names=["method", "score"])
SUMMARY = pd.DataFrame({"value": [0.9, 0.5, 0.7], "low": [0.8, 0.4, 0.6], "high": [0.95, 0.6, 0.8]}, index=INDEX)


def test_published_and_reproduced_stand_side_by_side():
    published = pd.DataFrame({"f1": [0.83], "auc": [np.nan]}, index=pd.Index(["a"], name="method"))
    table = beside.table(published, {"run": SUMMARY})
    assert table.loc[("a", "f1")].tolist() == ["0.830", "0.500 [0.400, 0.600]", "-0.330"]
    assert table.loc[("a", "auc")].tolist() == ["–", "0.900 [0.800, 0.950]", "–"]
    assert table.loc[("b", "f1")].tolist() == ["–", "–", "–"]


def test_differences_say_what_is_beyond_chance():
    rows = pd.DataFrame({"value": [0.1, -0.2, 0.0], "low": [0.05, -0.3, -0.1], "high": [0.2, -0.1, 0.1]})
    rows.index = pd.MultiIndex.from_product([["a", "b", "c"], ["auc"]], names=["method", "score"])
    table = beside.against(rows, "auc")
    assert table["whole interval"].tolist() == ["above 0", "below 0", "holds 0"]
    assert table.iloc[0, 0] == "+0.100 [+0.050, +0.200]"


def test_scores_keep_the_order_of_methods():
    table = beside.scores(SUMMARY.xs("auc", level="score", drop_level=False), ["auc"])
    assert table.index.tolist() == ["a", "b"] and table.loc["b", "auc"] == "0.700 [0.600, 0.800]"


def test_leak_takes_out_what_prevalence_does():
    names = ["auc", "balanced_accuracy", "f1", "sensitivity", "specificity"]
    index = pd.MultiIndex.from_product([["study: by patient"], names], names=["method", "score"])
    summary = pd.DataFrame({"value": [0.9, 0.8, 0.6, 0.8, 0.8], "low": 0.5, "high": 1.0}, index=index)
    row = beside.leak(summary).loc["by patient"]
    assert row["F1 at one half"] == "0.800"  # precision and sensitivity are both 0.8 there
    assert row["f1"] == "0.600 [0.500, 1.000]"


def test_a_method_with_one_answer_is_marked():
    rows = pd.DataFrame({"method": ["a", "a", "b", "b"], "p_0": [0.4, 0.3, 0.9, 0.1], "p_1": [0.6, 0.7, 0.1, 0.9]})
    frame = pd.DataFrame({"auc": [0.5, 0.9, 1]}, index=["a", "b", "c"])
    assert list(beside.flagged(frame, rows, ["benign", "malignant"]).index) == ["a ⚑ always malignant", "b", "c"]
    by_score = pd.concat({"x": frame}).rename_axis(["run", "method"])
    assert by_score.pipe(beside.flagged, rows, ["no", "yes"]).index[0] == ("x", "a ⚑ always yes")


def test_the_expectation_counts_patients_by_class():
    rows = pd.DataFrame({"patient": list("aabbcd"), "y_true": [0, 1, 0, 0, 0, 1]})
    text = beside.expectation(rows, ["none", "cancer"]).data
    assert "4 test patients, 2 with images of class *cancer*, 3 with images of class *none*" in text


def test_the_expected_width_is_near_that_of_the_bootstrap():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [60, 40])
    score = 1 / (1 + np.exp(-(1.19 * y + rng.standard_normal(100))))  # an AUC of about 0.8
    rows = pd.DataFrame({"method": "a", "fold": 0, "image_id": range(100), "patient": [f"p{k}" for k in range(100)],
                         "y_true": y, "p_0": 1 - score, "p_1": score})  # fmt: skip
    found = metrics.summary(rows, 500).loc[("a", "auc")]
    width = beside.expected_width(40, 60, found["value"])["auc"]
    assert width == pytest.approx((found["high"] - found["low"]) / 2, rel=0.2)
    with pytest.raises(ValueError, match="positive=0, negative=5"):
        beside.expected_width(0, 5)
