"""Hematoxylin and eosin: an image brought to a common staining, and the amounts of its stains varied.

Stained tissue weakens light exponentially (Beer-Lambert), so that in optical density, the negative logarithm of
intensity, stains add up: a pixel is a sum of vectors, one per stain, times amounts.
"""

import numpy as np

TRANSMITTED = 240.0  # intensity (0-255) of light that passes no tissue
THRESHOLD = 0.15  # optical density (natural logarithm) that tissue has at least, in every channel
PERCENTILES = (1.0, 99.0)  # of the angles: the two stains; the second one also of the amounts: their maximum
# Unit densities of hematoxylin and eosin in red, green and blue, and the 99th percentiles of their amounts, that images
# are brought to. Macenko et al. 2009 do not give them; they spread with M. Veta's implementation.
REFERENCE = np.array([[0.5626, 0.7201, 0.4062], [0.2159, 0.8012, 0.5581]])
REFERENCE_MAXIMUM = np.array([1.9705, 1.0308])
# Ruifrok and Johnston 2001: densities of hematoxylin, eosin and diaminobenzidine in red, green and blue, as in
# `skimage.color.rgb_from_hed`.
RUIFROK = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
JITTER_LIGHT = 256.0  # a level plus one that passes no tissue: white has density 0
MINIMUM_PIXELS = 100  # of tissue: the 1st and the 99th percentile of fewer are their extremes
MINIMUM_SHARE = 0.01  # of tissue: with less, the 99th percentile of the amounts would lie in the background
MINIMUM_ANGLE = 1.0  # degrees between the two vectors
# Precautions of `attempt`: choices of this library, not published.
BRIGHTEST = 0.4  # percent of the pixels, the brightest, around whose median the glass is sought
GLASS = 20  # levels around it, in each channel: noise of glass, and the palest tissue
GLASS_LEAST, GLASS_USUAL = 100.0, 220.0  # mean level that glass has at least; light above it needs no correction
PINK = 0.04  # of the brightest channel: glass lacks at most so much more green than red and blue; both stains do
INK = 40  # levels; darker in all channels: ink, or padding
KEPT = 6  # levels that ink moves at most, and glass: what lies within `NOISE` standard deviations of it; further away
NOISE, STEEP = 5, 2  # so many more for each level
SIGNAL = 4.0  # times the noise's variance that the second color has at least: half of what is seen, or less, is noise
# What densities, and their noise, grow at most, and the least correlation of brightness before and after. Of the slides
# on which both were chosen all photographs, and five in six patches of 50 pixels, pass.
GAIN, ORDER = 10.0, 0.85


class TooLittleTissue(ValueError):
    """An image in which two stains can't be told apart."""


def normalize(image: np.ndarray, **options) -> np.ndarray:
    """An image brought to a common staining, uint8 (H, W, 3); options, and errors, as of `attempt`."""
    return attempt(image, **options)[0]


