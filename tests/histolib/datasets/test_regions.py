"""Windows around lesions, at every edge, and global contrast normalization in and out of the graph."""

import keras
import numpy as np
import pytest

from histolib.datasets import regions

H, W = 40, 60
RAMP = np.arange(H * W, dtype=np.uint16).reshape(H, W)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((18, 28, 22, 32), (15, 25, 25, 35)),  # middle
        ((0, 28, 4, 32), (0, 25, 7, 35)),  # upper edge
        ((36, 28, 40, 32), (33, 25, 40, 35)),  # lower
        ((18, 0, 22, 4), (15, 0, 25, 7)),  # left
        ((18, 56, 22, 60), (15, 53, 25, 60)),  # right
        ((0, 0, 1, 1), (0, 0, 5, 5)),  # corners, one pixel
        ((0, 59, 1, 60), (0, 54, 5, 60)),
        ((39, 0, 40, 1), (34, 0, 40, 5)),
        ((39, 59, 40, 60), (34, 54, 40, 60)),
        ((5, 10, 35, 50), (15, 25, 25, 35)),  # a lesion larger than the window is cut
    ],
)
def test_window_is_clipped_at_every_edge(box, expected):
    assert regions.window((H, W), box, 10) == expected
    part = RAMP[expected[0] : expected[2], expected[1] : expected[3]]
    # Both ends of a rescaled ramp stay within the part's values.
    region = regions.crop(RAMP, box, 10, 10)
    assert region.shape == (10, 10) and part.min() <= region.min() and region.max() <= part.max()
    if part.shape == (10, 10):
        np.testing.assert_array_equal(region, part)


@pytest.mark.parametrize(
    ("box", "expected"),
    [((0, 28, 4, 32), (0, 25, 10, 35)), ((39, 59, 40, 60), (30, 50, 40, 60)), ((18, 0, 22, 4), (15, 0, 25, 10))],
)
def test_shift_moves_the_window_inside(box, expected):
    assert regions.window((H, W), box, 10, "shift") == expected
    part = RAMP[expected[0] : expected[2], expected[1] : expected[3]]
    np.testing.assert_array_equal(regions.crop(RAMP, box, 10, 10, "shift"), part)


def test_reflect_continues_the_film():
    box = (0, 59, 1, 60)
    top, left, bottom, right = regions.window((H, W), box, 10, "reflect")
    assert (top, left, bottom, right) == (-5, 54, 5, 64)
    expected = np.pad(RAMP, 10, mode="symmetric")[top + 10 : bottom + 10, left + 10 : right + 10]
    np.testing.assert_array_equal(regions.crop(RAMP, box, 10, 10, "reflect"), expected)


def test_a_film_smaller_than_the_window():
    film, box = RAMP[:6, :20], (2, 8, 4, 12)
    assert regions.window(film.shape, box, 100) == regions.window(film.shape, box, 100, "shift") == (0, 0, 6, 20)
    assert regions.crop(film, box, 100, 50).shape == (50, 50)
    expected = np.pad(film, ((50, 60), (50, 60)), mode="symmetric")[50 - 47 : 50 + 53, 50 - 40 : 50 + 60]
    np.testing.assert_array_equal(regions.crop(film, box, 100, 100, "reflect"), expected)


def test_rescaling_stretches_the_shorter_side():
    film = np.zeros((100, 100))
    film[40:60, 0:20] = 1  # a square lesion at the left edge
    region = regions.crop(film, (40, 0, 60, 20), 60, 60)
    wide, high = (region > 0.5).any(0).sum(), (region > 0.5).any(1).sum()
    assert high == 20 and wide == 30  # the part is 60 x 40
    shifted = regions.crop(film, (40, 0, 60, 20), 60, 60, "shift")
    assert (shifted > 0.5).sum() == 400


def test_reducing_averages_and_keeps_16_bits():
    film = np.full((300, 300), 40000, np.uint16)
    film[::2] = 40010
    region = regions.crop(film, (149, 149, 151, 151))
    assert region.shape == (224, 224) and region.dtype == np.float32
    assert abs(region.mean() - 40005) < 0.1 and region.min() >= 40000 and region.max() <= 40010
    lines = np.repeat(np.array([0.0, 100.0] * 150)[:, None], 300, axis=1)
    assert np.ptp(regions.crop(lines, (149, 149, 151, 151), out=50)) < 25


