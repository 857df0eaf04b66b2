import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from histolib import metrics
from histolib.metrics import predictions


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


def test_differences_of_pairs_are_those_of_one_reference_each():
    rng = np.random.default_rng(6)
    patients, y = np.repeat([f"p{k}" for k in range(10)], 12), rng.integers(0, 2, 120)
    rows = pd.concat([table(y, rng.random(120), patients, name) for name in "abc"], ignore_index=True)
    found = metrics.differences(rows, [("a", "b"), ("c", "b"), ("c", "a")], draws=40)
    for other in "ab":
        one = metrics.difference(rows, other, draws=40)
        paired = found.xs(other, level="reference")
        pd.testing.assert_frame_equal(paired, one.loc[paired.index.unique("method")])
    with pytest.raises(ValueError, match="method='d': expected one of a, b, c"):
        metrics.differences(rows, [("d", "a")])


def four_classes(y, called, fold=0, method="m", **columns):
    """Predictions that are certain of one class each."""
    manifest = pd.DataFrame({"image_id": [f"i{k}" for k in range(len(y))], "patient": "p", "label": y})
    return predictions.table(method, manifest, np.eye(4)[called], fold).assign(**columns)


def test_operating_point_at_the_thresholds_of_the_bach_paper():
    y, score = (
        pd.Series([1, 1, 1, 0, 0], index=[9, 8, 7, 6, 5]),
        pd.Series([0.5, 0.33, 0.32, 0.33, 0.49], index=range(5)),
    )
    low, middle = (metrics.operating_point(y, score, threshold) for threshold in (0.33, 0.50))
    # A score equal to the threshold is positive; an index has no say.
    assert low[["tp", "fp", "tn", "fn"]].tolist() == [2, 2, 0, 1]
    assert middle[["tp", "fp", "tn", "fn"]].tolist() == [1, 0, 2, 2]
    for kind in (np.float32, np.float64, list):
        scores = list(score) if kind is list else score.to_numpy(kind)
        found = metrics.operating_point(y.to_numpy(bool), scores, 0.5)
        pd.testing.assert_series_equal(found, middle)
    both = metrics.operating_point(y, np.column_stack([1 - score, score]), 0.33)
    pd.testing.assert_series_equal(both, low)
    with pytest.raises(ValueError, match="y_true holds classes .'benign', 'invasive'."):
        metrics.operating_point(["benign", "invasive"], [0.1, 0.9], 0.5)


def test_accuracy_per_fold_by_hand():
    y = [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    folds = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]  # the last is smaller
    a = four_classes(y, [0, 1, 2, 0, 0, 1, 2, 3, 0, 0], folds, "a")
    b = four_classes(y, [0, 0, 0, 0, 0, 1, 2, 3, 0, 1], folds, "b")
    fused = four_classes(y, y, folds, "both")
    table = metrics.per_fold(pd.concat([b, fused, a]).sample(frac=1, random_state=1).sort_values("method"), ["both"])
    assert table.index.tolist() == ["a", "b", "std", "both"] and table.index.name == "method"
    assert table.columns.tolist() == [0, 1, 2, "mean", "std"]
    assert table.loc["a"].tolist() == pytest.approx([75, 100, 50, 75, np.std([75, 100, 50])])
    assert table.loc["b"].tolist() == pytest.approx([25, 100, 100, 75, np.std([25, 100, 100])])
    assert table.loc["std"].tolist() == pytest.approx([25, 0, 25, 50 / 3, np.nan], nan_ok=True)
    assert table.loc["both"].tolist() == [100, 100, 100, 100, 0]


def test_accuracy_per_fold_with_seeds_is_the_mean_over_seeds():
    y, folds = [0, 1, 2, 3], [1, 1, 2, 2]
    rows = pd.concat([four_classes(y, called, folds, seed=k) for k, called in enumerate(([0, 1, 2, 3], [0, 0, 0, 0]))])
    table = metrics.per_fold(rows)
    assert table.loc["m", [1, 2, "mean"]].tolist() == [75, 50, 62.5]
    # Over all four accuracies of folds and seeds: 100, 100, 50, 0.
    assert table.loc["m", "std"] == pytest.approx(np.std([100, 100, 50, 0]))


def test_accuracy_per_fold_equals_a_plain_computation():
    rng = np.random.default_rng(0)
    y, fold, p = rng.integers(0, 4, 400), rng.permutation(400) % 10 + 1, rng.dirichlet(np.ones(4), 400)
    manifest = pd.DataFrame({"image_id": range(400), "patient": range(400), "label": y})
    table = metrics.per_fold(predictions.table("m", manifest, p, fold), apart=["m"])
    expected = [100 * (p[fold == k].argmax(1) == y[fold == k]).mean() for k in range(1, 11)]
    assert table.index.tolist() == ["m"]
    assert table.loc["m"].tolist() == pytest.approx([*expected, np.mean(expected), np.std(expected)])


def test_two_classes_per_fold_heed_the_threshold():
    rows = table([0, 1, 1], [0.4, 0.4, 0.9])
    assert metrics.per_fold(rows).loc["m", "mean"] == pytest.approx(200 / 3)
    assert metrics.per_fold(rows, threshold=0.4).loc["m", "mean"] == pytest.approx(200 / 3)
    assert metrics.per_fold(rows, threshold=0.95).loc["m", "mean"] == pytest.approx(100 / 3)


