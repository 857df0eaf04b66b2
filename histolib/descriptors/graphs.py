"""How nuclei lie to each other: a graph over those that color deconvolution finds."""

import numpy as np
from scipy import ndimage
from scipy.spatial import Delaunay, QhullError, cKDTree
from skimage.filters import threshold_otsu

from histolib.descriptors.common import blockwise, image_by_image
from histolib.images import stain

SMOOTHING = 1.5  # pixels, standard deviation; nuclei of the patches (2 µm per pixel) are about 4 pixels in radius
SEPARATION = 2  # pixels around a nucleus without another one
MINIMUM = 0.1  # optical density of hematoxylin that a nucleus has at least
NEIGHBORS, RADII = (1, 3, 5), (8, 16, 24)  # nearest neighbors; pixels
DIMENSION = 1 + 4 * (2 + len(NEIGHBORS)) + 2 * len(RADII)


@blockwise(DIMENSION)
def nuclear_graph(images: np.ndarray) -> np.ndarray:
    """Statistics of the graph of nuclei, 27 columns (Doyle et al. 2008, ISBI, 496, architectural features).

    Number of nuclei (`nuclei`) per 10,000 pixels; of the lengths of the edges and of the areas of the triangles of
    their Delaunay triangulation, and of the distances to the first, third and fifth nearest nucleus: mean, standard
    deviation, smallest divided by largest, and disorder, 1 - 1 / (1 + standard deviation / mean); of the number of
    others within 8, 16 and 24 pixels: mean and standard deviation. What needs more nuclei than there are is 0. In
    pixels: images of different magnification are not comparable. Unchanged by rotation by 90 degrees and by reflection,
    but for nuclei whose neighborhoods have ties.
    """
    return image_by_image(lambda image: statistics(nuclei(image), image.shape[0] * image.shape[1]), images)


def nuclei(image: np.ndarray) -> np.ndarray:
    """Centers of the nuclei of an image, uint8 (H, W, 3): float64 (n, 2), row and column in pixels.

    Local maxima of the amount of hematoxylin (Ruifrok and Johnston 2001, by `stain.concentrations`), smoothed, that are
    above Otsu's threshold and above `MINIMUM`; a plateau counts once, at its middle.
    """
    amounts = stain.concentrations(image, stain.RUIFROK[:2], stain.JITTER_LIGHT)[..., 0]
    smooth = ndimage.gaussian_filter(amounts, SMOOTHING)
    if np.ptp(smooth) < MINIMUM:
        return np.empty((0, 2))
    highest = ndimage.maximum_filter(smooth, 2 * SEPARATION + 1)
    peaks, count = ndimage.label((smooth == highest) & (smooth > max(threshold_otsu(smooth), MINIMUM)), np.ones((3, 3)))
    return np.array(ndimage.center_of_mass(peaks > 0, peaks, range(1, count + 1))).reshape(-1, 2)


def statistics(points: np.ndarray, area: int) -> np.ndarray:
    """The numbers of `nuclear_graph`, float64 (27,), of points (n, 2) in an image of `area` pixels."""
    edges, triangles = _triangulation(points)
    tree = cKDTree(points) if len(points) else None
    distances = [_nearest(tree, points, k) for k in NEIGHBORS]
    spread = [_four(values) for values in (edges, triangles, *distances)]
    crowd = [_within(tree, points, radius) for radius in RADII]
    return np.concatenate([[len(points) * 1e4 / area], *spread, *crowd])


def _triangulation(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lengths of the edges and areas of the triangles; both empty where all points are on one line."""
    if len(points) < 3:
        return np.empty(0), np.empty(0)
    try:
        corners = Delaunay(points).simplices
    except QhullError:
        return np.empty(0), np.empty(0)
    pairs = np.unique(np.sort(corners[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0)
    a, b = np.moveaxis(points[corners[:, 1:]] - points[corners[:, :1]], 1, 0)
    areas = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2
    return np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1), areas


def _nearest(tree: cKDTree | None, points: np.ndarray, k: int) -> np.ndarray:
    """Distance of each point to its k-th nearest other one; empty if there are too few."""
    return tree.query(points, [k + 1])[0][:, 0] if len(points) > k else np.empty(0)


def _within(tree: cKDTree | None, points: np.ndarray, radius: float) -> np.ndarray:
    if tree is None:
        return np.zeros(2)
    counts = tree.query_ball_point(points, radius, return_length=True) - 1
    return np.array([counts.mean(), counts.std()])


def _four(values: np.ndarray) -> np.ndarray:
    """Mean, standard deviation, smallest divided by largest, disorder."""
    if not len(values) or not values.max():
        return np.zeros(4)
    mean, deviation = values.mean(), values.std()
    return np.array([mean, deviation, values.min() / values.max(), 1 - 1 / (1 + deviation / mean)])