@pytest.mark.parametrize(
    ("box", "named"),
    [
        ((-1, 0, 3, 3), "top=-1"), ((0, 0, 41, 3), "bottom=41"),
        ((0, -2, 3, 3), "left=-2"), ((0, 0, 3, 61), "right=61"),
        ((50, 70, 60, 80), "top=50, left=70"), ((5, 5, 5, 9), "bottom=5"), ((5, 9, 8, 5), "left=9, bottom=8, right=5"),
    ],
)  # fmt: skip
def test_a_box_outside_of_the_film_is_named(box, named):
    with pytest.raises(ValueError, match=rf"box .*{named}.*inside the film of 40x60"):
        regions.crop(RAMP, box)


def test_other_bad_input_is_named():
    box = (1, 1, 2, 2)
    with pytest.raises(ValueError, match=r"\(40, 60, 3\): expected one gray value per pixel"):
        regions.crop(np.zeros((H, W, 3)), box)
    with pytest.raises(ValueError, match="edge='pad': expected one of 'rescale', 'shift', 'reflect'"):
        regions.crop(RAMP, box, edge="pad")
    with pytest.raises(ValueError, match="size=0"):
        regions.crop(RAMP, box, size=0)
    with pytest.raises(ValueError, match="out=0"):
        regions.crop(RAMP, box, out=0)


def test_as_image_uses_the_regions_own_range():
    region = np.array([[1000.0, 2000.0], [1500.0, 1004.0]], np.float32)
    image = regions.as_image(region)
    assert image.dtype == np.uint8 and image.shape == (2, 2, 3)
    assert image[..., 0].tolist() == [[0, 255], [128, 1]]
    assert (image == image[..., :1]).all()
    np.testing.assert_array_equal(image, regions.as_image(7 * region - 300))  # any gain and offset
    assert not regions.as_image(np.full((3, 3), 9.0)).any()


def normalized(images, scale=False):
    """Return what the layer gives."""
    from histolib.models.normalization import GlobalContrast

    return np.asarray(keras.ops.convert_to_numpy(GlobalContrast(scale)(images)))


def test_contrast_normalization_by_hand():
    images = np.array([[[[0], [4]], [[4], [0]]], [[[9], [9]], [[9], [9]]]], np.uint8)
    np.testing.assert_array_equal(normalized(images)[0, ..., 0], [[-2, 2], [2, -2]])
    np.testing.assert_array_equal(normalized(images, scale=True)[0, ..., 0], [[-1, 1], [1, -1]])
    assert not normalized(images, scale=True)[1].any()
    assert normalized(images).dtype == np.float32


def test_contrast_normalization_undoes_what_it_says():
    images = np.random.default_rng(0).uniform(0, 255, (3, 8, 9, 3))
    plain, scaled = normalized(images), normalized(images, scale=True)
    np.testing.assert_allclose(plain.mean((1, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(scaled.std((1, 2, 3)), 1, rtol=1e-4)
    np.testing.assert_allclose(normalized(images + 40), plain, atol=1e-3)
    np.testing.assert_allclose(normalized(3 * images + 40, scale=True), scaled, atol=1e-4)


def expected_contrast(images, scale):
    """Return the definition, written out in 64 bits."""
    values = images - images.mean((1, 2, 3), keepdims=True)
    return values / np.maximum(np.sqrt((values**2).mean((1, 2, 3), keepdims=True)), 1e-6) if scale else values


@pytest.mark.parametrize("scale", [False, True])
def test_the_layer_equals_the_definition_and_is_saved_in_safe_mode(scale, tmp_path):
    from histolib.models.normalization import GlobalContrast

    images = np.random.default_rng(1).integers(0, 256, (4, 16, 12, 3), dtype=np.uint8)
    images[3] = 77
    inputs = keras.Input((16, 12, 3), dtype="uint8")
    model = keras.Model(inputs, GlobalContrast(scale)(inputs))
    expected = expected_contrast(images, scale)
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, atol=2e-4)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.layers[-1].scale is scale
    np.testing.assert_allclose(loaded.predict(images, verbose=0), expected, atol=2e-4)
