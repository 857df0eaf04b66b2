"""The plan of the mammography study, its parts, and one unit of it."""

import json

import numpy as np
import pytest

from histolib import datasets, training
from studybook import screening
from studybook.engine import units
from studybook.papers.mammography_finetuning import study

VALUES = {
    "data": None, "patients": 12, "data_seed": 3, "sets": ["inbreast", "merged", "mias"], "networks": ["vgg16"],
    "networks_compared": ["resnet50"], "networks_merged": ["vgg16"], "network_screening": "vgg16",
    "strategies": ["plain", "0", "2", "all"], "leak": ["2"], "random": True, "by": "patient", "window": 0.0,
    "weights": "phantom", "width": 0.125, "size": 32, "folds": 3, "folds_run": 2,
    "epochs_head": 1, "epochs_tuning": 1, "batch_size": 8, "learning_rate": 1e-3, "patience": 5, "dropout": 0.5,
    "l2": 1e-3, "seed": 0,
}  # fmt: skip


@pytest.fixture
def plan():
    return study.plan(VALUES)


def test_every_comparison_of_the_paper_is_planned_once(plan):
    labels = [study.label(one) for one in plan]
    assert len(set(labels)) == len(labels)
    first = [one for one in plan if one["fold"] == 0]
    assert [study.method(one) for one in first] == [
        "inbreast, size of the box",
        "inbreast, vgg16, phantom, plain classifier",
        "inbreast, vgg16, phantom, 0 blocks",
        "inbreast, vgg16, phantom, 2 blocks",
        "inbreast, vgg16, phantom, all blocks",
        "inbreast, vgg16, random, all blocks",
        "inbreast, resnet50, phantom, 2 blocks",
        "inbreast, vgg16, phantom, 2 blocks, by image",
        "merged, vgg16, phantom, 2 blocks",
        "merged, vgg16, phantom, 2 blocks, tested on mias",
    ]
    assert len(plan) == 2 * 9 + 1
    assert json.loads(json.dumps(plan)) == plan


def test_mias_has_folds_only_where_no_other_set_is(monkeypatch):
    monkeypatch.setattr(datasets, "available", lambda root: ("mias",))
    values = VALUES | {"data": "somewhere"}
    assert {(one["dataset"], one["test"]) for one in study.plan(values)} == {("mias", "")}
    monkeypatch.setattr(datasets, "available", lambda root: ("idc",))
    assert study.plan(values) == []


def test_the_official_parts_are_tested_once_with_windows_by_the_lesion():
    values = VALUES | {"sets": ["cbis_ddsm", "inbreast"], "by": "official", "window": 1.5}
    plan = study.plan(values)
    official = [one for one in plan if one["dataset"] == "cbis_ddsm"]
    apart = [one for one in official if one["by"] != "image"]
    assert {one["fold"] for one in apart} == {0} and {one["by"] for one in apart} == {"official"}
    assert {one["by"] for one in plan if one["dataset"] == "inbreast"} == {"patient", "image"}
    found = study.dataset(official[0], "cbis_ddsm")
    train, check, test = study.parts(official[0])
    parts = found.table["split"].to_numpy()
    assert set(parts[test]) == {"test"} and set(parts[np.concatenate([train, check])]) == {"train"}
    assert sorted([*train, *check, *test]) == list(range(len(parts)))
    assert found.table["window"].nunique() > 3
    assert study.method(official[0]) == "cbis_ddsm, size of the box, official parts"


def test_plain_classifiers_need_no_training(plan):
    for one in (one for one in plan[:4] if one["blocks"] in (study.PLAIN, study.BOX)):
        result = study.compute(one)
        tested = study.dataset(one, "inbreast").table.iloc[study.parts(one)[2]]
        assert result.predictions["image_id"].tolist() == tested["image_id"].tolist()
        assert result.predictions["method"].unique().tolist() == [study.method(one)] and not result.tables


def test_no_patient_is_on_two_sides_unless_folds_are_by_image(plan):
    for one in plan:
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
    place = units.run(study, plan[-1], tmp_path)
    found = units.gather(study, plan[-1:], tmp_path)
    unseen = study.dataset(plan[-1], "mias")
    assert found.predictions["image_id"].tolist() == unseen.table["image_id"].tolist()
    assert found.units["layers trained"].tolist() == [6]
    screener = screening.load(place / "model.keras")
    assert screener.card.classes == unseen.classes and screener.card.data["twin"]
    assert list(screener.card.metrics) == ["auc on mias", "accuracy on mias"]
    assert all(low <= value <= high for value, low, high in screener.card.metrics.values())
    answer = screening.predict(screener, unseen.image(0)[..., 0], heat_map=False)
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_a_unit_is_the_same_alone_and_after_others_of_its_group(plan):
    two = next(one for one in plan if one["blocks"] == 2)
    study.compute(next(one for one in plan if one["blocks"] == 0))  # shares the first stage
    after = study.compute(two)
    study._head.cache_clear()
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
    settings = plan[2] | {"epochs_head": 2, "epochs_tuning": 3, "blocks": 1, "learning_rate": 0.01}
    head, changed = trained(settings, None, bright)
    assert not changed and len(head.history) == 2
    kept = [value.copy() for value in head.model.get_weights()]
    second, changed = trained(settings, head, bright)
    assert changed == {"block5"} and len(second.history) == 3
    assert all(np.array_equal(a, b) for a, b in zip(kept, head.model.get_weights(), strict=True))
    first = second.history["loss"].iloc[0]
    assert first < head.history["loss"].iloc[0]  # it goes on from where the head alone ended


def test_the_second_stage_stops_when_nothing_improves(plan, bright):
    training.forget()
    # A rate of 0: the loss can't fall.
    settings = plan[2] | {"epochs_tuning": 12, "blocks": 1, "learning_rate": 0.0, "patience": 2}
    head, _ = trained(settings, None, bright)
    second, _ = trained(settings, head, bright)
    assert 2 < len(second.history) < 12


def test_an_unknown_number_of_blocks_is_refused_before_anything_is_trained():
    with pytest.raises(ValueError, match="strategies=.*'4'.*expected each of plain, 0, 1, 2, 3, all"):
        study.plan(VALUES | {"strategies": ["2", "4"]})
    with pytest.raises(ValueError, match="leak=.*expected at least one"):
        study.plan(VALUES | {"leak": []})
    with pytest.raises(ValueError, match="strategies=.*expected 2 among them"):
        study.plan(VALUES | {"strategies": ["plain"], "networks_compared": []})
