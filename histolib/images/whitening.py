"""ZCA whitening of images through small windows."""

import numpy as np
from scipy import fft

ROUNDING = 1 / 12  # variance that rounding to whole gray levels adds


class Whitening:
    """ZCA whitening (Bell and Sejnowski 1997, "The independent components of natural scenes are edge filters") of
    small windows, applied to every pixel.

    A patch of 128 x 128 pixels has 49,152 numbers, whose covariance some thousand patches can't tell. What an image
    repeats lies between neighbors and between colors; so it is windows of `window` x `window` x 3 numbers that are
    whitened. With their covariance ``C = U S U'`` and ``W = U (S + e)^(-1/2) U'``, whitened windows have the
    covariance ``U S / (S + e) U'``: the identity where ``S`` is far above ``e``. The three rows of ``W`` that belong
    to a window's middle are the filter that is laid over an image, which is mirrored at its edges. Of all whitenings
    ZCA changes the pixels least, so that the result is still an image, with edges where the neighbors do not foretell
    a pixel.

    Parameters
    ----------
    window
        Side of a window in pixels, odd. 1 whitens the colors only.
    epsilon
        ``e`` as a share of a pixel's mean variance; ``e`` is never below the 1/12 that rounding to whole gray levels
        adds. Variance below ``e`` counts as noise, which is not raised to 1.
    count
        Windows that are drawn from the training images.

    Attributes
    ----------
    mean, matrix
        The windows' mean (gray levels) and ``W`` (1 / gray levels), once fitted.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    def __init__(self, window: int = 5, epsilon: float = 1e-3, count: int = 20_000):
        if window < 1 or window % 2 == 0 or epsilon < 0 or count < 2:
            raise ValueError(
                f"window={window}, epsilon={epsilon}, count={count}: "
                "expected an odd number of pixels, at least 0, and at least 2"
            )
        self.window, self.epsilon, self.count = window, epsilon, count
        self.mean = self.matrix = None

    def fit(self, images: np.ndarray, rng: np.random.Generator | int) -> "Whitening":
        """Learn mean and covariance from training images, uint8 (N, H, W, 3); raises as `windows`."""
        drawn = self.windows(images, self.count, rng)
        variance, axes = np.linalg.eigh(np.cov(drawn, rowvar=False, bias=True))
        variance = np.maximum(variance, 0)
        floor = max(self.epsilon * variance.mean(), ROUNDING)
        self.mean, self.matrix = drawn.mean(axis=0), axes / np.sqrt(variance + floor) @ axes.T
        return self

    def windows(self, images: np.ndarray, count: int, rng: np.random.Generator | int) -> np.ndarray:
        """Windows at random places, float64 (count, window * window * 3).

        Raises ValueError if there is no image, or the images are smaller than a window.
        """
        side, rng = self.window, np.random.default_rng(rng)
        highest = np.array(images.shape[:3]) - (1, side, side)
        if highest.min() < 0:
            raise ValueError(f"images of shape {images.shape}: expected some, of at least {side} x {side} pixels")
        image, row, column = rng.integers(0, highest, (count, 3), endpoint=True).T[..., None, None]
        steps = np.arange(side)
        return images[image, row + steps[:, None], column + steps].reshape(count, -1).astype(np.float64)

    def values(self, images: np.ndarray) -> np.ndarray:
        """Images in standard deviations, float32 (N, H, W, 3): each pixel whitened by the window around it."""
        self._check_fitted()
        half = self.window // 2
        height, width = images.shape[1:3]
        edges = ((0, 0), (half, half), (half, half), (0, 0))
        channels = np.moveaxis(np.pad(images, edges, "symmetric").astype(np.float32), 3, 1)
        size = tuple(fft.next_fast_len(side, real=True) for side in channels.shape[2:])
        side = self.window
        middle = self.matrix.reshape(side, side, 3, side, side, 3)[half, half]
        filters = fft.rfft2(np.moveaxis(middle, 3, 1).astype(np.float32), size)
        spectra = fft.rfft2(channels, size)
        # The conjugate turns convolution into correlation, as which the rows of W are meant.
        filtered = np.stack([(spectra * one.conj()).sum(axis=1) for one in filters], axis=1)
        whitened = fft.irfft2(filtered, size)[:, :, :height, :width]
        offset = middle.reshape(3, -1) @ self.mean
        return np.moveaxis(whitened, 1, 3) - offset.astype(np.float32)

    def _check_fitted(self) -> None:
        if self.matrix is None:
            raise ValueError("whitening is not fitted yet; expected fit(training images) first")
