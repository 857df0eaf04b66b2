"""The plan of the magnification study, its parts, and units of it."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from histolib import metrics, training
from histolib.datasets.breakhis import MAGNIFICATIONS
from histolib.descriptors import classifiers
from histolib.metrics import splits
from histolib.models import ablation
from studybook.engine import units
from studybook.papers.breakhis_magnification import answers, study

VALUES = {
    "data": None, "patients": 12, "data_seed": 3, "split": "official", "folds": [1, 2], "folds_compared": [1],
    "specific": [40, 100, 200, 400], "left_out": [400],
    "size": 32, "width": 0.0625, "epochs": 1, "batch_size": 16, "learning_rate": 0.01,
    "momentum": 0.9, "patience": 5, "validation": 0.34, "dropout": 0.1, "weight_malignancy": 0.75,
    "weight_magnification": 0.25, "seed": 0, "descriptors": ["glcm"], "classifiers": ["quadratic", "nearest"],
    "descriptor_size": 48, "frozen_size": 32,
}  # fmt: skip


@pytest.fixture(scope="module")
def plan():
    return study.plan(VALUES)


@pytest.fixture(scope="module")
def found(plan, tmp_path_factory):
    chosen = [one for one in plan if one["fold"] == 1]
    return units.gather(study, chosen, tmp_path_factory.mktemp("study"))


def test_every_comparison_is_planned_once(plan):
    labels = [study.label(one) for one in plan]
    assert len(set(labels)) == len(labels) and json.loads(json.dumps(plan)) == plan
    first = [study.method(one) for one in plan if one["fold"] == 1]
    assert first == [
        "independent", "independent, stopped on test images", "specific 40x", "specific 100x", "specific 200x",
        "specific 400x", "without 400x", "regression", "two tasks", "glcm, quadratic", "glcm, nearest",
        "frozen Lite0",
    ]  # fmt: skip
    second = [study.method(one) for one in plan if one["fold"] == 2]
    assert second == ["independent", "two tasks", "glcm, quadratic", "glcm, nearest", "frozen Lite0"]
    assert "frozen Lite0" not in map(study.method, study.plan(VALUES | {"frozen_size": 0}))
    assert {study.group(one) for one in plan} == {f"fold{k}-{n}" for k in (1, 2) for n in ("all", "descriptors")} | {
        "fold1-some"
    }


def test_folds_that_are_compared_are_among_the_folds():
    for wrong in ([], [3]):
        with pytest.raises(ValueError, match="folds_compared=.*folds="):
            study.plan(VALUES | {"folds_compared": wrong})
    assert {one["fold"] for one in study.plan(VALUES | {"folds": [2], "folds_compared": [2]})} == {2}


def test_a_part_without_a_class_is_named(plan, monkeypatch):
    one = next(one for one in plan if study.method(one) == "specific 100x")
    there = study.dataset(one)
    table = there.table[(there.table["magnification"] != 100) | (there.table["label"] == 1)].reset_index(drop=True)
    monkeypatch.setattr(study, "dataset", lambda settings: replace(there, table=table))
    with pytest.raises(ValueError, match=r"specific-100x-fold1: .*training.*\[0\]"):
        study.parts(one)


def test_averages_and_constant_answers_by_hand():
    rows = pd.DataFrame({"method": "m", "fold": 1, "magnification": [40, 40, 100], "image_id": list("abc"),
                         "patient": ["x", "y", "x"], "y_true": [1, 0, 1], "p_0": [0.4, 0.4, 0.9],
                         "p_1": [0.6, 0.6, 0.1]})  # fmt: skip
    rates = metrics.recognition_rate(rows, ["fold", "magnification"])
    assert rates.tolist() == [0.5, 0.0]  # 40x: patient x right, y wrong; 100x: x wrong
    always = answers.constant(rows)
    assert metrics.recognition_rate(always, ["fold", "magnification"]).tolist() == [0.5, 1.0]
    told = answers.called(pd.concat([rows, always]))
    assert told["called malignant"].round(3).tolist() == [0.667, 1.0]
    assert told["balanced accuracy"].tolist() == [0.25, 0.5]


def test_factors_by_hand():
    numbers = pd.DataFrame({"magnification": [40, 100, 100, 400], "predicted": [80.0, 100.0, 50.0, 400.0]})
    found = answers.median_factors(numbers)
    assert found["network"] == pytest.approx(2**0.5) and found["constant"] == 100
    assert found["of_constant"] == pytest.approx(2 ** ((0 + np.log2(2.5)) / 2))


def test_only_the_tuning_of_the_paper_looks_at_test_images(plan):
    for one in (one for one in plan if one["variant"] not in study.FITTED):
        train, check, test = study.parts(one)
        table = study.dataset(one).table
        sides = [set(table["patient"].iloc[rows]) for rows in (train, check, test)]
        assert not sides[0] & sides[2] and not sides[0] & sides[1]
        magnification = table["magnification"].to_numpy()
        if one["tuned_on"] == "test":
            assert set(check) == set(test[magnification[test] == 40])
            assert set(train) == set(np.flatnonzero(table["fold_1"] == "train"))
        else:
            assert not sides[1] & sides[2]
            wanted = {"specific": {one["magnification"]}}.get(
                one["variant"], set(MAGNIFICATIONS) - {one["magnification"]}
            )
            assert set(magnification[train]) == set(magnification[check]) == wanted
        assert set(magnification[test]) == set(MAGNIFICATIONS)


def test_all_networks_and_descriptors_are_tested_on_the_same_images(found):
    images = found.predictions.groupby("method")["image_id"].agg(lambda names: tuple(sorted(names)))
    assert len(images) == 12 and images.nunique() == 1 and len(set(images.iloc[0])) == len(images.iloc[0])


def test_matched_rows_are_those_of_the_learned_or_left_out_magnification(found):
    table = study.dataset(VALUES).table
    rows = found.predictions.merge(table[["image_id", "magnification"]], on="image_id")
    matched = answers.matched(found, rows)
    assert set(matched["method"]) == {"specific", "without", "independent"}
    assert set(matched["magnification"][matched["method"] == "without"]) == {400}
    one = matched[(matched["method"] == "specific") & (matched["magnification"] == 100)]
    own = rows[(rows["method"] == "specific 100x") & (rows["magnification"] == 100)]
    assert one["p_1"].tolist() == own["p_1"].tolist()
    fewer = answers.paired(matched[(matched["method"] != "specific") | (matched["magnification"] == 100)])
    assert set(fewer["magnification"]) == {100} and set(fewer["method"]) == {"specific", "independent"}
    # A second fold in which no network of one magnification was trained is not compared.
    more = answers.matched(found, pd.concat([rows, rows[rows["method"] == "independent"].assign(fold=2)]))
    assert set(more["fold"]) == {1}


def test_the_second_task_is_kept_with_its_truth(found):
    told = answers.magnification_task(found)
    names = told["image_id"].str.extract(r"-(\d+)-\d+$")[0].astype(int)
    assert [MAGNIFICATIONS[k] for k in told["y_true"]] == names.tolist() == told["magnification"].tolist()
    assert np.allclose(told[["p_0", "p_1", "p_2", "p_3"]].sum(axis=1), 1, atol=1e-5)
    numbers = answers.regression(found, study.dataset(VALUES).table)
    assert set(numbers["label_name"]) == {"benign", "malignant"} and (numbers["predicted"] > 0).all()


def test_the_kept_network_gives_the_saved_answers_and_maps(found, plan):
    network, dataset = answers.network(found, 1), study.dataset(VALUES)
    rows = found.of(variant="two tasks")
    at = np.array([np.flatnonzero(dataset.table["image_id"] == name)[0] for name in rows["image_id"][:3]])
    images = dataset.images(32, crop="center")[at]
    given = network.predict_on_batch(images)
    assert np.allclose(given["malignancy"][:, 1], rows["p_1"][:3], atol=1e-5)
    maps = ablation.maps(network, images, {"malignancy": 1, "magnification": 0})
    assert {name: one.shape for name, one in maps.items()} == dict.fromkeys(maps, (3, 32, 32))


def test_a_unit_is_the_same_alone_and_after_others(plan, found):
    two = next(one for one in plan if study.method(one) == "without 400x")
    training.forget()
    alone = study.compute(two).predictions
    after = found.predictions[found.predictions["method"] == "without 400x"].reset_index(drop=True)
    assert np.array_equal(alone["p_1"], after["p_1"])


def test_the_frozen_network_is_fitted_for_each_magnification_and_compared_on_the_same_images(found):
    table = study.dataset(VALUES).table
    rows = found.predictions.merge(table[["image_id", "magnification"]], on="image_id")
    frozen = rows[rows["method"] == study.FROZEN]
    features, _ = study._encoded(32, None, 12, 3)
    train, test = splits.of_fold(table, 1)
    there = (table["magnification"] == 100).to_numpy()
    own, tested = train[there[train]], test[there[test]]
    model = classifiers.fit("logistic", features[own], table["label"].to_numpy()[own],
                            table["patient"].to_numpy(object)[own], 0, workers=1)  # fmt: skip
    given = frozen.set_index("image_id")["p_1"][table["image_id"].to_numpy()[tested]]
    assert np.allclose(given, model.predict_proba(features[tested])[:, 1], atol=1e-5)
    # An image that one of them did not answer counts for none; without the frozen network there is nothing to compare.
    fewer = rows[(rows["method"] != study.FROZEN) | (rows["magnification"] != 400)]
    compared = answers.beside_frozen(fewer)
    assert set(compared["method"]) == {study.FROZEN, *study.MAIN, "always malignant"}
    assert set(compared["magnification"]) == {40, 100, 200}
    assert answers.beside_frozen(rows[rows["method"] != study.FROZEN]).empty
    less = answers.less(compared, study.FROZEN, draws=5, seed=0)
    assert less.index.tolist() == ["less independent", "less two tasks", "less always malignant"]
    own = compared[compared["method"] == study.FROZEN]
    auc = metrics.scores(own["y_true"], own["p_1"])["auc"]
    assert less.loc["less always malignant", "AUC"].startswith(f"{auc - 0.5:+.2f} [")
