import numpy as np
import pandas as pd
import pytest

from histolib.images import patches

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 30, 44, 3), dtype=np.uint8)
MANIFEST = pd.DataFrame({"image_id": ["a", "b", "c"], "patient": ["p", "p", "q"], "label": [0, 0, 1]}, index=[5, 2, 9])


def test_sliding_windows_by_hand():
    found = patches.sliding_positions((10, 13), 6, 0.5)
    assert found.tolist() == [[row, column] for row in (0, 3, 4) for column in (0, 3, 6, 7)]
    assert patches.sliding_positions((8, 4), 4, 0).tolist() == [[0, 0], [4, 0]]
    assert patches.sliding_positions((4, 4), 4).tolist() == [[0, 0]]
    assert len(patches.sliding_positions((460, 700), 128, 0.5)) == 7 * 10


@pytest.mark.parametrize("shape", [(460, 700), (129, 128), (200, 333)])
@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize("overlap", [0, 0.25, 0.5, 0.99])
def test_sliding_windows_cover_every_pixel_and_stay_inside(shape, size, overlap):
    places = patches.sliding_positions(shape, size, overlap)
    if overlap == 0.99:
        places = places[:: max(1, len(places) // 40)]  # a step of one pixel: its rows and columns below are enough
    rows, columns = (np.unique(patches.sliding_positions(shape, size, overlap)[:, k]) for k in (0, 1))
    for starts, side in ((rows, shape[0]), (columns, shape[1])):
        assert starts[0] == 0 and starts[-1] == side - size and (np.diff(starts) <= max(1, size * (1 - overlap))).all()
    assert (places >= 0).all() and (places + size <= shape).all()
    if overlap < 0.9:
        assert np.isfinite(patches.assemble(np.ones(len(places)), places, shape, size)).all()


def test_random_places_are_even_reach_the_edges_and_repeat():
    places = patches.random_positions((12, 21), 10, 4000, 0)
    assert np.bincount(places[:, 0]).tolist() == pytest.approx([4000 / 3] * 3, rel=0.15)
    assert np.bincount(places[:, 1]).tolist() == pytest.approx([4000 / 12] * 12, rel=0.25)
    assert np.array_equal(places, patches.random_positions((12, 21), 10, 4000, np.random.default_rng(0)))


def test_patches_are_cut_where_they_are_said_to_be():
    image = np.arange(12, dtype=np.uint8).reshape(3, 4, 1)
    assert patches.cut(image, [[0, 0], [1, 2]], 2)[..., 0].tolist() == [[[0, 1], [4, 5]], [[6, 7], [10, 11]]]
    found = patches.cut(IMAGES[0], np.array([[22, 36]]), 8)
    assert np.array_equal(found[0], IMAGES[0, 22:, 36:]) and not np.shares_memory(found, IMAGES)
    assert patches.cut(IMAGES[0], np.empty((0, 2)), 8).shape == (0, 8, 8, 3)


def test_table_keeps_places_images_and_patients():
    rows = patches.table(MANIFEST, (30, 44), 16, "sliding", 0.5)
    each = patches.sliding_positions((30, 44), 16, 0.5)
    assert len(rows) == 3 * len(each) and rows.index.tolist() == list(range(len(rows)))
    last = rows.iloc[-1].to_dict()
    place = {"image": 2, "row": 14, "column": 28, "size": 16}
    assert last == {"image_id": "c", "patient": "q", "label": 1, "patch_id": f"c/{len(each) - 1}"} | place
    assert rows["patch_id"].is_unique and rows["patch_id"].iloc[len(each)] == "b/0"


def test_random_table_has_other_places_in_each_image():
    rows = patches.table(MANIFEST, (30, 44), 8, "random", count=20, rng=1)
    assert rows.groupby("image_id").size().tolist() == [20] * 3
    places = [part[["row", "column"]].to_numpy() for _, part in rows.groupby("image_id")]
    assert not np.array_equal(places[0], places[1])
    pd.testing.assert_frame_equal(rows, patches.table(MANIFEST, (30, 44), 8, "random", count=20, rng=1))
    assert patches.table(MANIFEST[:0], (30, 44), 8, "random").empty


def test_maps_by_hand():
    # 3 x 3 pixels, windows of 2: at the upper left (0.2), at the upper right (0.6), at the lower left (1.0).
    found = patches.assemble([0.2, 0.6, 1.0], [[0, 0], [0, 1], [1, 0]], (3, 3), 2)
    expected = [[0.2, 0.4, 0.6], [0.6, 0.6, 0.6], [1.0, 1.0, np.nan]]
    assert np.allclose(found, expected, equal_nan=True)
    assert np.isnan(patches.assemble([], np.empty((0, 2)), (3, 3), 2)).all()


def test_maps_put_back_what_was_cut():
    smooth = np.add.outer(np.arange(30), np.arange(44)).astype(float)
    places = patches.sliding_positions(smooth.shape, 4, 0.75)
    means = patches.cut(smooth[..., None], places, 4).mean(axis=(1, 2, 3))
    found = patches.assemble(means, places, smooth.shape, 4)
    assert np.allclose(found[3:-3, 3:-3], smooth[3:-3, 3:-3])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: patches.sliding_positions((30, 44), 31), "size=31: larger than the image, 30 x 44 pixels"),
        (lambda: patches.random_positions((30, 44), 45, 1, 0), "size=45: larger than the image"),
        (lambda: patches.sliding_positions((30, 44), 0), "size=0"),
        (lambda: patches.sliding_positions((30, 44), 8, 1), "overlap=1"),
        (lambda: patches.random_positions((30, 44), 8, 0, 0), "count=0"),
        (lambda: patches.cut(IMAGES[0], [[0, 37]], 8), "8 pixels at row 0, column 37: not inside the image of 30 x 44"),
        (lambda: patches.assemble([1.0], [[-1, 0]], (9, 9), 3), "row -1, column 0: not inside"),
        (lambda: patches.assemble([1.0, 2.0], [[0, 0]], (9, 9), 3), r"values of shape \(2,\) for 1 places"),
        (lambda: patches.table(MANIFEST, (30, 44), 8, "grid"), "how='grid'"),
        (lambda: patches.table(MANIFEST, (30, 44), 64), "larger than the image"),
        (lambda: patches.table(MANIFEST.assign(image_id="a"), (30, 44), 8), "image a is listed twice"),
        (
            lambda: patches.Cut(IMAGES, patches.table(MANIFEST, (30, 44), 8).assign(size=[8, 9] * 105)),
            r"sizes \[8, 9\]",
        ),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_patches_cut_when_asked_for_are_those_cut_at_once():
    rows = patches.table(MANIFEST, (30, 44), 8, "random", count=7, rng=1).sample(frac=1, random_state=0)
    places = zip(rows["image"], rows["row"], rows["column"])
    whole = np.stack([IMAGES[image, row : row + 8, column : column + 8] for image, row, column in places])
    lazy = patches.Cut(IMAGES, rows)
    assert len(lazy) == 21 and lazy.shape == whole.shape and lazy.dtype == whole.dtype
    for chosen in (slice(None), slice(5, 12), slice(20, 30), np.array([3, 3, 0]), np.arange(21) % 2 == 0, []):
        chosen = np.array(chosen, np.int64) if isinstance(chosen, list) else chosen
        assert np.array_equal(lazy[chosen], whole[chosen])
    assert np.array_equal(lazy[4], whole[4]) and np.array_equal(lazy[-1], whole[-1])
    assert not np.shares_memory(lazy[:], IMAGES)


def test_patches_that_can_not_be_cut_are_refused_before_any_is():
    rows = patches.table(MANIFEST, (30, 44), 8, "random", count=2)
    for wrong, message in [
        (rows.assign(size=[8, 4] * 3), r"sizes \[8, 4\]: expected one"),
        (rows.assign(row=40), "row 40.*not inside"),
        (rows.assign(image=3), "of image 3: expected one of 3"),
    ]:
        with pytest.raises(ValueError, match=message):
            patches.Cut(IMAGES, wrong)
