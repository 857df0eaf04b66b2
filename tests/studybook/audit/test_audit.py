"""studybook.audit: arms differ in the flaw alone, scores are the library's, and a flaw that is there is found."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from histolib import metrics
from studybook.audit import findings, flaws, material, measuring, study, traits
from studybook.published import reported

SETTINGS = {
    "set": "idc", "folds": 3, "repetitions": 1, "epochs": 2, "training_seeds": [0, 1], "hidden": 4, "seed": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def made() -> material.Material:
    """Patients with a mark of their own and nothing else: what is learned is who they are."""
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(60), 4)
    label = np.tile([0, 0, 1], 20)[patients]
    marks = rng.normal(size=(60, 60))[patients] + 0.1 * rng.normal(size=(240, 60))
    table = pd.DataFrame(
        {"image_id": [f"i{k:03d}" for k in range(240)], "label": label, "patient": patients.astype(str)}
    )
    small = np.flatnonzero(label)
    parents = np.column_stack([small, np.roll(small, 4)])
    features = {name: marks for name in ("network", "colors", "traits")}
    return material.Material(table, features, (marks[parents[:, 0]] + marks[parents[:, 1]]) / 2, parents)


@pytest.fixture(scope="module")
def rows(made) -> pd.DataFrame:
    return pd.concat(study.Trial(made, SETTINGS, 0).arms(), ignore_index=True)


def test_every_arm_predicts_every_image_once(made, rows):
    for method, part in rows.groupby("method"):
        real = part[~part["image_id"].str.startswith("blend")]
        assert sorted(real["image_id"]) == sorted(made.table["image_id"]), method
    arms = flaws.of_set(rows, "idc")
    blends = {arm for arm, part in arms.items() if part["image_id"].str.startswith("blend").any()}
    assert blends == {study.BEFORE, study.BEFORE_BY_IMAGE}


def test_who_is_remembered_leaks_by_image_and_not_by_patient(rows):
    sizes = flaws.sizes(rows, 50, 0)
    assert sizes.at[("by_image", "idc"), "inflated"] > 0.8
    assert abs(sizes.at[("by_image", "idc"), "honest"] - 0.5) < 0.2
    assert sizes.at[("by_image", "idc"), "low"] > 0
    assert sizes.at[("smote_before_by_image", "idc"), "low"] > 0
    assert "inflates" in findings.sentences({"a run": sizes}, ["by_image"]).data


def test_what_is_chosen_on_the_test_part_is_never_worse_there(rows):
    sizes = flaws.sizes(rows, 20, 0)
    for flaw in ("threshold", "seeds"):
        assert sizes.at[(flaw, "idc"), "value"] >= 0
    assert sizes.at[("accuracy", "idc"), "value"] == pytest.approx(2 / 3 - 0.5)


def test_a_division_keeps_together_what_has_one_name(made):
    labels, patients = made.table["label"].to_numpy(), made.table["patient"].to_numpy()
    for side in study.divided(labels, patients, 3, 0):
        parts = [set(patients[part]) for part in side[1:]]
        assert not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]
        assert sum(len(part) for part in side[1:]) == len(labels)


def test_blends_are_learned_from_only_with_both_parents_in_the_training_part(made, monkeypatch):
    learned = []
    monkeypatch.setattr(study, "fitted", lambda values, *_: learned.append(len(values)) or FakeModel())
    trial = study.Trial(made, SETTINGS, 0)
    sides = [side for side, *_ in trial.smoted(before=False, by_image=False)]
    inside = [np.isin(made.parents, side.fit).all(1).sum() for side in sides]
    assert learned == [len(side.fit) + count for side, count in zip(sides, inside)]
    assert max(inside) < len(made.parents)


class FakeModel:
    """Answers one half."""

    def predict_proba(self, values):
        return np.full((len(values), 2), 0.5)


def test_scores_are_those_of_the_library_in_every_resample(rows):
    part = flaws.of_set(rows, "idc")[study.HONEST]
    drawn = measuring.Resamples.of(part, 5, 0)
    for name in ("auc", "balanced_accuracy", "accuracy", "f1", "sensitivity", "specificity"):
        found = measuring.scored(part, name, drawn)
        for weights, value in zip(drawn.weights, found):
            each = weights[drawn.patients.get_indexer(part["patient"])]
            kept = each > 0
            known = metrics.scores(part["y_true"][kept], part["p_1"][kept], weight=each[kept])
            assert value == pytest.approx(known[name])


def test_calibration_and_benefit_of_known_answers():
    table = pd.DataFrame({
        "method": "m", "seed": 0, "patient": ["a", "b", "c", "d"], "y_true": [1, 1, 0, 1], "p_1": [0.75] * 4,
    })  # fmt: skip
    drawn = measuring.Resamples.of(table, 2, 0)
    assert measuring.scored(table, "ece", drawn)[0] == 0
    assert measuring.scored(table.assign(p_1=0.95), "ece", drawn)[0] == pytest.approx(0.2)
    # Three of four are found, one false alarm weighs the odds of one half.
    assert measuring.scored(table, "net benefit", drawn, 0.5)[0] == pytest.approx(3 / 4 - 1 / 4)
    assert measuring.reliability(table).iloc[0].tolist() == [0.75, 0.75, 4]


def test_a_temperature_mends_answers_that_are_too_sure():
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.1, 0.9, 4000)
    labels = (rng.uniform(size=4000) < truth).astype(int)
    sure = study.tempered(truth, 1 / 3)
    assert study.temperature(labels, sure) == pytest.approx(3, rel=0.15)
    assert np.allclose(study.tempered(sure, 3.0), truth)


@pytest.mark.parametrize("score", ["nonsense", "AUC"])
def test_an_unknown_score_is_named(rows, score):
    part = flaws.of_set(rows, "idc")[study.HONEST]
    with pytest.raises(ValueError, match=f"score='{score}': expected one of auc, accuracy"):
        measuring.scored(part, score, measuring.Resamples.of(part, 2, 0))


def test_what_the_flaws_quote_is_printed_there():
    table = flaws.touched()
    assert set(table["where"].str.partition(", ")[0]) == {flaws.citation(paper) for paper in reported.papers()}
    assert {flaw["title"] for flaw in flaws.listed()} == set(table.index)
    assert not table.isna().any(axis=None)


def test_sets_that_are_not_there_are_left_out_and_none_is_an_error(tmp_path):
    values = {"data": str(tmp_path), "sets": ["idc"]} | dict.fromkeys(study._SHARED)
    with pytest.raises(ValueError, match="sets=.*none is there"):
        study.plan(values | {"data": str(tmp_path)})


def test_slides_without_a_number_in_common_are_halved():
    table = pd.DataFrame({
        "image_id": list("abcdef"), "label": [0, 0, 0, 1, 1, 1], "patient": list("ppprrr"), "case": list("112334"),
        "slide": list("sstuuv"),
    })  # fmt: skip
    found = SimpleNamespace(table=table)
    shared = material.manifest("breakhis", found, np.arange(6))
    assert shared["patient"].tolist() == list("112334") and shared["slide"].nunique() == 6
    table["case"], table["slide"] = list("111222"), list("stuvwx")
    assert material.manifest("breakhis", found, np.arange(6))["slide"].tolist() == list("stuvwx")


def test_traits_tell_how_an_image_was_taken():
    one = {"set": "idc", "data": None, "patients": 4, "data_seed": 1, "difficulty": 1.0, "window": 2.0}
    found = material.dataset(one)
    chosen = material.rows(found, 4, 0)
    assert np.bincount(np.unique(found.patients[chosen], return_inverse=True)[1]).max() == 4
    measured = traits.measured(found, chosen, found.images((32, 32), chosen), tissue=True)
    assert np.isfinite(measured).all(axis=None) and len(measured) == len(chosen)
    assert {name.split(",")[0].split()[0] for name in measured} == set(traits.KINDS)
    assert (measured["file, height"] <= 50).all() and (measured["file, bytes"] > 100).all()
