"""The plan of the mammography study, its parts, and one unit of it."""

import json
import re
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

from histolib import datasets, models, training
from studybook import screening, twins
from studybook.engine import units
from studybook.papers.mammography_finetuning import cutting, stopping, study

VALUES = {
    "data": None, "patients": 12, "data_seed": 3, "difficulty": 1.0, "sets": ["inbreast", "merged", "mias"],
    "networks": ["vgg16"], "networks_compared": ["resnet50"], "networks_merged": ["vgg16"],
    "network_screening": "vgg16", "strategies": ["plain", "0", "2", "all"], "leak": ["plain"], "leak_by": ["image"],
    "random": ["gaussian"], "by": "patient", "window": 0.0, "weights": "phantom", "width": 0.125, "size": 32,
    "folds": 3, "folds_run": 2, "trainings": 1, "curve_women": [4], "curve_difficulty": [2.0], "epochs_head": 1,
    "epochs_tuning": 1, "epochs_small": 1, "batch_size": 8, "learning_rate": 1e-3, "learning_rate_random": 1e-2,
    "precision": "float32",
    "patience": 5, "dropout": 0.5, "l2": 1e-3, "seed": 0, "damaged": "error", "millimeters": 0.0, "stretch": "region",
    "away_by": [], "test_decides": [], "pool": [], "ablations": [],
}  # fmt: skip
NARROW = "vgg16, 1/8 of the width"


@pytest.fixture
def plan():
    return study.plan(VALUES)


def test_every_comparison_of_the_paper_is_planned_once(plan):
    labels = [study.label(one) for one in plan]
    assert len(set(labels)) == len(labels)
    first = [one for one in plan if one["fold"] == 0]
    assert [study.method(one) for one in first] == [
        "inbreast, constant answer",
        "inbreast, size of the box",
        "inbreast, drawn traits (ceiling)",
        f"inbreast, {NARROW}, phantom, plain classifier",
        f"inbreast, {NARROW}, phantom, 0 blocks",
        f"inbreast, {NARROW}, phantom, 2 blocks",
        f"inbreast, {NARROW}, phantom, all blocks",
        f"inbreast, {NARROW}, gaussian, all blocks",
        "inbreast, resnet50, 1/8 of the width, phantom, 2 blocks",
        f"inbreast, {NARROW}, phantom, plain classifier, by image",
        f"merged, {NARROW}, phantom, 2 blocks",
        f"merged, {NARROW}, phantom, 2 blocks, tested on mias",
        "inbreast, small network from scratch",
        "inbreast, drawn traits (ceiling), 4 women",
        f"inbreast, {NARROW}, phantom, plain classifier, 4 women",
        "inbreast, small network from scratch, 4 women",
        "inbreast, drawn traits (ceiling), difficulty 2",
        f"inbreast, {NARROW}, phantom, plain classifier, difficulty 2",
        "inbreast, small network from scratch, difficulty 2",
    ]
    assert sum(one["fold"] == 2 for one in plan) == 1  # of the folds by image, all are run
    assert json.loads(json.dumps(plan)) == plan


