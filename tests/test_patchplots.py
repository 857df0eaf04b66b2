import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from histolib import patchplots, plots

IMAGE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
SCORES = pd.DataFrame(
    [
        {"magnification": m, "rule": r, "score": s, "value": 0.6 + 0.1 * k, "low": 0.5, "high": 0.9}
        for s in ("accuracy", "F1")
        for k, r in enumerate(("sum", "vote", "exist"))
        for m in ("40×", "100×")
    ]
)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def _points(axis) -> dict:
    """Label of each drawn group to its values, in order."""
    return {bars.get_label(): bars.lines[0].get_ydata().tolist() for bars in axis.containers}


def test_treatments_stand_above_their_histograms():
    names = ["raw", "CLAHE", "whitening", "demean", "one more"]
    figure = patchplots.treatments({name: IMAGE // (k + 1) for k, name in enumerate(names)}, "title")
    axes = figure.axes
    assert [axis.get_title() for axis in axes if axis.images] == names and len(axes) == 10
    assert [axis.get_xlabel() for axis in axes if not axis.images] == ["gray level"] * 5
    assert "pixels (%)" in {axis.get_ylabel() for axis in axes}
    areas = [axis.collections[0].get_paths()[0].vertices[:, 1].max() for axis in axes if not axis.images]
    assert all(0 < area <= 100 for area in areas)


def test_groups_stand_in_order_and_apart():
    plots.style()
    figure = patchplots.by_magnification(SCORES, "title", hue="rule", panel="score")
    assert [axis.get_ylabel() for axis in figure.axes] == ["accuracy", "F1"]
    assert figure.axes[-1].get_xlabel() == "magnification"
    assert [label.get_text() for label in figure.axes[-1].get_xticklabels()] == ["40×", "100×"]
    found = _points(figure.axes[0])
    assert list(found) == ["sum", "vote", "exist"] and found["vote"] == pytest.approx([0.7, 0.7])
    places = np.sort(np.concatenate([bars.lines[0].get_xdata() for bars in figure.axes[0].containers]).astype(float))
    assert np.diff(places).min() > 0.15 and (np.abs(places - np.rint(places)) < 0.45).all()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["sum", "vote", "exist"]


def test_reported_values_are_hollow_and_need_no_interval():
    reported = SCORES[["magnification", "rule", "score"]].assign(value=0.95)[SCORES["score"] == "accuracy"]
    figure = patchplots.by_magnification(SCORES, "title", hue="rule", panel="score", reported=reported)
    hollow = [bars.lines[0] for bars in figure.axes[0].containers if bars.lines[0].get_markerfacecolor() == "white"]
    assert len(hollow) == 3 and all((line.get_ydata() == 0.95).all() for line in hollow)
    assert figure.legends[0].get_texts()[-1].get_text() == "hollow: reported"


def test_one_panel_without_its_column():
    one = SCORES[SCORES["score"] == "F1"].drop(columns="score")
    figure = patchplots.by_magnification(one, "title", hue="rule", label="image F1")
    assert [axis.get_ylabel() for axis in figure.axes] == ["image F1"]
    many = pd.concat([one.assign(rule=f"{k}") for k in range(9)])
    with pytest.raises(ValueError, match="9 variants; expected at most 8"):
        patchplots.by_magnification(many, "title", hue="rule")


def test_a_map_lies_over_its_image_red_where_likely():
    values = np.full((20, 30), np.nan)
    values[:, :10], values[:, 10:20] = 0.9, 0.1
    figure = patchplots.localized({"is malignant": (IMAGE, values), "is benign": (IMAGE, 1 - values)}, "title")
    assert [axis.get_title() for axis in figure.axes[:2]] == ["image", "map over the image in gray"]
    assert [axis.get_ylabel() for axis in figure.axes[:4:2]] == ["is malignant", "is benign"]
    drawn = figure.axes[1].images[1]
    red, blue = drawn.to_rgba(np.array([[0.9, 0.1]]))[0, :, :3]
    assert red[0] > red[2] and blue[2] > blue[0] and drawn.get_clim() == (0, 1)
    assert drawn.get_array().mask[:, 20:].all() and not drawn.get_array().mask[:, :20].any()
    assert figure.axes[-1].get_ylabel() == "probability of malignant"


def test_feature_maps_share_a_scale():
    maps = np.random.default_rng(1).random((10, 15, 7)) * np.arange(1, 8)
    figure = patchplots.feature_maps(IMAGE, maps, "title", columns=4)
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == ["patch", *(f"map {k}" for k in range(1, 8))]
    limits = {axis.images[0].get_clim() for axis in figure.axes[1:8]}
    assert limits == {(0, maps.max())} and figure.axes[-1].get_ylabel() == "activation (no unit)"
    assert patchplots.feature_maps(IMAGE, np.zeros((4, 4, 2)), "title").axes[1].images[0].get_clim() == (0, 1)


def test_windows_are_outlined_where_they_lie():
    places = {"sliding": (np.array([[0, 0], [5, 12]]), 10), "random": (np.array([[3, 4]]), 6)}
    figure = patchplots.windows(IMAGE, places, "ways")
    first, second = figure.axes
    corners = [(box.get_x() + 0.5, box.get_y() + 0.5, box.get_width()) for box in first.patches]
    assert corners == [(12, 5, 10), (0, 0, 10)]
    assert [box.get_linewidth() for box in first.patches] == [0.8, 3]
    assert (
        first.get_title() == "sliding: 2 patches of 10 pixels"
        and len(second.patches) == 1
        and figure._suptitle.get_text() == "ways"
    )
