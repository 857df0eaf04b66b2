"""The plan of the magnification study, its parts, and units of it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from histolib import metrics, training
from histolib.datasets.breakhis import MAGNIFICATIONS
from histolib.descriptors import classifiers
from histolib.metrics import splits
from studybook import twins
from studybook.engine import units
from studybook.papers.breakhis_magnification import ablation, answers, study
from studybook.published import verdicts
from studybook.twins import ceiling_by_fold

VALUES = {
    "data": None, "patients": 12, "data_seed": 3, "difficulty": 1.0,
    "split": "official", "folds": [1, 2], "folds_compared": [1], "folds_fitted": [1, 2], "sisters": True,
    "damaged": "error",
    "specific": [40, 100, 200, 400], "left_out": [400],
    "size": 32, "width": 0.0625, "epochs": 1, "batch_size": 16, "precision": "float32", "learning_rate": 0.01,
    "momentum": 0.9, "patience": 5, "validation": 0.34, "dropout": 0.1, "weight_malignancy": 0.75,
    "weight_magnification": 0.25, "seed": 0, "descriptors": ["glcm"], "classifiers": ["quadratic", "nearest"],
    "descriptor_size": 48, "frozen_size": 32, "trainings": 2, "further": list(study.FURTHER),
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
        "independent", "regression", "independent, stopped on test images",
        "independent, trained on fewer, stopped on test images", "independent, half the loss",
        "specific 40x", "specific 100x", "specific 200x", "specific 400x", "without 400x",
        "independent, training 2", "specific 40x, training 2", "specific 100x, training 2",
        "specific 200x, training 2", "specific 400x, training 2", "without 400x, training 2",
        "two tasks", "glcm, quadratic", "glcm, nearest", "frozen Lite0", "frozen Lite0, one for all",
        *study.DRAWN,
    ]  # fmt: skip
    second = [study.method(one) for one in plan if one["fold"] == 2]
    assert second == ["independent", "two tasks", "glcm, quadratic", "glcm, nearest", study.FROZEN, study.FROZEN_ALL,
                      *study.DRAWN]  # fmt: skip
    assert study.FROZEN not in map(study.method, study.plan(VALUES | {"frozen_size": 0}))
    assert {study.group(one) for one in plan} == {"fold1-all", "fold2-all", "fold1-some", "descriptors"}


def test_folds_that_are_compared_are_among_the_folds():
    for wrong in ([], [3]):
        with pytest.raises(ValueError, match="folds_compared=.*folds="):
            study.plan(VALUES | {"folds_compared": wrong})
    second = study.plan(VALUES | {"folds": [2], "folds_compared": [2], "folds_fitted": [2]})
    assert {one["fold"] for one in second} == {2}


def test_an_unknown_further_network_is_named():
    with pytest.raises(ValueError, match="further=.*expected some of regression"):
        study.plan(VALUES | {"further": ["regresion"]})


def test_folds_drawn_by_number_keep_sisters_on_one_side(plan, monkeypatch):
    there = study.dataset(plan[0])
    # Every second patient becomes a sister of the one before.
    names = there.table.drop_duplicates("patient").groupby("label")["patient"].agg(list)
    sisters = {two: f"{one}B" for part in names for one, two in zip(part[::2], part[1::2])}
    table = there.table.assign(patient=there.table["patient"].replace(sisters))
    monkeypatch.setattr(study, "dataset", lambda settings: replace(there, table=table))
    numbers = table["patient"].str.replace(r"^[A-Z]+-|[A-Z]+$", "", regex=True).to_numpy(object)
    for one in (one for one in plan if one["variant"] in study.DRAWN):
        train, test = study._sides(one)
        shared = set(numbers[train]) & set(numbers[test])
        assert bool(shared) == (one["variant"] == study.BY_SLIDE)
        rows = pd.DataFrame({"patient": table["patient"].iloc[test]})
        assert (study._with_sisters(one, rows)["sister"] == np.isin(numbers[test], list(shared))).all()


def test_a_damaged_file_stops_the_run_or_is_left_out(plan, tmp_path):
    folder = shutil.copytree(twins.folder("breakhis", 12, 3), tmp_path / "set")
    one = sorted(folder.rglob("*.png"))[0]
    one.write_bytes(one.read_bytes()[:200])
    real = plan[0] | {"data": str(folder), "patients": None}
    with pytest.raises(ValueError, match="damaged='skip'"):
        study.dataset(real).images(16)
    assert len(study.dataset(real | {"damaged": "skip"}).skipped) == 1


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
    known = answers.named(rows.assign(image_id=["a-40-1", "b-40-1", "c-100-1"]))
    told = answers.scores(pd.concat([known, answers.constant(known)]), draws=5, seed=0)
    assert told["called malignant"].tolist() == ["0.67", "1.00"]
    assert [text[:4] for text in told["balanced accuracy"]] == ["0.25", "0.50"]
    assert [text[:4] for text in told["recognition rate"]] == ["0.25", "0.75"]


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
        if one["tuned_on"] != study.VALIDATION:
            assert set(check) == set(test[magnification[test] == 40])
            rest = set(np.flatnonzero(table["fold_1"] == "train"))
            if one["tuned_on"] == study.TESTED:
                assert set(train) == rest
            else:
                usual = next(one for one in plan if study.method(one) == "independent")
                assert set(train) == set(study.parts(usual)[0]) < rest
        else:
            assert not sides[1] & sides[2]
            wanted = {"specific": {one["magnification"]}}.get(
                one["variant"], set(MAGNIFICATIONS) - {one["magnification"]}
            )
            assert set(magnification[train]) == set(magnification[check]) == wanted
        assert set(magnification[test]) == set(MAGNIFICATIONS)


def test_all_networks_and_descriptors_are_tested_on_the_same_images(found):
    rows = found.predictions[~found.predictions["method"].isin(study.DRAWN)]
    images = rows.groupby("method")["image_id"].agg(lambda names: tuple(sorted(names)))
    assert len(images) == 21 and images.nunique() == 1 and len(set(images.iloc[0])) == len(images.iloc[0])


@pytest.fixture(scope="module")
def rows(found):
    return answers.named(found.predictions)


def test_names_of_methods_and_images_are_read_back(rows, found):
    table = study.dataset(VALUES).table.set_index("image_id")
    assert (rows["image_id"].map(table["magnification"]) == rows["magnification"]).all()
    again = found.units[found.units["training"] > 0]
    assert set(rows["training"]) == {1, 2} and (rows["training"] == 2).sum() == len(again) * (
        len(rows) // rows.groupby(["method", "training"]).ngroups
    )
    about = rows.drop_duplicates(["method", "about"]).set_index("method")["about"]
    assert about["specific 40x"] == 40 and about["without 400x"] == 400 and about["glcm, nearest"] == 0


def test_matched_rows_are_those_of_the_learned_or_left_out_magnification(found, rows):
    pair = answers.matched(rows, "specific")
    assert set(pair["method"]) == {"specific", "independent"} and set(pair["training"]) == {1, 2}
    assert pair["method"].value_counts().nunique() == 1
    one = pair[(pair["method"] == "specific") & (pair["magnification"] == 100) & (pair["training"] == 2)]
    own = found.predictions[found.predictions["method"] == "specific 100x, training 2"]
    assert one["p_1"].tolist() == own["p_1"][own["image_id"].str.contains("-100-")].tolist()
    assert set(answers.matched(rows, "without")["magnification"]) == {400}
    # A second fold in which no network of one magnification was trained is not compared.
    more = pd.concat([rows, rows[rows["method"] == "independent"].assign(fold=2)])
    assert set(answers.matched(more, "specific")["fold"]) == {1}
    assert answers.matched(rows, "clbp, svm").empty


def test_gains_are_differences_of_the_rates(rows):
    pair = answers.matched(rows, "specific")
    gain = answers.gain(pair, "independent", draws=5)
    rate = metrics.recognition_rate(pair, ["method", *answers.CELLS]).groupby("method").mean()
    assert gain["value"].iloc[0] == pytest.approx(rate["independent"] - rate["specific"])
    each = answers.gain(pair, "independent", ["training"], draws=5)
    assert each["value"].mean() == pytest.approx(gain["value"].iloc[0]) and each.index.tolist() == [1, 2]
    assert answers.gains(pair, "independent", 5, 0).shape == (2, 1)
    text = answers.rates({"run": pair}, 5, 0)
    assert text.index.tolist() == [("run", name) for name in ("40×", "100×", "200×", "400×", "mean")]
    assert answers.gain(pair.iloc[:0], "independent").empty


def test_claims_are_answered_as_far_as_the_run_can(found, rows):
    # After one epoch networks may give one answer to everything, of which a difference says nothing.
    alike = rows.assign(p_0=0.0, p_1=1.0)
    assert set(answers.differences(alike, 5, 0)) == {"learned", "state_of_the_art"}
    p = np.random.default_rng(0).random(len(rows))
    rows = rows.assign(p_0=1 - p, p_1=p)
    told = answers.differences(rows, 5, 0, answers.magnification_task(found))
    assert set(told) == {"one_for_all", "one_for_all_frozen", "second_task", "unseen", "stopping", "other_features",
                         "learned", "state_of_the_art", "told"}  # fmt: skip
    shown = verdicts.table("breakhis_magnification", {"run": told})
    assert (shown["run"] == verdicts.NOT_RUN).sum() == 1  # PFTAS
    less = told["other_features"]["value"]
    own = metrics.recognition_rate(rows[rows["training"] == 1], ["method", *answers.CELLS]).groupby("method").mean()
    assert less == pytest.approx(own["independent"] - own[["glcm, quadratic", "glcm, nearest"]].mean())
    assert set(answers.OPENING) <= set(told)
    fewer = answers.differences(rows[rows["method"] == "independent"], 5, 0)
    assert set(fewer) == {"learned"}


def test_stopping_and_the_second_task_stand_beside_networks_that_differ_in_one_thing(rows):
    shown = answers.stopped(rows, 5, 0)
    assert len(shown) == 2 * len(MAGNIFICATIONS) and shown.index[0] == ("stopped on test images", "40× (looked at)")
    assert len(answers.second_task(rows, 5, 0)) == 2
    assert len(answers.second_task(rows[~rows["method"].str.contains(study.HALVED)], 5, 0)) == 1


def test_picking_by_the_tested_patients_flatters():
    # Two classifiers, each right about one half of the patients: the best is 1/2, and the other half says 0 or 1 of it.
    names = [f"p{k}" for k in range(8)]
    right = {"svm": [1] * 4 + [0] * 4, "nearest": [0] * 4 + [1] * 4}
    rows = pd.concat([
        pd.DataFrame({"method": f"lbp, {one}", "fold": 1, "image_id": [f"{name}-40-1" for name in names],
                      "patient": names, "y_true": 1, "p_0": 1 - np.array(p), "p_1": p})
        for one, p in right.items()
    ])  # fmt: skip
    found = answers.picked(answers.named(rows), draws=50, seed=0)
    assert found.loc["lbp", "picked by the tested patients"] == 0.5
    assert found.loc["lbp", "picked by others"] < 0.5 and found.loc["lbp", "flattery"] > 0
    assert answers.picked(answers.named(rows[rows["method"] == "lbp, svm"]), 5, 0).empty


def test_scores_with_and_without_sisters_by_hand():
    tested = ["DC-14-1A", "F-14-2"]
    rows = pd.DataFrame({"method": "independent", "fold": 1, "image_id": ["a-40-1", "b-40-1"], "patient": tested,
                         "y_true": [1, 0], "p_0": 0.2, "p_1": 0.8, "sister": [1, 0]})  # fmt: skip
    rows = answers.named(rows)
    found = answers.sisters(rows, draws=20, seed=0).loc["independent"]
    assert (found["patients with"], found["without"]) == (1, 1)
    assert (found["score with"], found["score without"]) == (1, 0) and found["difference"].startswith("+1.000")
    assert answers.sisters(rows.assign(sister=0), draws=5, seed=0).loc["independent", "patients with"] == 0
    # The same patients, wrongly called benign without their sister.
    apart = rows.assign(method=study.BY_NUMBER, p_0=0.8, p_1=0.2, sister=0)
    both = answers.by_number(pd.concat([rows.assign(method=study.BY_SLIDE), apart]), draws=20, seed=0)
    assert both.loc["with a sister", ["patients", "by slide", "by number"]].tolist() == [1, "1.000", "0.000"]
    assert both.loc["with a sister", "difference"] == "+1.000 [+1.000, +1.000]"
    assert both.loc["all", "difference"].startswith("+0.000") and answers.by_number(rows, 5, 0).empty


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


def test_the_frozen_network_is_fitted_for_each_magnification_or_for_all(found, rows):
    table = study.dataset(VALUES).table
    features, _ = study._encoded(32, None, 12, 3, 1.0, "error")
    train, test = splits.of_fold(table, 1)
    for name, there in ((study.FROZEN, (table["magnification"] == 100).to_numpy()),
                        (study.FROZEN_ALL, np.ones(len(table), bool))):  # fmt: skip
        own, tested = train[there[train]], test[there[test]]
        model = classifiers.fit("logistic", features[own], table["label"].to_numpy()[own],
                                table["patient"].to_numpy(object)[own], 0, workers=1)  # fmt: skip
        given = rows[rows["method"] == name].set_index("image_id")["p_1"][table["image_id"].to_numpy()[tested]]
        assert np.allclose(given, model.predict_proba(features[tested])[:, 1], atol=1e-5)


def test_methods_are_compared_on_images_that_all_of_them_answered(rows):
    fewer = rows[(rows["method"] != study.FROZEN) | (rows["magnification"] != 400)]
    compared = answers.shared(fewer)
    assert compared["method"].unique().tolist() == [
        answers.CONSTANT, study.FROZEN, study.FROZEN_ALL, *study.MAIN
    ]  # fmt: skip
    assert set(compared["magnification"]) == {40, 100, 200} and set(compared["training"]) == {1}
    drawn = answers.named(ceiling_by_fold.table(study.dataset(VALUES), [1]))
    assert answers.shared(pd.concat([rows, drawn]))["method"].unique()[1] == answers.CEILING
    assert answers.shared(rows, ["no such method"]).empty
    less = answers.less(compared, study.FROZEN, draws=5, seed=0)
    own = compared[compared["method"] == study.FROZEN]
    auc = metrics.scores(own["y_true"], own["p_1"])["auc"]
    assert less.loc[("less always malignant", "AUC"), "value"] == pytest.approx(auc - 0.5)
    assert answers.standing(less).startswith("ahead of ")


def test_sizes_of_the_official_folds():
    sizes = answers.fold_sizes()
    assert sizes["images"]["train"].tolist() == [5005, 5506, 5332, 5211, 4826]
    assert sizes["images"]["test"].tolist() == [2904, 2403, 2577, 2698, 3083]
    assert (sizes["patients"]["test"] == 28).all() and (sizes["patients"]["train"] == 54).all()
    assert sizes["slide numbers"]["on both sides"].tolist() == [8, 6, 7, 7, 6]
