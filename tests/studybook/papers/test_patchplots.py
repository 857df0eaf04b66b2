import numpy as np

from studybook.papers.breakhis_patches import figures

IMAGE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def test_treatments_stand_above_their_histograms():
    names = ["raw", "CLAHE", "whitening", "demean", "one more"]
    figure = figures.treatments({name: IMAGE // (k + 1) for k, name in enumerate(names)}, "title")
    axes = figure.axes
    assert [axis.get_title() for axis in axes if axis.images] == names and len(axes) == 10
    assert [axis.get_xlabel() for axis in axes if not axis.images] == ["gray level"] * 5
    assert "pixels (%)" in {axis.get_ylabel() for axis in axes}
    areas = [axis.collections[0].get_paths()[0].vertices[:, 1].max() for axis in axes if not axis.images]
    assert all(0 < area <= 100 for area in areas)


def test_a_map_lies_over_its_image_red_where_likely():
    values = np.full((20, 30), np.nan)
    values[:, :10], values[:, 10:20] = 0.9, 0.1
    figure = figures.localized({"is malignant": (IMAGE, values), "is benign": (IMAGE, 1 - values)}, "title")
    assert [axis.get_title() for axis in figure.axes[:2]] == ["image", "map over the image in gray"]
    assert [axis.get_ylabel() for axis in figure.axes[:4:2]] == ["is malignant", "is benign"]
    drawn = figure.axes[1].images[1]
    red, blue = drawn.to_rgba(np.array([[0.9, 0.1]]))[0, :, :3]
    assert red[0] > red[2] and blue[2] > blue[0] and drawn.get_clim() == (0, 1)
    assert drawn.get_array().mask[:, 20:].all() and not drawn.get_array().mask[:, :20].any()
    assert figure.axes[-1].get_ylabel() == "probability of malignant"


def test_feature_maps_share_a_scale():
    maps = np.random.default_rng(1).random((10, 15, 7)) * np.arange(1, 8)
    figure = figures.feature_maps(IMAGE, maps, "title", columns=4)
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == ["patch", *(f"map {k}" for k in range(1, 8))]
    limits = {axis.images[0].get_clim() for axis in figure.axes[1:8]}
    assert limits == {(0, maps.max())} and figure.axes[-1].get_ylabel() == "activation (no unit)"
    assert figures.feature_maps(IMAGE, np.zeros((4, 4, 2)), "title").axes[1].images[0].get_clim() == (0, 1)


def test_windows_are_outlined_where_they_lie():
    places = {"sliding": (np.array([[0, 0], [5, 12]]), 10), "random": (np.array([[3, 4]]), 6)}
    figure = figures.windows(IMAGE, places, "ways")
    first, second = figure.axes
    corners = [(box.get_x() + 0.5, box.get_y() + 0.5, box.get_width()) for box in first.patches]
    assert corners == [(12, 5, 10), (0, 0, 10)]
    assert [box.get_linewidth() for box in first.patches] == [0.8, 3]
    assert (
        first.get_title() == "sliding: 2 patches of 10 pixels"
        and len(second.patches) == 1
        and figure._suptitle.get_text() == "ways"
    )
