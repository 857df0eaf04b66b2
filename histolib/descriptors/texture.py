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

    The first 13 features of the gray image (64 levels) at distance 1 by mahotas: 13 means over the four directions,
    then 13 ranges over them, as the authors propose. A height or width of 1 is completed to 2 by repeating it.
    Unchanged by rotation by 90 degrees and by reflection.
    """
    levels = at_least(gray(images), 2) // (256 // HARALICK_LEVELS)
    return image_by_image(lambda image: mahotas.features.haralick(image, return_mean_ptp=True), levels)


@blockwise(len(DISTANCES) * len(PROPERTIES))
def cooccurrence(images: np.ndarray) -> np.ndarray:
    """Properties of the gray level co-occurrence matrix (Haralick, Shanmugam and Dinstein 1973, IEEE T SMC 3:610).

    Six properties of the symmetric matrix of the gray image (32 levels) by scikit-image, in the order of `PROPERTIES`,
    each at distances of 1, 3 and 5 pixels as the mean over four directions: 18 columns. Below 6 pixels of height or
    width the edge is repeated, so that every distance has pairs. Unchanged by rotation by 90 degrees and by reflection.
    """

    def properties(image: np.ndarray) -> np.ndarray:
        matrix = graycomatrix(image, DISTANCES, _ANGLES, COOCCURRENCE_LEVELS, symmetric=True, normed=True)
        return np.concatenate([graycoprops(matrix, name).mean(1) for name in PROPERTIES])

    return image_by_image(properties, at_least(gray(images), max(DISTANCES) + 1) // (256 // COOCCURRENCE_LEVELS))


@blockwise(162)
def threshold_adjacency(images: np.ndarray) -> np.ndarray:
    """Parameter-free threshold adjacency statistics (Hamilton et al. 2007, BMC Bioinf 8:110; Coelho et al. 2010).

    By mahotas, of red, green and blue each 54 numbers: with Otsu's threshold, and the mean m and the standard deviation
    s of the pixels above it, three masks (within m ± s, above m - s, above m) and their three complements; of each the
    share of pixels outside that have 0, 1, ... 8 neighbors inside. Unchanged by rotation by 90 degrees and by
    reflection.
    """
    statistics = mahotas.features.pftas
    planes = np.ascontiguousarray(np.moveaxis(images, -1, 1))
    return image_by_image(lambda image: np.concatenate([statistics(plane) for plane in image]), planes)
