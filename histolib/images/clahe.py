"""Contrast-limited adaptive histogram equalization of color images."""

import numpy as np
from skimage import exposure


class Clahe:
    """Contrast-limited adaptive histogram equalization (Zuiderveld 1994) of brightness; hue and saturation stay.

    scikit-image's ``equalize_adapthist`` of the largest channel (the value of HSV); the others follow in proportion,
    so that none leaves the range. An image of one brightness stays as it is.

    Parameters
    ----------
    tile
        Side in pixels of the squares whose histograms are equalized; at most the image's side. In pixels, so that a
        patch is treated about as the image that it was cut from.
    clip
        Largest share of a square's pixels that counts in one of 256 bins; 1/256 leaves the contrast as it is, 1 does
        not limit it.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    def __init__(self, tile: int = 32, clip: float = 0.01):
        if tile < 2 or not 0 < clip <= 1:
            raise ValueError(f"tile={tile}, clip={clip}: expected at least 2 pixels, and a share above 0, at most 1")
        self.tile, self.clip = tile, clip

    def __call__(self, images: np.ndarray) -> np.ndarray:
        return np.stack([self._equalized(image) for image in images])

    def _equalized(self, image: np.ndarray) -> np.ndarray:
        value = image.max(axis=-1)
        if value.min() == value.max():
            return image
        tiles = tuple(min(self.tile, side) for side in value.shape)
        bright = exposure.equalize_adapthist(value, tiles, self.clip).astype(np.float32)
        # Black has no hue: where it is made brighter it becomes gray.
        color = np.where(value[..., None] > 0, image, 1) / np.maximum(value, 1)[..., None].astype(np.float32)
        return pixels(255 * color * bright[..., None])


def pixels(values: np.ndarray) -> np.ndarray:
    """Numbers on the scale of pixels as uint8, rounded; what lies beyond 0 to 255 is cut off."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