def test_training_is_repeated_from_other_weights_and_what_is_fitted_is_not():
    plan = study.plan(VALUES | {"trainings": 2, "curve_women": [], "curve_difficulty": []})
    again = {one["blocks"] for one in plan if one["training"] == 1}
    assert again == {0, 2, "all"} and all("training 2" in study.method(one) for one in plan if one["training"])
    two = [one for one in plan if one["blocks"] == 2 and not one["fold"] and not one["test"]][:2]
    assert [one["training"] for one in two] == [0, 1]
    networks = [study.untrained(one)[0].get_weights() for one in two]
    assert not all(np.array_equal(a, b) for a, b in zip(*networks, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(*map(study.parts, two), strict=True))


def test_a_twin_as_hard_as_the_curves_is_planned_once():
    labels = [study.label(one) for one in study.plan(VALUES | {"difficulty": 2.0})]
    assert len(labels) == len(set(labels)) and "inbreast-smallnetworkfromscratch-difficulty2-fold0" in labels


def test_large_networks_and_all_else_are_different_processes(plan):
    heavy = {study.group(one) for one in plan if study.is_trained(one) and one["blocks"] != study.SMALL}
    others = {study.group(one) for one in plan} - heavy
    assert others == {"inbreast-vgg16-others-difficulty1", "inbreast-vgg16-others-difficulty2"}
    assert all(re.fullmatch("[A-Za-z0-9_-]+", name) for name in heavy | others)


def test_without_a_merger_the_first_sets_first_fold_is_screened_with():
    plan = study.plan(VALUES | {"sets": ["inbreast", "mias"], "networks_merged": []})
    last = next(one for one in plan if one["test"])
    assert last["dataset"] == "inbreast" and plan[plan.index(last) - 1] == last | {"test": ""}
    assert study.group(last) == study.group(plan[plan.index(last) - 1])


def test_fewer_women_are_among_more_and_the_test_part_stays(plan):
    one = next(one for one in plan if one["blocks"] == study.PLAIN and not one["women"])
    found = study.dataset(one, "inbreast")
    some = [study.parts(one | {"women": count}) for count in (4, 6)]
    women = [set(found.patients[np.concatenate(part[:2])]) for part in some]
    assert [*map(len, women)] == [4, 6] and women[0] < women[1]
    assert all(np.array_equal(part[2], study.parts(one)[2]) for part in some)


def test_sides_of_a_split_keep_more_and_more_together():
    found = study.dataset(study.plan(VALUES | {"sets": ["cbis_ddsm"]})[0], "cbis_ddsm")
    counts = [len(set(study.sides(found.table, rule))) for rule in study.LADDER]
    assert counts == sorted(counts, reverse=True) and counts[0] == len(found.table)
    assert counts[-1] == found.table["patient"].nunique()
    with pytest.raises(ValueError, match="by='lesion'.*no column abnormality_id"):
        study.sides(found.table.drop(columns="abnormality_id"), "lesion")


def test_gaussian_weights_lie_where_the_paper_says(plan):
    _, backbone = study.untrained(next(one for one in plan if one["weights"] == "gaussian"))
    kernel = np.concatenate([layer.get_weights()[0].ravel() for layer in backbone.layers if layer.weights])
    assert kernel.min() >= 0 and 0.04 < kernel.max() <= np.float32(0.05)


def test_short_names_drop_what_tells_nothing():
    names = [f"inbreast, {NARROW}, phantom, 2 blocks, difficulty 2", "inbreast, size of the box, difficulty 2"]
    assert [*study.short(names).values()] == ["1/8 of the width, 2 blocks", "size of the box"]
    both = ["a, vgg16, imagenet, 2 blocks, official parts", "a, resnet50, random, all blocks"]
    assert [*study.short(both).values()] == ["vgg16, 2 blocks", "resnet50, random, all blocks"]


def test_mias_has_folds_only_where_no_other_set_is(monkeypatch):
    monkeypatch.setattr(datasets, "available", lambda root: ("mias",))
    values = VALUES | {"data": "somewhere", "leak_by": ["image"]}
    assert {(one["dataset"], one["test"]) for one in study.plan(values)} == {("mias", "")}
    monkeypatch.setattr(datasets, "available", lambda root: ("idc",))
    assert study.plan(values) == []


def test_the_official_parts_are_tested_once_with_windows_by_the_lesion():
    values = VALUES | {"sets": ["cbis_ddsm", "inbreast"], "by": "official", "window": 1.5}
    plan = study.plan(values)
    official = [one for one in plan if one["dataset"] == "cbis_ddsm"]
    apart = [one for one in official if one["by"] != "image" and not one["women"]]
    assert {one["fold"] for one in apart} == {0} and {one["by"] for one in apart} == {"official"}
    assert {one["by"] for one in plan if one["dataset"] == "inbreast"} == {"patient", "image"}
    found = study.dataset(official[0], "cbis_ddsm")
    train, check, test = study.parts(official[0])
    parts = found.table["split"].to_numpy()
    assert set(parts[test]) == {"test"} and set(parts[np.concatenate([train, check])]) == {"train"}
    assert sorted([*train, *check, *test]) == list(range(len(parts)))
    assert found.table["window"].nunique() > 3
    assert study.method(official[1]) == "cbis_ddsm, size of the box, official parts"


def test_plain_classifiers_need_no_training(plan):
    for one in (one for one in plan[:8] if not study.is_trained(one)):
        result = study.compute(one)
        tested = study.dataset(one, "inbreast").table.iloc[study.parts(one)[2]]
        assert result.predictions["image_id"].tolist() == tested["image_id"].tolist()
        assert result.predictions["method"].unique().tolist() == [study.method(one)] and not result.tables


def test_no_patient_is_on_two_sides_unless_folds_are_by_image(plan):
    for one in (one for one in plan if not one["women"]):
        train, check, test = study.parts(one)
        patients = study.dataset(one, one["dataset"]).patients
        assert len(set(train) | set(check) | set(test)) == len(train) + len(check) + len(test) == len(patients)
        sides = [set(patients[rows]) for rows in (train, check, test)]
        shared = (sides[0] | sides[1]) & sides[2] | sides[0] & sides[1]
        assert bool(shared) == (one["by"] == "image")


def test_the_folds_of_a_set_test_each_region_once(plan):
    one = plan[0]
    tested = [study.parts(one | {"fold": fold})[2] for fold in range(3)]
    assert sorted(np.concatenate(tested)) == list(range(len(study.dataset(one, "inbreast").table)))


def test_the_unit_for_screening_is_tested_on_the_unseen_set_and_leaves_a_model(plan, tmp_path):
    last = next(one for one in plan if one["test"])
    place = units.run(study, last, tmp_path)
    found = units.gather(study, [last], tmp_path)
    unseen = study.dataset(last, "mias")
    assert set(found.predictions["kind"]) <= {*datasets.mias.ABNORMALITIES}
    assert found.predictions["image_id"].tolist() == unseen.table["image_id"].tolist()
    assert found.units["layers trained"].tolist() == [6]
    screener = screening.load(place / "model.keras")
    assert screener.card.classes == unseen.classes and screener.card.data["twin"]
    learned, stopped, _ = study.parts(last)
    assert screener.card.data["images"] == len(learned)
    assert screener.card.data["images that decided when to stop"] == len(stopped)
    scores = screener.card.metrics
    assert [*scores][:2] == ["auc on mias", "accuracy on mias"] and len(scores) == 5
    assert all(low <= value <= high for value, low, high in [*scores.values()][:4])
    answer = screening.predict(screener, unseen.image(0)[..., 0], heat_map=False)
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_the_threshold_on_the_card_is_chosen_on_the_held_out_part():
    y = np.repeat([0, 1], 10)
    held = pd.DataFrame({"y_true": y, "p_1": np.r_[np.linspace(0, 0.45, 10), np.linspace(0.3, 0.75, 10)]})
    unseen = pd.DataFrame({"method": "a", "image_id": [*map(str, range(20))], "patient": [*map(str, range(20))],
                           "y_true": y, "p_1": np.r_[np.full(10, 0.2), np.full(10, 0.4)]})  # fmt: skip
    found = study.card_scores(unseen.assign(p_0=1 - unseen["p_1"]), held, "mias", 0)
    assert found["sensitivity at 0.3 on mias"][0] == found["specificity at 0.3 on mias"][0] == 1
    assert found["accuracy on mias"][0] == 0.5
    assert found["probabilities on mias too high by"] == pytest.approx(0.3 - 0.5)


def test_a_unit_is_the_same_alone_and_after_others_of_its_group(plan):
    two = next(one for one in plan if one["blocks"] == 2)
    study.compute(next(one for one in plan if one["blocks"] == 0))  # shares the first stage
    after = study.compute(two)
    study._head.cache_clear()
    study._trained.cache_clear()
    alone = study.compute(two)
    assert alone.predictions.equals(after.predictions)
    assert alone.tables["history"].equals(after.tables["history"])


@pytest.fixture(scope="module")
def bright():
    """Regions whose malignant ones are brighter."""
    labels = np.arange(24) % 2
    images = np.random.default_rng(0).integers(0, 120, (24, 32, 32, 3)).astype(np.uint8)
    images[labels == 1] += 100
    return images, labels


def trained(settings, head, bright):
    network, backbone = study.untrained(settings)
    before = {layer.name: layer.get_weights()[0].copy() for layer in backbone.layers if layer.weights}
    fit = study.train(network, backbone, settings, head, *bright, bright)
    after = {layer.name: layer.get_weights()[0] for layer in backbone.layers if layer.weights}
    return fit, {name.split("_")[0] for name in before if not np.array_equal(before[name], after[name])}


def test_the_head_learns_alone_then_the_chosen_blocks_with_it(plan, bright):
    training.forget()
    settings = plan[4] | {"epochs_head": 2, "epochs_tuning": 3, "blocks": 1, "learning_rate": 0.01}
    head, changed = trained(settings, "first", bright)
    assert not changed and len(head.history) == 2
    kept = [value.copy() for value in head.model.get_weights()]
    second, changed = trained(settings, head.model, bright)
    assert changed == {"block5"} and len(second.history) == 3
    assert all(np.array_equal(a, b) for a, b in zip(kept, head.model.get_weights(), strict=True))
    first = second.history["loss"].iloc[0]
    assert first < head.history["loss"].iloc[0]  # it goes on from where the head alone ended


def test_the_second_stage_stops_when_nothing_improves(plan, bright):
    training.forget()
    # A rate of 0: the loss can't fall.
    settings = plan[4] | {"epochs_tuning": 12, "blocks": 1, "learning_rate": 0.0, "patience": 2}
    head, _ = trained(settings, "first", bright)
    second, _ = trained(settings, head.model, bright)
    assert 2 < len(second.history) < 12


def test_the_penalty_decides_nothing(plan, bright):
    training.forget()
    # With a large penalty the loss falls in every epoch; the cross-entropy of guessed labels does not.
    images, labels = bright
    settings = plan[4] | {"epochs_head": 3, "l2": 10.0}
    network, backbone = study.untrained(settings)
    history = study.train(network, backbone, settings, "first", images, labels, (images, labels)).history
    assert (history["val_loss"] > 20).all() and (history["val_cross_entropy"] < 5).all()
    given = network.predict(images, verbose=0)[np.arange(len(labels)), labels]
    assert history["val_cross_entropy"].iloc[-1] == pytest.approx(-np.log(given).mean(), abs=0.01)


@pytest.mark.parametrize("by_batch", [False, True])
def test_frozen_blocks_may_normalize_by_the_batch(by_batch, bright):
    backbone = models.unfreeze(models.backbone("resnet50", 0.125, None, (32, 32, 3)), 0)
    if by_batch:
        stopping.normalize_by_batch(backbone)
    assert not backbone.trainable_weights
    before = {weight.path: keras.ops.convert_to_numpy(weight).copy() for weight in backbone.weights}
    backbone(bright[0].astype("float32"), training=True)
    after = {weight.path: keras.ops.convert_to_numpy(weight) for weight in backbone.weights}
    changed = {path.split("/")[-1] for path in before if not np.array_equal(before[path], after[path])}
    assert changed == ({"moving_mean", "moving_variance"} if by_batch else set())


def test_an_unknown_number_of_blocks_is_refused_before_anything_is_trained():
    with pytest.raises(ValueError, match="strategies=.*'4'.*expected each of plain, 0., 2-, 2s, 0, 1, 2, 3, all"):
        study.plan(VALUES | {"strategies": ["2", "4"]})
    with pytest.raises(ValueError, match="strategies=.*expected 2 among them"):
        study.plan(VALUES | {"strategies": ["plain"], "networks_compared": []})
    with pytest.raises(ValueError, match="strategies=.*expected plain among them"):
        study.plan(VALUES | {"strategies": ["2"]})
    with pytest.raises(ValueError, match="folds_run=5: expected at most folds=3"):
        study.plan(VALUES | {"folds_run": 5})
    with pytest.raises(ValueError, match="leak_by=.*expected each of image, film, lesion, breast, woman"):
        study.plan(VALUES | {"leak_by": ["view"]})
    with pytest.raises(ValueError, match="ablations=.*expected each of augmentation, dropout, penalty, contrast"):
        study.plan(VALUES | {"ablations": ["head"]})


ASIDE = {
    "sets": ["inbreast", "mias"], "networks_compared": [], "networks_merged": [], "curve_women": [], "random": [],
    "curve_difficulty": [], "strategies": ["plain", "2"], "leak_by": ["image", "woman"], "folds_run": 1,
    "ablations": ["penalty", "contrast"], "test_decides": ["plain", "2"], "away_by": ["woman"],
    "pool": ["all", "others", "which", "scales"],
}  # fmt: skip


@pytest.fixture(scope="module")
def aside():
    """The units of the plan that are no usual ones, first folds, by the end of their methods' names."""
    plan = study.plan(VALUES | ASIDE)
    assert len({study.label(one) for one in plan}) == len(plan) and json.loads(json.dumps(plan)) == plan
    return {(one["dataset"], one["variant"], one["blocks"]): one for one in plan if one["variant"] and not one["fold"]}


def test_what_a_unit_leaves_out_is_left_out(aside):
    networks = {name: study.untrained(one)[0] for (_, name, _), one in aside.items() if name.startswith("without")}
    assert [*networks] == ["without penalty", "without contrast normalization"]
    penalized = {name: float(sum(network.losses)) for name, network in networks.items()}
    assert penalized["without penalty"] == 0 < penalized["without contrast normalization"]
    kinds = {name: {type(layer).__name__ for layer in network.layers} for name, network in networks.items()}
    assert [name for name, found in kinds.items() if "GlobalContrast" in found] == ["without penalty"]
    usual = study.untrained(aside["inbreast", study.STOPPED, 2] | {"variant": study.WITHOUT["augmentation"]})[0]
    assert "RandomAffine" not in {type(layer).__name__ for layer in usual.layers}


def test_the_test_part_may_decide(aside):
    stopped = aside["inbreast", study.STOPPED, 2]
    usual = study.parts(stopped | {"variant": ""})
    train, check, test = study.parts(stopped)
    assert np.array_equal(check, test) and np.array_equal(train, usual[0]) and not set(usual[1]) & set(check)
    assert study.group(stopped) == study.group(stopped | {"variant": ""})
    result = study.compute(aside["inbreast", study.PENALTY, study.PLAIN])
    assert result.facts["chosen"].startswith("C=") and len(result.predictions) == len(test)


def test_several_sets_are_pooled_and_told_apart(aside):
    inbreast, mias = (len(study.dataset(aside["inbreast", study.ALL_SETS, study.PLAIN], name).table)
                      for name in ("inbreast", "mias"))  # fmt: skip
    for name, own, other in (("inbreast", inbreast, mias), ("mias", mias, inbreast)):
        unit = aside[name, study.ALL_SETS, study.PLAIN]
        tested = len(study.parts(unit)[2])
        every, others = (study.compute(aside[name, one, study.PLAIN]) for one in (study.ALL_SETS, study.OTHER_SETS))
        assert [every.facts["regions"], others.facts["regions"]] == [own - tested + other, other]
        assert every.predictions["image_id"].equals(others.predictions["image_id"]) and len(every.predictions) == tested
    which = study.compute(aside["inbreast", study.WHICH, study.ACQUISITION]).predictions
    assert which["y_true"].sum() == which["image_id"].str.startswith("inbreast ").sum() > 0
    assert ("mias", study.WHICH, study.PLAIN) not in aside  # of two sets one answer is enough


def test_windows_by_archive_are_of_another_length_in_each(aside):
    unit = aside["inbreast", study.OTHER_SETS + study.SCALED, study.PLAIN]
    windows = {name: set(study.dataset(unit, name).table["window"]) for name in ("inbreast", "mias")}
    assert windows == {"inbreast": {105}, "mias": {300}}  # 21 and 60 mm, at 0.2 mm of the drawn films


def test_regions_without_the_lesion_touch_none(aside):
    unit = aside["inbreast", study.AWAY, study.PLAIN]
    found = cutting.cut(study.dataset(unit, "inbreast"), 1.0, 0.0, "region")
    moved, there = cutting.away(found, 0)
    assert there.any() and moved.table["window"].nunique() == 1
    for name, boxes in found.table.groupby("path"):
        for _, one in moved.table[(moved.table["path"] == name) & there].iterrows():
            apart = (one["bottom"] <= boxes["top"]) | (one["top"] >= boxes["bottom"])
            assert (apart | (one["right"] <= boxes["left"]) | (one["left"] >= boxes["right"])).all()
    tested = study.compute(unit).predictions["image_id"]
    assert set(tested) <= set(found.table["image_id"].iloc[study.parts(unit)[2]])


def test_regions_are_stretched_by_the_region_or_the_film(plan):
    found = study.dataset(plan[0], "mias")
    other = cutting.cut(found, 0.0, 0.0, "film")
    assert found.fingerprint != other.fingerprint
    region, same = found.image(0), other.image(0)
    assert (region.min(), region.max()) == (0, 255) and np.ptp(same) < 255
    assert np.corrcoef(region.ravel(), same.ravel())[0, 1] > 0.999


def test_how_regions_are_cut_is_checked(plan):
    found = study.dataset(plan[0], "mias")
    assert set(cutting.cut(found, 0.0, 30.0, "region").table["window"]) == {150}
    with pytest.raises(ValueError, match="millimeters=30.0 and window=2.0: expected one of them to be 0"):
        cutting.cut(found, 2.0, 30.0, "region")
    with pytest.raises(ValueError, match="stretch='all': expected one of region, film"):
        cutting.cut(found, 0.0, 0.0, "all")
    with pytest.raises(ValueError, match="millimeters=30.0: the size of a pixel of real cbis_ddsm films is not known"):
        cutting.cut(replace(found, twin=False, name="cbis_ddsm"), 0.0, 30.0, "region")


def test_a_damaged_film_stops_the_run_or_is_left_out(tmp_path):
    twins.write("mias", tmp_path, 8, 0)
    film = study._load("mias", tmp_path, 0, 0, 1.0, "error", 0.0, 0.0, "region").table["path"][0]
    file = next(tmp_path.rglob(film))
    file.write_bytes(file.read_bytes()[:100])
    study._load.cache_clear()
    place = ("mias", tmp_path, 0, 0, 1.0)
    with pytest.raises(ValueError, match=file.name):
        study._load(*place, "error", 0.0, 0.0, "region").images(32)
    left = study._load(*place, "skip", 0.0, 0.0, "region")
    assert film not in set(left.table["path"]) and left.all_left_out["damaged"] == 1
