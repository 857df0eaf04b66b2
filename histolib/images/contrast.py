"""Seven treatments of contrast: uint8 images in, uint8 images out.

Images stay uint8 until they are inside a network, so every treatment ends on the scale of pixels, and one layer of the
network brings all seven to [-1, 1]. Signed results (whitened, less a mean) have gray, 128, for their zero and a fixed
number of levels per unit (`PER_DEVIATION`, `PER_LEVEL`).

Images may be whole or patches; the order matters. CLAHE spreads what it is given over all levels: of the noise of a
patch that shows bare glass it makes a strong pattern, of the same noise in a whole image a weak one. Demeaned patches
have each lost their own mean; patches of a demeaned image have not. Whole images also take less time than their
overlapping patches.
"""

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from histolib.images.clahe import Clahe, pixels
from histolib.images.whitening import Whitening

ZERO = 128  # level of zero where the result is signed
PER_DEVIATION = 32  # levels per standard deviation of whitened values: nearly 4 deviations either way fit
PER_LEVEL = 0.5  # levels per gray level of a difference, which may be 255 either way
SAMPLE = 256  # training images at most that a treatment is fitted on
BLOCK = 64  # images treated at a time, as floating-point numbers

Step = Callable[[np.ndarray], np.ndarray]


def demean(images: np.ndarray) -> np.ndarray:
    """Each image less its own mean in each channel, half a level per gray level, around 128."""
    images = images.astype(np.float32)
    return pixels(ZERO + PER_LEVEL * (images - images.mean(axis=(1, 2), keepdims=True)))


def less_gaussian(images: np.ndarray, sigma: float) -> np.ndarray:
    """Images less themselves smoothed by a Gaussian of `sigma` pixels, half a level per gray level, around 128."""
    images = images.astype(np.float32)
    smooth = ndimage.gaussian_filter(images, sigma, mode="reflect", axes=(1, 2))
    return pixels(ZERO + PER_LEVEL * (images - smooth))


class Treatment:
    """One of `TREATMENTS`; get it from `treatment`.

    Attributes
    ----------
    name
        Its name.
    steps
        What is done, in order; each from uint8 images to uint8 images.
    """

    def __init__(self, name: str, steps: list[Step]):
        self.name, self.steps = name, steps

    def fit(self, images: np.ndarray, rng: np.random.Generator | int = 0) -> "Treatment":
        """Learn from training images what the treatment needs: the covariance, where whitening is part of it.

        Parameters
        ----------
        images
            uint8, (N, H, W, 3): training images only. At most 256 of them, drawn at random, are used.
        rng
            Generator, or a seed, of that draw and of the windows.

        Raises
        ------
        ValueError
            No image, other arrays than uint8 (N, H, W, 3), or images smaller than a window.
        """
        _check(images)
        if not len(images):
            raise ValueError(f"{self.name}: no image to fit on; expected at least 1")
        rng = np.random.default_rng(rng)
        if not any(isinstance(step, _Whitened) for step in self.steps):
            return self
        treated = images[np.sort(rng.permutation(len(images))[:SAMPLE])]
        for step in self.steps:
            if isinstance(step, _Whitened):
                step.whitening.fit(treated, rng)
                break
            treated = step(treated)
        return self

    def transform(self, images: np.ndarray) -> np.ndarray:
        """Treated images, uint8 (N, H, W, 3) as those given; each depends on itself and on what was fitted.

        Raises ValueError for other arrays, or if the treatment needs `fit` and was not fitted.
        """
        _check(images)
        result = np.empty(images.shape, np.uint8)
        for start in range(0, len(images), BLOCK):
            part = images[start : start + BLOCK]
            for step in self.steps:
                part = step(part)
            result[start : start + BLOCK] = part
        return result


TREATMENTS = {
    "raw": (),
    "CLAHE": ("clahe",),
    "whitening": ("whitening",),
    "demean": ("demean",),
    "Gaussian + CLAHE": ("gaussian", "clahe"),
    "CLAHE + whitening": ("clahe", "whitening"),
    "whitening + CLAHE": ("whitening", "clahe"),
}
"""Each as the steps that it takes."""


def treatment(
    name: str,
    tile: int = 32,
    clip: float = 0.01,
    sigma: float = 8.0,
    window: int = 5,
    epsilon: float = 1e-3,
) -> Treatment:
    """One of the treatments.

    Parameters
    ----------
    name
        A key of `TREATMENTS`.
    tile, clip
        As in `clahe.Clahe`.
    sigma
        Standard deviation in pixels of the Gaussian that is subtracted.
    window, epsilon
        As in `whitening.Whitening`.

    Raises
    ------
    ValueError
        Unknown `name`, or a parameter out of range.
    """
    if name not in TREATMENTS:
        raise ValueError(f"treatment {name!r}: expected one of {', '.join(TREATMENTS)}")
    if sigma <= 0:
        raise ValueError(f"sigma={sigma}: expected a number of pixels above 0")
    known = {
        "clahe": Clahe(tile, clip),
        "whitening": _Whitened(Whitening(window, epsilon)),
        "demean": demean,
        "gaussian": lambda images: less_gaussian(images, sigma),
    }
    return Treatment(name, [known[step] for step in TREATMENTS[name]])


def versions(
    image: np.ndarray, training: np.ndarray, rng: np.random.Generator | int = 0, **settings
) -> dict[str, np.ndarray]:
    """One image, uint8 (H, W, 3), through all treatments, for looking at: name to image.

    They are fitted on `training`, uint8 (N, H, W, 3); `settings` as in `treatment`.
    """
    rng = np.random.default_rng(rng)
    made = (treatment(name, **settings).fit(training, rng) for name in TREATMENTS)
    return {one.name: one.transform(image[None])[0] for one in made}


class _Whitened:
    """Whitened images as pixels."""

    def __init__(self, whitening: Whitening):
        self.whitening = whitening

    def __call__(self, images: np.ndarray) -> np.ndarray:
        return pixels(ZERO + PER_DEVIATION * self.whitening.values(images))


def _check(images: np.ndarray) -> None:
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise ValueError(f"images: an array of {images.dtype}, shape {images.shape}; expected uint8, (N, H, W, 3)")
