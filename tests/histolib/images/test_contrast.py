from functools import cache

import numpy as np
import pytest
from scipy import ndimage
from skimage import color

from histolib.images import clahe, contrast, whitening


def _textures(count: int, size: int = 64, seed: int = 0) -> np.ndarray:
    """Smooth colored noise, brighter in one half: neighbors and colors go together, as in tissue."""
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=(count, size, size, 2)), (0, 1.5, 1.5, 0))
    mixed = smooth @ [[120.0, 90.0, 40.0], [-30.0, 40.0, 90.0]] + [170, 130, 160] + rng.normal(size=(size, size, 3))
    mixed[:, :, : size // 2] += 25
    return clahe.pixels(mixed)


IMAGES = _textures(40)
ODD = [
    np.zeros((2, 40, 40, 3), np.uint8),
    np.full((2, 40, 40, 3), 255, np.uint8),
    np.full((1, 5, 9, 3), [9, 200, 31], np.uint8),
    np.arange(2 * 17 * 33 * 3, dtype=np.uint32).astype(np.uint8).reshape(2, 17, 33, 3),
]


@cache
def _fitted(name: str) -> contrast.Treatment:
    return contrast.treatment(name).fit(IMAGES[:20], 3)


@pytest.mark.parametrize("name", contrast.TREATMENTS)
def test_uint8_to_uint8_repeatable_and_each_image_by_itself(name):
    one, other = _fitted(name), contrast.treatment(name).fit(IMAGES[:20], 3)
    before = IMAGES.copy()
    found = one.transform(IMAGES)
    assert found.dtype == np.uint8 and found.shape == IMAGES.shape and np.array_equal(IMAGES, before)
    assert np.array_equal(found, other.transform(IMAGES))
    # Neither the other images nor having treated them changes an image: nothing is learned from what is tested.
    alone = np.concatenate([one.transform(IMAGES[[k]]) for k in (0, 39)])
    assert np.abs(alone.astype(int) - found[[0, 39]]).max() <= 1
    assert (name == "raw") == np.array_equal(found, IMAGES)


@pytest.mark.parametrize("name", contrast.TREATMENTS)
@pytest.mark.parametrize("images", ODD, ids=["black", "white", "one color, small", "steps"])
def test_degenerate_images_have_a_result(name, images):
    for fitted in (_fitted(name), contrast.treatment(name, window=3).fit(images)):
        found = fitted.transform(images)
        assert found.shape == images.shape
    if images.std(axis=(1, 2)).max() == 0:
        assert found.std(axis=(1, 2)).max() == 0
        assert name != "demean" or (found == contrast.ZERO).all()


def test_whitened_windows_have_mean_0_and_covariance_1():
    fitted = whitening.Whitening(epsilon=0).fit(IMAGES[:30], 0)
    windows = fitted.windows(IMAGES[:30], 20_000, 1)
    covariance = np.cov(windows, rowvar=False)
    assert abs(np.corrcoef(windows[:, 36], windows[:, 39])[0, 1]) > 0.7  # neighbors of one color
    whitened = (windows - fitted.mean) @ fitted.matrix
    # What is left of 1 is the floor of 1/12: variance below it counts as rounding.
    found, raw = np.linalg.eigvalsh(np.cov(whitened, rowvar=False)), np.linalg.eigvalsh(covariance)
    assert raw[0] > 0.5 and raw[-1] > 1000 and found[0] > 0.75 and found[-1] < 1.25
    assert np.abs(np.cov(whitened, rowvar=False) - np.eye(75)).mean() < 0.02
    assert np.abs(whitened.mean(axis=0)).max() < 0.05


def test_epsilon_leaves_small_variance_small():
    fitted = whitening.Whitening(window=3, epsilon=0.1).fit(IMAGES, 0)
    windows = fitted.windows(IMAGES, fitted.count, 0)  # the very windows that were fitted
    variance, axes = np.linalg.eigh(np.cov(windows, rowvar=False, bias=True))
    expected = variance / (variance + 0.1 * variance.mean())
    whitened = (windows - fitted.mean) @ fitted.matrix
    found = np.diag(axes.T @ np.cov(whitened, rowvar=False, bias=True) @ axes)
    assert np.allclose(found, expected, atol=1e-8) and expected.min() < 0.05 and expected.max() > 0.98


@pytest.mark.parametrize("window", [1, 3, 5])
def test_whitened_images_are_the_middles_of_whitened_windows(window):
    fitted = whitening.Whitening(window).fit(IMAGES, 0)
    images = IMAGES[:2, :20, :23]
    half = window // 2
    views = np.lib.stride_tricks.sliding_window_view(images, (window, window), axis=(1, 2))
    whole = (np.moveaxis(views, 3, 5).reshape(-1, window * window * 3) - fitted.mean) @ fitted.matrix
    middle = whole.reshape(2, *views.shape[1:3], window, window, 3)[..., half, half, :]
    found = fitted.values(images)
    assert found.shape == images.shape and found.dtype == np.float32
    assert np.abs(found[:, half : 20 - half, half : 23 - half] - middle).max() < 1e-3


def test_whitened_images_lose_what_neighbors_and_colors_share():
    fitted = contrast.treatment("whitening", epsilon=0).fit(IMAGES[:30])
    fresh = _textures(10, seed=7)

    def shared(images):
        images = images.astype(float)
        beside = np.corrcoef(images[:, :, 1:, 0].ravel(), images[:, :, :-1, 0].ravel())[0, 1]
        return beside, np.corrcoef(images[..., 0].ravel(), images[..., 1].ravel())[0, 1]

    treated = fitted.transform(fresh)
    assert min(shared(fresh)) > 0.5 and np.abs(shared(treated)).max() < 0.2
    values = (treated.astype(float) - contrast.ZERO) / contrast.PER_DEVIATION
    assert np.abs(values.mean(axis=(0, 1, 2))).max() < 0.1 and values.std(axis=(0, 1, 2)).max() < 1.1
    assert values.std(axis=(0, 1, 2)).min() > 0.8


def test_whitening_knows_its_training_images_only():
    fitted, other = (contrast.treatment("whitening").fit(images) for images in (IMAGES, 255 - IMAGES[:, ::2, ::2]))
    assert np.abs(fitted.transform(IMAGES).astype(int) - other.transform(IMAGES)).mean() > 5
    with pytest.raises(ValueError, match="not fitted yet"):
        contrast.treatment("CLAHE + whitening").transform(IMAGES)


def test_demean_by_hand_and_in_each_image():
    image = np.array([[[10, 0, 255], [20, 0, 0]]], np.uint8)[None]
    assert contrast.demean(image)[0, 0].tolist() == [[126, 128, 192], [130, 128, 64]]
    means = (contrast.demean(IMAGES).astype(float) - contrast.ZERO).mean(axis=(1, 2))
    # Half a gray level is a quarter of a level here: pixels of whole gray levels are all rounded alike.
    assert np.abs(means).max() < 0.26 and IMAGES.mean(axis=(1, 2)).std() > 1


def test_gaussian_takes_what_is_broad_and_leaves_what_is_fine():
    row, column = np.mgrid[:96, :96]
    broad, fine = 60 * np.sin(row / 40), 30 * np.sign(np.sin(column * np.pi / 2 + 0.1))
    image = clahe.pixels(np.stack([128 + broad + fine] * 3, axis=-1))[None]
    found = (contrast.less_gaussian(image, 8).astype(float) - contrast.ZERO)[0, ..., 0] / contrast.PER_LEVEL
    middle = slice(32, 64)
    assert np.corrcoef(found[:, middle].ravel(), fine[:, middle].ravel())[0, 1] > 0.97
    assert np.abs(found[middle].mean(axis=1)).max() < 8 < broad[middle].mean()


def test_clahe_flattens_histograms_in_every_part():
    treated = contrast.treatment("CLAHE", clip=1.0).transform(IMAGES)
    even = np.linspace(0, 255, 32 * 32)

    def unevenness(images):
        """Mean distance in gray levels of a square's sorted brightness from an even spread."""
        squares = images.max(axis=-1)[:, 16:48, 16:48].reshape(len(images), -1)
        return np.abs(np.sort(squares, axis=1) - even).mean()

    limited = contrast.treatment("CLAHE", clip=0.01).transform(IMAGES)
    assert unevenness(treated) < 20 < unevenness(limited) < unevenness(IMAGES)


def test_clahe_keeps_hue_and_saturation():
    treated = contrast.treatment("CLAHE").transform(IMAGES)
    before, after = (color.rgb2hsv(images) for images in (IMAGES, treated))
    bright = treated.max(axis=-1) > 100
    assert np.abs(before[bright][:, 1] - after[bright][:, 1]).max() < 0.02
    turned = np.abs(before[bright][:, 0] - after[bright][:, 0])
    assert np.quantile(np.minimum(turned, 1 - turned), 0.99) < 0.03
    assert treated.max(axis=-1).std() > 1.5 * IMAGES.max(axis=-1).std()


def test_bare_glass_stays_calmer_in_a_whole_image_than_alone():
    image = IMAGES[:1].copy()
    image[:, :32, :32] = np.random.default_rng(0).integers(228, 232, (1, 32, 32, 1))
    treated = contrast.treatment("CLAHE").transform
    whole, alone = treated(image)[0, :24, :24], treated(image[:, :32, :32])[0, :24, :24]
    assert image[0, :24, :24].std() < 1.5 < 2 * whole.std() < alone.std()


def test_two_steps_are_one_after_the_other():
    first = contrast.treatment("CLAHE").transform(IMAGES)
    second = contrast.treatment("whitening").fit(first, 5)
    both = contrast.treatment("CLAHE + whitening").fit(IMAGES, 5)
    assert np.array_equal(both.transform(IMAGES), second.transform(first))
    turned = contrast.treatment("whitening + CLAHE").fit(IMAGES, 5).transform(IMAGES)
    whitened = contrast.treatment("whitening").fit(IMAGES, 5).transform(IMAGES)
    assert np.array_equal(turned, contrast.treatment("CLAHE").transform(whitened))
    plain = contrast.less_gaussian(IMAGES, 8.0)
    assert np.array_equal(
        contrast.treatment("Gaussian + CLAHE").transform(IMAGES), contrast.treatment("CLAHE").transform(plain)
    )


def test_versions_show_all_seven():
    shown = contrast.versions(IMAGES[0], IMAGES[1:], 0)
    assert list(shown) == list(contrast.TREATMENTS) and len(shown) == 7
    assert all(image.shape == IMAGES[0].shape for image in shown.values())
    assert len({image.tobytes() for image in shown.values()}) == 7


def test_real_images_are_whitened(samples):
    from PIL import Image

    files = sorted((samples / "breakhis").rglob("*-40-*.png"))[:4]
    images = np.stack([np.asarray(Image.open(file).convert("RGB"))[:200, :300] for file in files])
    fitted = whitening.Whitening(epsilon=1e-3).fit(images, 0)
    windows = fitted.windows(images, 20_000, 1)
    found = np.linalg.eigvalsh(np.cov((windows - fitted.mean) @ fitted.matrix, rowvar=False))
    raw = np.linalg.eigvalsh(np.cov(windows, rowvar=False))
    assert raw[-1] / raw[37] > 1000 and found[-1] < 1.2 and found[37] > 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: contrast.treatment("zca"), "treatment 'zca': expected one of raw, CLAHE"),
        (lambda: contrast.treatment("raw", tile=1), "tile=1"),
        (lambda: contrast.treatment("raw", clip=0), "clip=0"),
        (lambda: contrast.treatment("raw", sigma=0), "sigma=0"),
        (lambda: contrast.treatment("raw", window=4), "window=4"),
        (lambda: contrast.treatment("demean").transform(IMAGES.astype(float)), "array of float64.*expected uint8"),
        (lambda: contrast.treatment("raw").transform(IMAGES[0]), r"expected uint8, \(N, H, W, 3\)"),
        (lambda: contrast.treatment("whitening").fit(IMAGES[:0]), "no image to fit on"),
        (lambda: contrast.treatment("whitening").fit(IMAGES[:, :4]), "at least 5 x 5 pixels"),
        (lambda: whitening.Whitening().values(IMAGES), "not fitted yet"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
