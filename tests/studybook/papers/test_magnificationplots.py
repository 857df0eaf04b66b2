"""Figures of the two tasks: one panel for each thing shown, labels, points where they belong."""

import numpy as np
import pandas as pd
import pytest

from studybook.papers.breakhis_magnification import figures

RNG = np.random.default_rng(0)
IMAGES = {"40×": RNG.integers(0, 256, (20, 20, 3), dtype=np.uint8), "100×": np.zeros((20, 20, 3), np.uint8)}


def test_maps_stand_beside_their_image():
    maps = {"malignancy": RNG.random((2, 20, 20)), "magnification": RNG.random((2, 20, 20))}
    answers = {"malignancy": ["benign: 0.80", "malignant: 0.60"], "magnification": ["40×: 0.90", "40×: 0.50"]}
    figure = figures.ablation_maps(IMAGES, maps, "title", answers)
    panels = figure.axes[:6]
    assert [axis.get_ylabel() for axis in panels[::3]] == ["40×", "100×"]
    assert [axis.get_title() for axis in panels] == [
        "image", "malignancy\nbenign: 0.80", "magnification\n40×: 0.90", "", "malignant: 0.60", "40×: 0.50",
    ]  # fmt: skip
    assert [len(axis.images) for axis in panels] == [1, 2, 2] * 2
    assert np.array_equal(panels[5].images[1].get_array(), maps["magnification"][1])
    assert figure.axes[-1].get_ylabel() == "share of the largest fall of the answer"
    assert figure.get_suptitle() == "title"


def test_maps_without_answers():
    figure = figures.ablation_maps(IMAGES, {"malignancy": np.zeros((2, 20, 20))}, "title")
    assert [axis.get_title() for axis in figure.axes[:4]] == ["image", "malignancy", "", ""]


@pytest.fixture
def table():
    true = np.repeat([40, 100, 200, 400], 6)
    return pd.DataFrame({"magnification": true, "predicted": true * np.tile([0.5, 1, 2], 8),
                         "label_name": np.tile(["benign", "malignant"], 12)})  # fmt: skip


def test_regression_has_a_point_per_image_and_a_median_per_magnification(table):
    axis = figures.regressed(table, "title").axes[0]
    points = axis.collections[0].get_offsets()
    assert len(points) == 24 and points[:, 1].tolist() == table["predicted"].tolist()
    assert (np.abs(np.log2(points[:, 0] / table["magnification"])) < 0.12).all()
    assert [line.get_ydata()[0] for line in axis.lines[:4]] == [40, 100, 200, 400]
    assert axis.get_xscale() == axis.get_yscale() == "log"
    assert [label.get_text() for label in axis.get_xticklabels()] == ["40×", "100×", "200×", "400×"]


def test_groups_stand_side_by_side(table):
    figure = figures.regressed(table, "title", "label_name")
    first, second = (part.get_offsets()[:, 0] for part in figure.axes[0].collections)
    assert len(first) == len(second) == 12 and (first < second).all()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["benign", "malignant", "median", "as it is"]
