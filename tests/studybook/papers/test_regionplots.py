"""Figures of regions: one panel for each thing shown, labels, frames by the answer."""

import numpy as np
import pandas as pd

from histolib import datasets
from histolib.plots import points
from studybook import twins
from studybook.papers.mammography_finetuning import figures
from studybook.screening import Prediction


def test_stages_show_film_outline_region_and_normalized_region():
    dataset = datasets.load("mias", twins.folder("mias", 4))
    figure = figures.stages(dataset, {"first": 0, "second": 1}, "title")
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == ["film", "outline and window", "region", "normalized region"] * 2
    assert figure.axes[1].lines[0].get_xydata().shape[1] == 2 and len(figure.axes[1].patches) == 1


def test_answers_are_framed_by_what_is_right_and_mistakes_come_first():
    rows = pd.DataFrame({"y_true": [0, 0, 1, 1, 1], "p_0": 0.5, "p_1": [0.1, 0.7, 0.9, 0.5, 0.2]})
    figure = figures.answers(np.zeros((5, 8, 8, 3), np.uint8), rows, ("benign", "malignant"), "title")
    told = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert told == ["wrong, 0.70", "right, 0.10", "wrong, 0.20", "right, 0.90", "right, 0.50"]
    colors = [axis.spines["left"].get_edgecolor()[:3] for axis in figure.axes if axis.get_title()]
    assert colors == [figures.RIGHT if text.startswith("right") else figures.WRONG for text in told]


def test_heat_maps_stand_below_their_regions():
    one = Prediction("benign", {"benign": 0.8, "malignant": 0.2}, (0, 0, 8, 8), np.zeros((4, 4, 3), np.uint8),
                     np.ones((8, 8), np.float32))  # fmt: skip
    figure = figures.heat_maps([("is benign", one), ("is malignant", one)], "title")
    assert [axis.get_title() for axis in figure.axes[:2]] == ["is benign\nbenign: 0.80", "is malignant\nbenign: 0.80"]


def test_points_have_a_panel_per_set_and_places_in_order():
    table = pd.DataFrame(
        {"blocks": [0, "all", 0], "network": "vgg16", "dataset": ["a", "a", "b"], "value": [0.5, 0.6, 0.7],
         "low": [0.4, 0.5, 0.6], "high": [0.6, 0.7, 0.8]}
    )  # fmt: skip
    figure = points(table, "blocks", "network", "dataset", "title", "accuracy")
    assert [axis.get_title() for axis in figure.axes] == ["a", "b"]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["0", "all"]
    assert figure.axes[0].get_ylabel() == "accuracy"
