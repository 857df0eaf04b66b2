"""Descriptors of spatial frequencies: the coefficients of JPEG, and local phase."""

import functools

import numpy as np
from scipy import fft, ndimage

from histolib.descriptors.common import at_least, blockwise, gray, shares

WINDOW = 7  # pixels, the side of the window of local phase
CORRELATION = 0.9  # of two neighboring pixels
_ZERO = 1e-6  # of sums that are 0 but for rounding
# ITU-T T.81 (JPEG), Annex K.1, tables K.1 (brightness) and K.2 (both color channels): rows are vertical frequencies.
_BRIGHTNESS = """16 11 10 16 24 40 51 61  12 12 14 19 26 58 60 55  14 13 16 24 40 57 69 56  14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77  24 35 55 64 81 104 113 92  49 64 78 87 103 121 120 101  72 92 95 98 112 100 103 99"""
_COLOR = """17 18 24 47 99 99 99 99  18 21 26 66 99 99 99 99  24 26 56 99 99 99 99 99  47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99"""
QUANTIZATION = np.array([[int(n) for n in text.split()] for text in (_BRIGHTNESS, _COLOR, _COLOR)]).reshape(3, 8, 8)
# ITU-T T.871 (JFIF): red, green and blue to Y, Cb and Cr.
_YCBCR = np.array([[0.299, 0.587, 0.114], [-0.168735892, -0.331264108, 0.5], [0.5, -0.418687589, -0.081312411]])


@blockwise(192)
def jpeg_histogram(images: np.ndarray) -> np.ndarray:
    """Mean size of each quantized JPEG coefficient (Wallace 1992, IEEE T Consum Electr 38:xviii; ITU-T T.81, A.3, K.1).

    Blocks of 8 x 8 pixels (the edge repeated to whole blocks) of Y, Cb and Cr, at full resolution, are transformed by
    the cosine transform and divided by the standard's tables (quality 50). A bin is the mean, over the blocks, of the
    rounded coefficients' sizes: how much of the image lies at this frequency of this channel. 192 columns: channel (Y,
    Cb, Cr), vertical and horizontal frequency (0-7), the last counting fastest. The first of a channel is its mean
    level, without the standard's shift by 128. "JPEG coefficient histogram" is defined by none of the authors that name
    it; this is what it is taken as here. A reflection changes nothing in whole blocks; a rotation by 90 degrees
    transposes frequencies.
    """
    height, width = (-(-side // 8) * 8 for side in images.shape[1:3])
    whole = np.pad(images, ((0, 0), (0, height - images.shape[1]), (0, width - images.shape[2]), (0, 0)), mode="edge")
    planes = whole.astype(np.float32) @ _YCBCR.T.astype(np.float32)
    planes[..., 1:] += 128
    tiles = planes.reshape(len(images), height // 8, 8, width // 8, 8, 3).transpose(0, 1, 3, 5, 2, 4)
    coefficients = fft.dctn(tiles, axes=(4, 5), norm="ortho", overwrite_x=True)
    sizes = np.abs(np.rint(coefficients / QUANTIZATION.astype(np.float32)))
    return sizes.mean((1, 2)).reshape(len(images), -1)


@blockwise(256)
def local_phase(images: np.ndarray) -> np.ndarray:
    """Histogram of local phase quantization codes, 256 bins (Ojansivu and Heikkilä 2008, ICISP, LNCS 5099:236).

    In a window of 7 x 7 pixels around each pixel of the gray image the Fourier transform at the frequencies (a, 0), (0,
    a), (a, a) and (a, -a), a = 1/7, has four real and four imaginary parts; decorrelated for a correlation of 0.9
    between neighbors, their signs make a code of 8 bits. A blur that is symmetric about its center keeps the phase of
    an image at low frequencies, so that codes change little. Here the parts are decorrelated by the symmetric inverse
    root of their covariance: the authors' singular vectors are not unique, as frequencies that rotate into each other
    have the same variance. Windows lie wholly in the image; one smaller than a window is completed by repeating its
    edge. Values sum to 1; adding a constant changes nothing.
    """
    parts = whitening() @ _local_fourier(at_least(gray(images), WINDOW).astype(np.float64))
    codes = sum((parts[k] >= -_ZERO).astype(np.int64) << k for k in range(8))
    return shares(codes.reshape(len(images), -1), 256)


@functools.cache
def whitening(window: int = WINDOW, correlation: float = CORRELATION) -> np.ndarray:
    """Matrix (8, 8) that decorrelates the local Fourier transform of pixels whose correlation falls with distance."""
    side = np.arange(window**2)
    places = np.stack([side // window, side % window], axis=1)
    distance = np.sqrt(((places[:, None] - places) ** 2).sum(2))
    unit = np.eye(window**2).reshape(-1, window, window)
    transform = _local_fourier(unit)
    values, vectors = np.linalg.eigh(transform @ correlation**distance @ transform.T)
    return vectors / np.sqrt(values) @ vectors.T


def _local_fourier(pixels: np.ndarray) -> np.ndarray:
    """Real, then imaginary parts at the four frequencies in whole windows, float64 (8, N * h * w)."""
    half = WINDOW // 2
    angle = 2 * np.pi * np.arange(-half, half + 1) / WINDOW
    kernels = {"box": np.ones(WINDOW), "cos": np.cos(angle), "sin": np.sin(angle)}

    def along(values: np.ndarray, kernel: str, axis: int) -> np.ndarray:
        whole = ndimage.correlate1d(values, kernels[kernel], axis=axis)
        return np.take(whole, range(half, whole.shape[axis] - half), axis=axis)

    box, cos, sin = (along(pixels, kernel, 2) for kernel in kernels)
    across = {"a0": (along(cos, "box", 1), -along(sin, "box", 1)), "0a": (along(box, "cos", 1), -along(box, "sin", 1))}
    cc, ss, cs, sc = along(cos, "cos", 1), along(sin, "sin", 1), along(sin, "cos", 1), along(cos, "sin", 1)
    across |= {"aa": (cc - ss, -(cs + sc)), "a-a": (cc + ss, sc - cs)}
    return np.stack([part[k].ravel() for k in (0, 1) for part in across.values()])