def attempt(
    image: np.ndarray,
    transmitted: float = TRANSMITTED,
    threshold: float = THRESHOLD,
    percentiles: tuple[float, float] = PERCENTILES,
    robust: bool = True,
    fallback: np.ndarray | None = None,
) -> tuple[np.ndarray, str]:
    """Bring an image to a common staining (Macenko et al. 2009, ISBI, "A method for normalizing histology slides").

    The two stains of the image are found (`vectors`), the amounts of both in every pixel follow by least squares, are
    scaled so that their 99th percentiles become `REFERENCE_MAXIMUM`, and are drawn again with the `REFERENCE` vectors.

    Parameters
    ----------
    image
        uint8, (H, W, 3): red, green, blue.
    transmitted
        Intensity (above 0) of light that passes no tissue.
    threshold
        Optical density (natural logarithm) that a pixel must have in each channel to count as tissue.
    percentiles
        Percentiles of the angle that give the two stains; the second one also gives the maximum of the amounts.
    robust
        False: the published steps and these constants alone, which stain gray glass and follow ink. True: light that is
        dimmer than usual, or colored, is measured on the image's glass, and stays; black is left out of the
        percentiles; black and glass move by at most `KEPT` levels, and nothing gets brighter than dim light; and an
        image falls back if its second color is hardly clearer than noise, noise would grow, or light and dark would
        mix. Glass in uneven light, far darker at one side, is still stained there.
    fallback
        What becomes of an image in which two stains can't be told apart. None: it comes back unchanged. (2, 3),
        densities of hematoxylin and eosin: their amounts are drawn with `REFERENCE`, unscaled.

    Returns
    -------
    image : ndarray of uint8, (H, W, 3)
        A new array.
    reason : str
        Why it fell back; empty if it did not.

    Raises
    ------
    ValueError
        If `image` is not uint8 (H, W, 3) with at least one pixel (RGBA, gray without channels, 16-bit, float), or a
        constant or `fallback` is out of range.
    """
    image = _checked(image)
    _check_constants(transmitted, threshold, percentiles)
    glass, reach = _glass(image) if robust else (None, 0)
    light = transmitted if glass is None or glass.mean() >= GLASS_USUAL else np.minimum(glass, transmitted)
    density, tissue = _density(image, light), _tissue(image, light, threshold)
    black = _highest(image) < (INK if robust else 0)
    try:
        stains, dense, covariance = _stains(density, tissue & ~black, percentiles)
        if robust:
            _check_signal(density.reshape(image.shape), dense, covariance, light, tissue & ~black)
        rest = np.compress(~black.ravel(), density, axis=0) if robust else density
        inverse, scale = _scaling(rest, stains, threshold, percentiles[1])
        change = inverse @ (scale[:, None] * REFERENCE)
        if robust and np.linalg.norm(change, 2) > GAIN:
            raise TooLittleTissue("image: noise would grow; two stains can't be told apart well")
        levels = _redrawn(density, change, light).reshape(image.shape)
        if robust:
            levels = _limited(levels, image, light, black, glass, reach)
            if not np.corrcoef(_brightness(image[~black]), _brightness(levels[~black]))[0, 1] >= ORDER:
                raise TooLittleTissue("image: light and dark would mix; two stains can't be told apart well")
        return levels, ""
    except TooLittleTissue as reason:
        levels = image.copy()
        if fallback is not None:
            change = np.linalg.pinv(_checked_stains(fallback)) @ REFERENCE
            levels = _redrawn(density, change, light).reshape(image.shape)
            levels = _limited(levels, image, light, black, glass, reach)
        return levels, str(reason).removeprefix("image: ")


def vectors(
    image: np.ndarray,
    transmitted: float = TRANSMITTED,
    threshold: float = THRESHOLD,
    percentiles: tuple[float, float] = PERCENTILES,
) -> np.ndarray:
    """Optical densities of the two stains of an image (Macenko et al. 2009, section 2), without `robust` precautions.

    In the plane of the two largest principal components of the tissue's densities, the stains are the directions at the
    first and the last percentile of the angle. Parameters as for `normalize`.

    Returns
    -------
    ndarray of float64, (2, 3)
        Unit vectors in red, green, blue; hematoxylin, which takes more red, first.

    Raises
    ------
    TooLittleTissue
        If two stains can't be told apart; a ValueError that says why. Other errors as of `normalize`.
    """
    image = _checked(image)
    _check_constants(transmitted, threshold, percentiles)
    return _stains(_density(image, transmitted), _tissue(image, transmitted, threshold), percentiles)[0]


