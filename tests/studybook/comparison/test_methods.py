"""Every method of the matrix on a few tiny drawn images, and the protocol that all of them share."""

import numpy as np
import pandas as pd
import pytest

from histolib import datasets
from studybook.comparison import methods, names, study

VALUES = {
    "data": None, "sets": ["idc"], "sides": [36], "patients": [10], "data_seed": 2020, "difficulty": 1.0,
    "damaged": "error", "per_patient": 6, "parts": 2, "folds": [0, 1], "validation_share": 0.3, "split_seed": 0,
    "seeds": [0, 1], "without": [], "blocks": ["1"], "features_table": None, "features_set": "idc", "limit": 40,
    "crafted": ["rgb"], "lite_side": 32, "crops": 2, "augmentations": 2, "epochs": 1, "patience": 1, "batch_size": 16,
    "precision": "float32",
    "width": 0.125, "patch": 32,
}  # fmt: skip


def settings_of(kind: str, **others) -> dict:
    plan = study.plan(VALUES | others)
    return next(one for one in plan if one["kind"] == kind)


# The others differ in their networks, which have tests of their own, and run in the chapter at the smoke scale.
@pytest.mark.parametrize(
    "kind", [names.CONSTANT, names.TRAITS, names.COLORS, names.CRAFTED, names.TABLE, names.PATCHES]
)
def test_a_method_fits_some_rows_and_answers_others(kind, tmp_path):
    table = tmp_path / "features.npz"
    one = settings_of(kind, features_table=str(table))
    found, rows = study.dataset(one), study.parts(one)
    ids, own = found.table["image_id"].to_numpy(str), np.random.default_rng(0).normal(size=(len(found.table), 3))
    np.savez(table, image_id=ids, features=own + found.labels[:, None])
    made = methods.make(one)
    made.fit(found, rows.train, rows.validation)
    p = made.predict(found, rows.test)
    assert p.shape == (len(rows.test),) and np.isfinite(p).all() and p.min() >= 0 and p.max() <= 1
    assert kind == names.CONSTANT or len(np.unique(p)) > 1


def test_every_kind_has_a_class():
    assert {one["kind"] for one in study.plan(VALUES)} == {*names.ROWS, names.TUNED}
    for kind in names.KINDS:
        assert isinstance(methods.make({"kind": kind, "side": 36, "seed": 0}), methods.Method)


def test_all_methods_are_tested_on_the_same_patients_whom_none_has_seen():
    divisions = {}
    for one in study.plan(VALUES):
        rows, patients = study.parts(one), study.dataset(one).patients
        sides = [set(patients[part]) for part in rows]
        assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
        divisions.setdefault(one["fold"], set()).add(tuple(rows.test))
    assert {fold: len(found) for fold, found in divisions.items()} == {0: 1, 1: 1}
    assert divisions[0] != divisions[1]


def test_a_method_that_no_seed_changes_is_fitted_once():
    plan = study.plan(VALUES | {"folds": [0]})
    counted = {kind: sum(one["kind"] == kind for one in plan) for kind in (names.FROZEN, names.COLORS, names.BASELINE)}
    assert counted == {names.FROZEN: 1, names.COLORS: 2, names.BASELINE: 2}


def test_of_each_patient_so_many_images_at_most():
    found = study.dataset(settings_of(names.CONSTANT))
    assert found.table["patient"].value_counts().max() <= VALUES["per_patient"]
    assert len(found.table) == len(found.labels) < len(study.dataset(settings_of(names.CONSTANT, per_patient=0)).table)


def test_a_unit_says_its_threshold_seed_and_cost():
    one = settings_of(names.COLORS)
    result = study.compute(one)
    assert {"set", "seed", "threshold"} <= set(result.predictions)
    assert result.predictions["method"].unique().tolist() == ["idc: color histogram"]
    assert {"fit seconds", "images per second", "weights", "test patients"} <= set(result.facts)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"without": ["forest"]}, "without: forest; expected some of constant answer"),
        ({"without": list(names.ROWS), "blocks": []}, "leaves 0 rows; expected at least two"),
        ({"sets": ["idc", "moon"], "sides": [36, 36]}, "sets: moon"),
        ({"sides": [36, 48]}, r"sides=\[36, 48\]: expected one for each of sets"),
        ({"seeds": []}, r"seeds=\[\]"),
        ({"folds": [2]}, r"folds=\[2\]: expected some of 0 to 1"),
    ],
)
def test_parameters_that_do_not_fit_are_named(wrong, words):
    with pytest.raises(ValueError, match=words):
        study.plan(VALUES | wrong)


def test_four_classes_are_asked_one_question(tmp_path, monkeypatch):
    table = pd.DataFrame(
        {"image_id": list("abcd"), "patient": list("abcd"), "label": [0, 1, 2, 3], "path": list("abcd")}
    )
    four = datasets.Dataset("bach", tmp_path, table, ("normal", "benign", "in situ", "invasive"), (8, 8), twin=True)
    monkeypatch.setattr(study.twins, "folder", lambda *_: tmp_path)
    monkeypatch.setattr(study.datasets, "load", lambda *_: four)
    found = study.dataset(settings_of(names.CONSTANT, sets=["bach"], patients=[16], data_seed=1))
    assert found.labels.tolist() == [0, 0, 1, 1] and found.classes == ("no", "yes")
