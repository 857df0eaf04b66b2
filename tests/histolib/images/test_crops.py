import numpy as np
import pytest

from histolib.images import crops

IMAGE = np.random.default_rng(0).integers(0, 256, (30, 44, 3), dtype=np.uint8)


def test_crops_by_hand():
    numbers = np.arange(12, dtype=np.uint8).reshape(3, 4)
    image = np.stack([numbers] * 3, axis=-1)
    # upper row, left column, turns against the clock, mirrored up-down, mirrored left-right
    places = [(0, 0, 0, 0, 0), (1, 2, 0, 0, 0), (1, 2, 1, 0, 0), (1, 2, 2, 0, 0), (1, 2, 0, 1, 0), (1, 2, 1, 0, 1)]
    found = crops.cut(image, np.array(places), 2)[..., 0]
    assert found.tolist() == [
        [[0, 1], [4, 5]],
        [[6, 7], [10, 11]],
        [[7, 11], [6, 10]],
        [[11, 10], [7, 6]],
        [[10, 11], [6, 7]],
        [[11, 7], [10, 6]],
    ]


def test_all_eight_positions_of_a_square_are_reached_about_equally():
    square = IMAGE[:9, :9]
    symmetries = {np.rot90(side, k).tobytes(): 0 for side in (square, square[::-1]) for k in range(4)}
    assert len(symmetries) == 8
    for crop in crops.random_crops(square, 9, 800, 0):
        symmetries[crop.tobytes()] += 1
    assert min(symmetries.values()) > 60 and max(symmetries.values()) < 150


def test_places_reach_every_edge_and_are_uniform():
    places = crops.draw((12, 21), 10, 4000, np.random.default_rng(0))
    assert np.bincount(places[:, 0]).tolist() == pytest.approx([4000 / 3] * 3, rel=0.15)
    assert np.bincount(places[:, 1]).tolist() == pytest.approx([4000 / 12] * 12, rel=0.25)
    assert [np.bincount(places[:, k]).tolist() for k in (3, 4)] == [pytest.approx([2000] * 2, rel=0.1)] * 2


def test_random_crops_are_parts_of_the_image_and_repeat():
    found = crops.random_crops(IMAGE, 8, 25, np.random.default_rng(1))
    assert found.shape == (25, 8, 8, 3) and found.dtype == np.uint8
    assert np.array_equal(found, crops.random_crops(IMAGE, 8, 25, 1))
    windows = np.lib.stride_tricks.sliding_window_view(IMAGE, (8, 8, 3)).reshape(-1, 8, 8, 3)
    known = {np.sort(window.reshape(-1, 3), axis=0).tobytes() for window in windows}
    assert all(np.sort(crop.reshape(-1, 3), axis=0).tobytes() in known for crop in found)


@pytest.mark.parametrize("shape", [(30, 44), (17, 17)])
def test_strides_are_the_same_crops(shape):
    image = IMAGE[: shape[0], : shape[1]]
    places = crops.draw(shape, 9, 64, np.random.default_rng(0))
    strides = crops.strides(places, 9, shape[1])
    i, j = np.mgrid[:9, :9]
    at = strides[:, 0, None, None] + strides[:, 1, None, None] * i + strides[:, 2, None, None] * j
    assert len({tuple(row) for row in places[:, 2:]}) == 16
    assert np.array_equal(image.reshape(-1, 3)[at], crops.cut(image, places, 9))


@pytest.mark.parametrize(("size", "count"), [(31, 1), (0, 1), (5, 0)])
def test_impossible_crops(size, count):
    message = "size=31: larger than the image, 30 x 44 pixels" if size == 31 else "expected at least 1 of each"
    with pytest.raises(ValueError, match=message):
        crops.random_crops(IMAGE, size, count, 0)


@pytest.mark.parametrize("image", [IMAGE[..., 0], IMAGE.astype(float), np.dstack([IMAGE, IMAGE[..., :1]])])
def test_other_arrays_are_refused(image):
    with pytest.raises(ValueError, match=r"expected uint8, \(H, W, 3\)|larger than the image"):
        crops.random_crops(image, 4, 1, 0)


def test_a_crop_of_the_whole_image():
    assert crops.random_crops(IMAGE[:30, :30], 30, 3, 0).shape == (3, 30, 30, 3)


def test_published_sizes_keep_their_part_of_the_image():
    assert [crops.scaled(size, 2048) for size in (800, 1300, 400, 650)] == [800, 1300, 400, 650]
    assert [crops.scaled(size, 512) for size in (800, 1300, 400, 650)] == [200, 325, 100, 162]
    assert crops.scaled(3, 16) == 1
    with pytest.raises(ValueError, match="width=0"):
        crops.scaled(400, 0)


def test_rescaled_averages_areas():
    image = np.array([[[0] * 3, [4] * 3, [10] * 3, [20] * 3], [[8] * 3, [12] * 3, [30] * 3, [60] * 3]], np.uint8)
    assert crops.rescaled(image, 0.5)[..., 0].tolist() == [[6, 30]]
    assert crops.rescaled(image, 1) is image
    assert crops.rescaled(IMAGE, 0.5).shape == (15, 22, 3) and crops.rescaled_shape((1536, 2048), 0.5) == (768, 1024)
    assert abs(crops.rescaled(IMAGE, 0.3).mean() - IMAGE.mean()) < 2


@pytest.mark.parametrize(("scale", "message"), [(0, "scale=0:"), (1.5, "at most 1"), (0.01, "leaves nothing of 30")])
def test_impossible_scales(scale, message):
    with pytest.raises(ValueError, match=message):
        crops.rescaled(IMAGE, scale)
