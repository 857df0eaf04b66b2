"""Descriptors of how gray levels follow each other, and of how bright pixels lie together."""

import mahotas
import numpy as np
from skimage.feature import graycomatrix, graycoprops

from histolib.descriptors.common import at_least, blockwise, gray, image_by_image

HARALICK_LEVELS, COOCCURRENCE_LEVELS = 64, 32  # gray levels are merged to: sparse tables describe noise
DISTANCES = (1, 3, 5)  # pixels
PROPERTIES = ("contrast", "dissimilarity", "homogeneity", "ASM", "correlation", "entropy")
_ANGLES = np.arange(4) * np.pi / 4


@blockwise(26)
def haralick(images: np.ndarray) -> np.ndarray:
    """Haralick's texture features (Haralick, Shanmugam and Dinstein 1973, IEEE T Syst Man Cyb 3:610, appendix I).

    The first 13 features of the gray image (64 levels) at distance 1 by mahotas, as the mean over the four directions
    and the range over them, as the authors propose. Unchanged by rotation by 90 degrees and by reflection.

    Parameters
    ----------
    images
        uint8, (N, H, W, 3). A height or width of 1 is completed to 2 by repeating it.

    Returns
    -------
    ndarray of float32, (N, 26)
        13 means, then 13 ranges.
    """
    levels = at_least(gray(images), 2) // (256 // HARALICK_LEVELS)
    return image_by_image(lambda image: mahotas.features.haralick(image, return_mean_ptp=True), levels)


@blockwise(len(DISTANCES) * len(PROPERTIES))
def cooccurrence(images: np.ndarray) -> np.ndarray:
    """Properties of the gray level co-occurrence matrix (Haralick, Shanmugam and Dinstein 1973, IEEE T SMC 3:610).

    Six properties of the symmetric matrix of the gray image (32 levels) by scikit-image, at distances of 1, 3 and 5
    pixels, each the mean over four directions. Unchanged by rotation by 90 degrees and by reflection.

    Parameters
    ----------
    images
        uint8, (N, H, W, 3). Below 6 pixels of height or width the edge is repeated, so that every distance has pairs.

    Returns
    -------
    ndarray of float32, (N, 18)
        Properties in the order of `PROPERTIES`, each at the three distances.
    """

    def properties(image: np.ndarray) -> np.ndarray:
        matrix = graycomatrix(image, DISTANCES, _ANGLES, COOCCURRENCE_LEVELS, symmetric=True, normed=True)
        return np.concatenate([graycoprops(matrix, name).mean(1) for name in PROPERTIES])

    return image_by_image(properties, at_least(gray(images), max(DISTANCES) + 1) // (256 // COOCCURRENCE_LEVELS))


@blockwise(162)
def threshold_adjacency(images: np.ndarray) -> np.ndarray:
    """Parameter-free threshold adjacency statistics (Hamilton et al. 2007, BMC Bioinf 8:110; Coelho et al. 2010).

    By mahotas, of red, green and blue each: with Otsu's threshold, and the mean m and the standard deviation s of the
    pixels above it, three masks (within m ± s, above m - s, above m); of each mask and its complement, the share of
    pixels outside that have 0, 1, ... 8 neighbors inside. Unchanged by rotation by 90 degrees and by reflection.

    Parameters
    ----------
    images
        uint8, (N, H, W, 3).

    Returns
    -------
    ndarray of float32, (N, 162)
        54 of red, of green, of blue: three masks, three complements, 9 shares each.
    """
    statistics = mahotas.features.pftas
    planes = np.ascontiguousarray(np.moveaxis(images, -1, 1))
    return image_by_image(lambda image: np.concatenate([statistics(plane) for plane in image]), planes)