def concentrations(image: np.ndarray, stains: np.ndarray | None = None, transmitted: float = TRANSMITTED) -> np.ndarray:
    """Amounts of hematoxylin and eosin in each pixel, by least squares: float32 (H, W, 2).

    Noise, and light brighter than `transmitted`, give values below 0.

    Parameters
    ----------
    image, transmitted
        As for `normalize`.
    stains
        (2, 3), optical densities of hematoxylin and eosin; None: the image's own `vectors`.

    Raises
    ------
    ValueError
        As `vectors`; stains of another shape.
    """
    image = _checked(image)
    stains = vectors(image, transmitted) if stains is None else _checked_stains(stains)
    return _product(_density(image, transmitted), np.linalg.pinv(stains)).reshape(*image.shape[:2], 2)


def jitter(image: np.ndarray, rng: np.random.Generator | int, low: float = 0.7, high: float = 1.3) -> np.ndarray:
    """Multiply an image's hematoxylin and eosin by two random factors, as for stronger and weaker staining.

    Stains are separated with the fixed vectors of Ruifrok and Johnston 2001 (Anal Quant Cytol Histol 23:291-299, color
    deconvolution); what they leave, the third channel, stays. Amounts below 0 stay too, so that factors of 1 change
    nothing. Light that passes no tissue is 255 here: white stays white, and black black.

    Parameters
    ----------
    image
        uint8, (H, W, 3).
    rng
        Generator, or a seed.
    low, high
        Range of the factors, uniform; 0.7 to 1.3 in Rakhlin et al. 2018, section 2.3.

    Returns
    -------
    ndarray of uint8, (H, W, 3)

    Raises
    ------
    ValueError
        If `image` is not uint8 (H, W, 3) with at least one pixel, or not 0 <= low <= high.
    """
    image = _checked(image)
    change = _jitter_matrix(*draw_factors(np.random.default_rng(rng), low, high))
    return _redrawn(_density(image, JITTER_LIGHT), change, JITTER_LIGHT, 1.0).reshape(image.shape)


def draw_factors(rng: np.random.Generator, low: float = 0.7, high: float = 1.3) -> np.ndarray:
    """Factors of hematoxylin and of eosin, float64 (2,), as `jitter` draws them.

    Raises ValueError if not 0 <= low <= high, both finite.
    """
    if not 0 <= low <= high < np.inf:
        raise ValueError(f"low={low}, high={high}: expected 0 <= low <= high")
    return rng.uniform(low, high, 2)


def jitter_tables(factors: np.ndarray, channels: bool = False) -> np.ndarray:
    """`jitter` as tables, for any device: a pixel's new density is the sum of one row from each of three tables.

    Of factors (J, 2), of hematoxylin and of eosin (with `channels`, of the densities of red and of green), float32
    (J, 3, 256, 3): what each level of red, green and blue (first axis after J) adds to the densities of red, green and
    blue (last axis). The new level is ``256 exp(-density) - 1``, rounded and clipped to 0-255.
    """
    density = _table(JITTER_LIGHT)[:, None]
    changes = [np.diag([*pair, 1.0]) if channels else _jitter_matrix(*pair) for pair in factors]
    return np.stack([density * change[:, None] for change in changes]).astype(np.float32)


def _jitter_matrix(hematoxylin: float, eosin: float) -> np.ndarray:
    """What the two factors do to a pixel's density, a row of red, green, blue; float64 (3, 3)."""
    return np.linalg.inv(RUIFROK) @ np.diag([hematoxylin, eosin, 1.0]) @ RUIFROK


def _checked(image) -> np.ndarray:
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        hint = "; leave out the alpha channel" if image.ndim == 3 and image.shape[2] == 4 else ""
        raise ValueError(
            f"image: an array of {image.dtype}, shape {image.shape}; expected uint8 (0-255), (H, W, 3), red, green, "
            f"blue, at least one pixel{hint}"
        )
    return image


def _checked_stains(stains) -> np.ndarray:
    stains = np.asarray(stains, np.float64)
    if stains.shape != (2, 3):
        raise ValueError(f"stains: an array of shape {stains.shape}; expected (2, 3), hematoxylin and eosin")
    return stains


