"""Oriented FAST and rotated BRIEF (ORB): keypoints with binary descriptors, and a bag of their words."""

import numpy as np
from scipy import ndimage
from skimage.feature import ORB
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import MiniBatchKMeans
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from histolib.descriptors.common import blockwise, gray, image_by_image

KEYPOINTS = 100  # at most, of an image
WORDS = 64
BYTES = 32  # of the 256 bits of a keypoint
COLUMNS = 1 + KEYPOINTS * BYTES
_MARGIN = 16  # pixels: a keypoint nearer to the edge has no descriptor
_SIDE = 96  # pixels, to which a smaller image is enlarged
_ROWS = 4096  # images at a time


@blockwise(COLUMNS)
def keypoints(images: np.ndarray) -> np.ndarray:
    """Binary descriptors of an image's keypoints (Rublee et al. 2011, ICCV, 2564, "ORB"), by scikit-image.

    Up to 100 keypoints of the gray image on 3 levels of its pyramid: their number, then 32 bytes (0-255) of each, 0
    where there is none; 3201 columns. An image with a side below 96 pixels is enlarged by a whole number and reflected
    at its edges, so that its outer parts can hold keypoints: of a patch of 50 x 50 pixels, 18 x 18 could otherwise.
    `BagOfWords` makes a descriptor of these columns, and is fitted on training images only.
    """
    return image_by_image(_keypoints, gray(images))


def _keypoints(image: np.ndarray) -> np.ndarray:
    found = np.zeros(COLUMNS)
    if image.max() == image.min():
        return found
    finder = ORB(n_keypoints=KEYPOINTS, n_scales=3)
    try:
        finder.detect_and_extract(_enlarged(image))
    except RuntimeError:  # scikit-image's word for an image without keypoints
        return found
    bits = finder.descriptors[:KEYPOINTS]
    found[0] = len(bits)
    found[1 : 1 + bits.size // 8] = np.packbits(bits, axis=1).ravel()
    return found


def _enlarged(image: np.ndarray) -> np.ndarray:
    """The image in [0, 1], its shorter side at least `_SIDE` pixels, with a margin by reflection if it was smaller."""
    pixels, factor = image / 255, -(-_SIDE // min(image.shape))
    if factor == 1:
        return pixels
    zoomed = ndimage.zoom(pixels, min(factor, 4), order=1)
    return np.pad(zoomed, max(_MARGIN, (_SIDE - min(zoomed.shape) + 1) // 2), mode="symmetric")


class BagOfWords(TransformerMixin, BaseEstimator):
    """Share of an image's keypoints that is nearest to each of some words (Csurka et al. 2004, ECCV workshop).

    Words are the centers of clusters (k-means) of the keypoints' bits, so that they depend on the images that it is
    fitted on: in a pipeline these are the training images.

    Parameters
    ----------
    words
        Number of words, thus of columns. With fewer different keypoints than words, the last columns are 0.
    sample
        At most so many keypoints are clustered, drawn by `seed`.
    seed
        Seed of the draw and of the clustering.

    Attributes
    ----------
    clusters_
        The fitted k-means, or None if the images had no keypoint.
    """

    def __init__(self, words: int = WORDS, sample: int = 20_000, seed: int = 0):
        self.words, self.sample, self.seed = words, sample, seed

    def fit(self, X, y=None):
        """Find the words in the columns of `keypoints` of training images, float32 (N, 3201)."""
        X = validate_data(self, X, dtype=np.float32)
        rng = np.random.default_rng(self.seed)
        packed = _descriptors(X)
        if len(packed) > self.sample:
            packed = packed[np.sort(rng.choice(len(packed), self.sample, replace=False))]
        count = min(self.words, len(np.unique(packed, axis=0)))
        # A fixed number of rounds and one thread: the words do not depend on the order in which threads add up, and
        # on a busy machine threads wait for each other ten times as long as the work takes.
        rounds = {"max_iter": 10, "max_no_improvement": None, "batch_size": 2048, "n_init": 1, "tol": 0.0}
        clusters = MiniBatchKMeans(count or 1, random_state=self.seed, **rounds)
        with threadpool_limits(1):
            self.clusters_ = clusters.fit(_bits(packed)) if count else None
        return self

    def transform(self, X) -> np.ndarray:
        """Shares of the words, float32 (N, words); rows sum to 1, or to 0 for an image without keypoints."""
        check_is_fitted(self, "clusters_")
        X = validate_data(self, X, dtype=np.float32, reset=False)
        found = np.zeros((len(X), self.words), np.float32)
        if self.clusters_ is None:
            return found
        for start in range(0, len(X), _ROWS):
            part = X[start : start + _ROWS]
            counts = part[:, 0].astype(np.int64)
            if counts.any():
                owner = np.repeat(np.arange(len(part)), counts)
                np.add.at(found[start : start + _ROWS], (owner, self.clusters_.predict(_bits(_descriptors(part)))), 1)
        return found / np.maximum(found.sum(1, keepdims=True), 1)


def _descriptors(columns: np.ndarray) -> np.ndarray:
    """Bytes of all keypoints of all images, uint8 (n, 32)."""
    there = np.arange((columns.shape[1] - 1) // BYTES) < columns[:, :1]
    return columns[:, 1:].reshape(len(columns), -1, BYTES)[there].astype(np.uint8)


def _bits(packed: np.ndarray) -> np.ndarray:
    return np.unpackbits(packed, axis=1).astype(np.float32)
