"""Chapters and units on another Keras backend than TensorFlow, where one is installed (`make jax`).

A backend draws initial weights and augmentations in its own way, so that a trained network is another one on each.
Whatever is not drawn has to be the same on all: which images are tested, the answers of what is only fitted exactly,
those of frozen networks nearly. All chapters at the smoke scale on all backends: ``pytest -m slow`` with this file.
"""

import importlib.util
import json
import os
from pathlib import Path

import pandas as pd
import pytest
import yaml
from engine import CHAPTERS, ROOT, command

from studybook.engine import units

BACKENDS = [name for name in ("jax", "torch") if importlib.util.find_spec(name)] or [
    pytest.param("jax", marks=pytest.mark.skip("neither JAX nor PyTorch is installed; see `make jax`"))
]
DRAWN = ("baseline", "feature_extraction", "fine_tuning", "study: map", "study: rate")  # by the backend, or maps of it
NEARLY = ["Lite0, frozen, logistic"]
# Of a probability: sums of a frozen network are rounded otherwise, to a thousandth of a feature, and a regression of
# much strength on thousands of them answers otherwise by so much.
TOLERANCE = 0.05


@pytest.fixture(params=BACKENDS)
def backend(request, monkeypatch):
    """Name of another backend; what is started in the test runs on it."""
    monkeypatch.setenv("KERAS_BACKEND", request.param)
    return request.param


def _parameters(chapter: str, folder: Path, **changed) -> str:
    """File with the parameters of the smoke scale, but for those that are changed."""
    values = yaml.safe_load((ROOT / "runs/smoke" / chapter / "parameters.yaml").read_text("utf8"))
    (folder / "parameters.yaml").write_text(yaml.safe_dump(values | {"output": str(folder)} | changed), "utf8")
    return str(folder / "parameters.yaml")


def _execute(chapter: str, folder: Path, **changed) -> pd.DataFrame:
    """Predictions of a chapter."""
    arguments = ["-m", "papermill", f"notebooks/{chapter}.ipynb", str(folder / "executed.ipynb"), "--no-progress-bar"]
    arguments += ["-f", _parameters(chapter, folder, **changed), "-k", "python3", "--cwd", "notebooks"]
    result = command(arguments, ROOT, os.environ)
    assert result.returncode == 0, result.stderr[-3000:]
    return pd.read_csv(folder / "predictions.csv.gz")


def _units(stamp: Path) -> pd.DataFrame:
    """Predictions of the units that a stamp lists."""
    folders = [stamp.parent / name for name in json.loads(stamp.read_text("utf8"))]
    return pd.concat((pd.read_csv(one / "predictions.csv.gz") for one in folders), ignore_index=True)


def _compare(found: pd.DataFrame, expected: pd.DataFrame, methods: list[str], tolerance: float) -> None:
    """The answers of some methods beside those of the run on TensorFlow."""
    tables = [rows[rows["method"].isin(methods)] for rows in (found, expected)]
    assert set(tables[0]["method"]) == set(methods)
    names = ["method", "fold", "image_id", "patient", "y_true", "p_0", "p_1"]
    ordered = [rows[names].sort_values(names[:3], kind="stable", ignore_index=True) for rows in tables]
    pd.testing.assert_frame_equal(*ordered, atol=tolerance, rtol=0)


def test_the_first_chapter_gives_the_same_tables(backend, smoke, tmp_path):
    found = _execute("idc_transfer", tmp_path, training_seeds=[0])
    fitted = [name for name in found["method"].unique() if not name.startswith(DRAWN) and name not in NEARLY]
    assert len(fitted) > 6
    expected = pd.read_csv(ROOT / "runs/smoke/idc_transfer/predictions.csv.gz")
    _compare(found, expected, fitted, 1e-9)
    _compare(found, expected, NEARLY, TOLERANCE)
    # Trained networks: one row for each of the same images, probabilities that are none of the other backend's.
    trained = found[found["method"] == "fine_tuning"]
    assert set(trained["image_id"]) == set(found["image_id"][found["method"] == "larger class"])
    assert trained[["p_0", "p_1"]].sum(axis=1).round(5).eq(1).all() and trained["p_1"].nunique() > 2


def test_units_of_a_study_give_the_same_tables(backend, smoke, tmp_path):
    file, chapter = _parameters("breakhis_patches", tmp_path, networks=["SVM", "DeCAF"]), "breakhis_patches"
    stamp = tmp_path / "units/part1.json"
    arguments = ["-m", "studybook.engine.units", chapter, "part1", "--processes", "1", "--parameters", file]
    result = command([*arguments, "--stamp", str(stamp)], ROOT, os.environ)
    assert result.returncode == 0, result.stderr[-3000:]
    assert f'"{backend}"' in next(stamp.parent.glob("DeCAF*/record.json")).read_text("utf8")
    found, expected = map(_units, (stamp, ROOT / "runs/smoke" / chapter / "units/part1.json"))
    svm, network = (next(one for one in found["method"] if one.startswith(name)) for name in ("SVM", "DeCAF"))
    _compare(found, expected, [svm], 1e-9)
    _compare(found, expected, [network], TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_runs(backend, chapter, smoke, tmp_path):
    found = _execute(chapter, tmp_path)
    expected = pd.read_csv(ROOT / "runs/smoke" / chapter / "predictions.csv.gz")
    assert set(found["method"]) == set(expected["method"]) and len(found) == len(expected)


def test_units_of_two_backends_are_kept_apart(monkeypatch, tmp_path):
    import toy_study

    one = toy_study.plan({"data": None, "powers": [1], "seed": 0})[0]
    places = set()
    for name in ("", "tensorflow", "jax", "torch"):
        monkeypatch.setenv("KERAS_BACKEND", name)
        places.add(units.folder(toy_study, one, tmp_path))
    assert len(places) == 3