def _check_constants(transmitted: float, threshold: float, percentiles: tuple[float, float]) -> None:
    if not (0 < transmitted < np.inf and 0 <= threshold < np.inf and 0 <= percentiles[0] < percentiles[1] <= 100):
        raise ValueError(
            f"transmitted={transmitted}, threshold={threshold}, percentiles={percentiles}: expected a positive "
            "intensity, a density of at least 0, and two percentiles, the smaller first"
        )


def _table(transmitted: float) -> np.ndarray:
    """Optical density of each of the 256 levels; one is added, so that black has one too."""
    return -np.log(np.arange(1, 257) / transmitted)


def _density(image: np.ndarray, transmitted: float | np.ndarray) -> np.ndarray:
    """Optical densities, float32 (H * W, 3), of light that is one number or one for each channel."""
    tables = [_table(one).astype(np.float32) for one in np.broadcast_to(transmitted, 3)]
    return np.stack([table.take(image[..., k].ravel()) for k, table in enumerate(tables)], axis=1)


def _glass(image: np.ndarray) -> tuple[np.ndarray | None, float]:
    """Median levels (3,) of the image's glass, and how far from them its noise reaches.

    Glass are the pixels near the brightest ones; None if those look stained.
    """
    pixels = image.reshape(-1, 3)
    bright = _brightness(image)
    center = np.median(pixels[bright >= np.percentile(bright, 100 - BRIGHTEST)], axis=0)
    near = np.compress(_distance(image, center).ravel() <= GLASS, pixels, axis=0)
    if len(near) < BRIGHTEST / 100 * len(pixels) or center.mean() < GLASS_LEAST:
        return None, 0
    found = np.median(near, axis=0)
    reach = min(NOISE * 1.4826 * np.median(np.abs(near - found)), GLASS)  # the deviation, by the median's
    return (found if min(found[0], found[2]) - found[1] <= PINK * found.max() else None), reach


def _distance(image: np.ndarray, color: np.ndarray) -> np.ndarray:
    """Levels between pixels and a color, the largest of the channels; int16 (H, W)."""
    return _highest(np.abs(image - np.rint(color).astype(np.int16)))


def _highest(image: np.ndarray) -> np.ndarray:
    return np.maximum(np.maximum(image[..., 0], image[..., 1]), image[..., 2])  # far faster than along the last axis


def _brightness(image: np.ndarray) -> np.ndarray:
    return image[..., 0].ravel() + image[..., 1].ravel().astype(np.int16) + image[..., 2].ravel()


def _limited(levels, image, light, black: np.ndarray, glass: np.ndarray | None, reach: float) -> np.ndarray:
    """New levels, none brighter than dim light, or further from the old ones than `KEPT` allows."""
    if np.ndim(light):
        levels = np.minimum(levels, np.maximum(image, np.rint(light).astype(np.uint8)))
    most = 255 if glass is None else KEPT + STEEP * np.maximum(_distance(image, glass) - reach, 0)
    most = np.where(black, KEPT, most).astype(np.int16)[..., None]
    return np.clip(levels, image - most, image + most).astype(np.uint8)


def _tissue(image: np.ndarray, light: float | np.ndarray, threshold: float) -> np.ndarray:
    """Pixels of at least the density `threshold` in each channel, boolean (H, W)."""
    # Densities fall with the level, so that the threshold is one on levels, and a comparison of bytes.
    last = [np.count_nonzero(_table(one) >= threshold) - 1 for one in np.broadcast_to(light, 3)]
    return (image[..., 0] <= last[0]) & (image[..., 1] <= last[1]) & (image[..., 2] <= last[2])