def test_impossible_tables_per_fold():
    rows = four_classes([0, 1], [0, 1], [1, 2])
    with pytest.raises(ValueError, match="other has no image in fold 2"):
        metrics.per_fold(pd.concat([rows, rows.iloc[:1].assign(method="other")]))
    with pytest.raises(ValueError, match="methods m: expected fusion there"):
        metrics.per_fold(rows, ["fusion"])
    with pytest.raises(ValueError, match="no 'std'"):
        metrics.per_fold(rows.assign(method="std"))


def test_confusion_in_images():
    matrix = metrics.confusion([0, 0, 1, 3], np.eye(4)[[0, 1, 1, 2]], percent=False)
    assert matrix.to_numpy().tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]
    assert matrix.to_numpy().dtype.kind == "i"


def test_roc_is_the_best_sensitivity_at_no_more_false_alarms(binary):
    y, p, _ = binary
    curve = metrics.roc(y, p)
    assert curve.index[[0, 1, -1]].tolist() == [0, 0.005, 1] and curve.is_monotonic_increasing and curve.iloc[-1] == 1
    for alarms in (0.0, 0.1, 0.25, 0.8):
        rates = [((p >= t)[y == 0].mean(), (p >= t)[y == 1].mean()) for t in [*np.unique(p), 2]]
        assert curve[alarms] == pytest.approx(max(found for false, found in rates if false <= alarms + 1e-12))
    # The area below the steps is the AUC, but for the width of the grid.
    assert curve.mean() == pytest.approx(metrics.scores(y, p)["auc"], abs=0.01)
    band = metrics.bootstrap(table(y, p), metrics.roc, draws=30)
    assert (band["low"] <= band["high"]).all() and band.index.equals(curve.index)
    assert metrics.roc([0, 0], [0.1, 0.2]).isna().all()
    with pytest.raises(ValueError, match="two classes, not 3"):
        metrics.roc([0, 1], np.full((2, 3), 1 / 3))


@pytest.mark.parametrize("classes", [2, 3])
def test_many_weightings_at_once_equal_one_after_the_other(binary, classes):
    y, p, _ = binary
    y, p = (y, p) if classes == 2 else (y + (np.arange(400) % 2), np.random.default_rng(0).dirichlet([1] * 3, 400))
    # As resamples are: whole numbers, many of them 0; in the last one there is no image of class 1.
    weights = np.vstack([np.random.default_rng(1).poisson(1, (5, 400)), y != 1])
    for statistic in (metrics.scores, metrics.roc)[: 2 if classes == 2 else 1]:
        found = statistic(y, p, weight=weights)
        assert len(found) == 6 and (classes > 2 or np.isnan(found.iloc[-1, -1]))
        for weight, row in zip(weights, found.itertuples(index=False)):
            drawn = np.repeat(np.arange(400), weight)
            assert list(row) == pytest.approx(statistic(y[drawn], p[drawn]).tolist(), nan_ok=True)


def test_summary_at_another_threshold(binary):
    rows = table(binary[0], binary[1])
    found = metrics.summary(rows, 5, threshold=0.33).loc["m", "value"]
    expected = metrics.operating_point(rows["y_true"], rows["p_1"], 0.33)
    assert found["sensitivity"] == expected["sensitivity"] and found["specificity"] == expected["specificity"]


def test_one_answer_to_everything_is_found_of_two_and_of_more_classes():
    two = pd.DataFrame({"method": list("aabb"), "p_0": [0.4, 0.3, 0.9, 0.1], "p_1": [0.6, 0.7, 0.1, 0.9]})
    assert metrics.one_answer(two) == {"a": 1}
    assert metrics.one_answer(two, threshold=0.65) == {}
    three = pd.DataFrame({"method": list("aa"), "p_0": [0.1, 0.2], "p_1": [0.3, 0.2], "p_2": [0.6, 0.6]})
    assert metrics.one_answer(three) == {"a": 2}


def _trainings(shifts, images=60):
    """Rows of a method with a training for each shift of the scores."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, images)
    noise = rng.normal(size=images)
    parts = []
    for seed, shift in enumerate(shifts):
        p = 1 / (1 + np.exp(-(shift * (2 * y - 1) + noise)))
        rows = pd.DataFrame({"method": "a", "image_id": [f"{k:02d}" for k in range(images)]})
        parts.append(rows.assign(patient=rows["image_id"], y_true=y, p_0=1 - p, p_1=p, seed=seed))
    return parts


def test_a_score_of_several_trainings_is_their_mean_and_the_interval_holds_them():
    parts = _trainings([0.0, 2.0])
    both, single = metrics.bootstrap(pd.concat(parts)), [metrics.bootstrap(part) for part in parts]
    assert both.loc["auc", "value"] == pytest.approx(np.mean([one.loc["auc", "value"] for one in single]))
    widths = [one.loc["auc", "high"] - one.loc["auc", "low"] for one in [both, *single]]
    assert widths[0] > max(widths[1:])
    pd.testing.assert_frame_equal(single[0], metrics.bootstrap(parts[0].drop(columns="seed")))


def test_trainings_of_two_methods_are_drawn_apart():
    first, second = (pd.concat(_trainings([0.0, 2.0])).assign(method=name) for name in ("a", "b"))
    found = metrics.difference(pd.concat([first, second]), "a").loc[("b", "auc")]
    # Drawn together, or in pairs, the two would never differ.
    assert found["value"] == 0 and found["low"] < -0.1 < 0.1 < found["high"]


def test_trainings_are_compared_on_the_same_images():
    one, other = _trainings([0.0, 2.0])
    with pytest.raises(ValueError, match="same images"):
        metrics.bootstrap(pd.concat([one, other.iloc[1:]]))