def _redrawn(density: np.ndarray, change: np.ndarray, transmitted, added: float = 0.0) -> np.ndarray:
    """Levels, uint8 (N, 3), of densities (or amounts) times a matrix with a column per channel."""
    change = -change.astype(np.float32)
    levels = np.empty((len(density), 3), np.uint8)
    for rows in _blocks(len(density)):
        part = np.minimum(density[rows] @ change, 20)  # far beyond white; noise could overflow otherwise
        np.exp(part, out=part)
        part *= np.asarray(transmitted, np.float32)
        part -= np.float32(added)
        np.rint(part, out=part)
        levels[rows] = np.clip(part, 0, 255, out=part)
    return levels


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``a @ b`` for many rows and a tiny matrix, float32."""
    b = b.astype(np.float32)
    result = np.empty((len(a), b.shape[1]), np.float32)
    for rows in _blocks(len(a)):
        np.matmul(a[rows], b, out=result[rows])
    return result


def _blocks(rows: int, size: int = 2**13) -> list[slice]:
    """Rows in blocks that stay in the cache and are too few for the matrix library to start threads, which on a busy
    machine wait for each other many times longer than the product takes."""
    return [slice(start, start + size) for start in range(0, rows, size)]


def _check_signal(density, dense, covariance: np.ndarray, light, tissue: np.ndarray) -> None:
    """Whether the second color of tissue, density (H, W, 3), is clearer than its noise.

    Noise of a level is one of 1 / level in density. In units of it, one stain varies along a line, and two in a plane;
    what is left across is noise and, in tissue, smooth. So noise is what differs between neighbors there.
    """
    unit = np.sqrt(np.square(np.exp(dense) / light).mean(axis=0))
    variances, axes = np.linalg.eigh(covariance / np.outer(unit, unit))
    across = density @ (axes[:, 0] / unit).astype(np.float32)
    steps = np.concatenate([np.diff(across)[tissue[:, 1:] & tissue[:, :-1]],
                            np.diff(across, axis=0)[tissue[1:] & tissue[:-1]]])  # fmt: skip
    noise = min(np.square(steps).mean() / 2, variances[0]) if len(steps) >= MINIMUM_PIXELS else variances[0]
    if variances[1] < SIGNAL * max(noise, 1 / 12):  # the variance of rounding
        raise TooLittleTissue("image: the second color is hardly clearer than noise; two stains can't be told apart")


def _stains(density, tissue: np.ndarray, percentiles) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`vectors`, the tissue's densities (n, 3), float32, and their covariance."""
    dense = np.compress(tissue.ravel(), density, axis=0)
    if len(dense) < max(MINIMUM_PIXELS, MINIMUM_SHARE * len(density)):
        raise TooLittleTissue(
            f"image: {len(dense)} of {len(density)} pixels are tissue; two stains can't be told apart below "
            f"{MINIMUM_PIXELS} pixels or {MINIMUM_SHARE:.0%} of the image"
        )
    covariance = np.cov(dense, rowvar=False, dtype=np.float64)
    plane = np.linalg.eigh(covariance)[1][:, :0:-1]  # columns: first and second principal component
    plane = plane * np.where(plane.sum(0) < 0, -1, 1)  # their signs are arbitrary; most densities are positive
    turned = _product(dense, plane)
    angles = np.percentile(np.arctan2(turned[:, 1], turned[:, 0]), percentiles)
    if np.degrees(angles[1] - angles[0]) < MINIMUM_ANGLE:
        raise TooLittleTissue("image: all pixels are of one color; two stains can't be told apart")
    found = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ plane.T
    return found if found[0, 0] > found[1, 0] else found[::-1], dense, covariance


def _scaling(density, stains, threshold: float, percentile: float) -> tuple[np.ndarray, np.ndarray]:
    """From densities to amounts (3, 2), and what brings their upper percentiles to the reference (2,)."""
    inverse = np.linalg.pinv(stains)
    amounts = np.ascontiguousarray(_product(density, inverse).T)
    maximum = np.percentile(amounts, percentile, axis=1, overwrite_input=True)
    if maximum.min() < threshold:
        raise TooLittleTissue("image: hardly any of one stain")
    return inverse, REFERENCE_MAXIMUM / maximum
