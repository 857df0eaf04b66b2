"""Hematoxylin and eosin: from amounts of stain to colors and back.

Light that passes through stained tissue is weakened exponentially (Beer-Lambert): with optical
density vectors :math:`v_s` and amounts :math:`c_s`, a channel's intensity is
:math:`I = I_0 \\exp(-\\sum_s c_s v_s)`. Ruifrok and Johnston (Analytical and Quantitative Cytology and
Histology 23, 2001) describe stains by such vectors. Densities here are natural logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Unit optical density vectors (red, green, blue) around which the stains of patients vary. The first two lie
# near the vectors of Ruifrok and Johnston, the third is red blood cells, the fourth a dark tissue ink.
HEMATOXYLIN = (0.56, 0.71, 0.43)
EOSIN = (0.09, 0.83, 0.55)
BLOOD = (0.08, 0.74, 0.67)
INK = (0.66, 0.55, 0.51)


@dataclass(frozen=True)
class Stain:
    """The colors of one patient's slide.

    Attributes
    ----------
    vectors : ndarray, float32, (4, 3)
        Unit optical density of hematoxylin, eosin, blood and ink in red, green and blue.
    strength : ndarray, float32, (4,)
        How strongly each took: an amount of 1 in the tissue has the density ``strength * vector``.
    white : ndarray, float32, (3,)
        Intensity (0-255) of light that passes no tissue.
    """

    vectors: np.ndarray
    strength: np.ndarray
    white: np.ndarray

    def render(self, *amounts: np.ndarray) -> np.ndarray:
        """Turn amounts of stain into intensities.

        Parameters
        ----------
        *amounts : ndarray, float, (H, W)
            Hematoxylin, eosin, blood, ink, in this order; trailing ones may be left out.

        Returns
        -------
        ndarray, float32, (H, W, 3)
            Intensities between 0 and `white` (not rounded).

        Raises
        ------
        ValueError
            For no amounts, or more than there are vectors.
        """
        if not 1 <= len(amounts) <= len(self.vectors):
            raise ValueError(f"amounts: {len(amounts)} maps given, 1 to {len(self.vectors)} can be rendered")
        density = self.vectors * self.strength[:, None]
        image = np.empty((*np.shape(amounts[0]), 3), np.float32)
        for channel in range(3):
            total = sum(density[k, channel] * amount for k, amount in enumerate(amounts))
            image[..., channel] = self.white[channel] * np.exp(-total)
        return image

    def optical_density(self, image: np.ndarray) -> np.ndarray:
        """Optical density, float32, of `image` (intensities, (..., 3)); intensities below 1 count as 1."""
        return -np.log(np.maximum(np.asarray(image, np.float32), 1) / self.white)

    def amounts(self, image: np.ndarray) -> np.ndarray:
        """Hematoxylin and eosin in each pixel, by least squares (color deconvolution).

        Parameters
        ----------
        image : ndarray, (..., 3)
            Intensities, 0-255.

        Returns
        -------
        ndarray, float32, (..., 2)
            The amounts that :meth:`render` would need.
        """
        density = self.vectors[:2] * self.strength[:2, None]
        return self.optical_density(image) @ np.linalg.pinv(density).astype(np.float32)


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Round intensities to uint8, clipped to 0-255."""
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)


def draw_stain(rng: np.random.Generator, variation: float = 1.0) -> Stain:
    """Draw the stain of one patient.

    Parameters
    ----------
    rng : numpy.random.Generator
    variation : float
        1 gives the spread seen between patients of one archive, 0 always the mean stain; larger values
        serve pre-training, where colors should mean little.

    Raises
    ------
    ValueError
        If `variation` is negative.
    """
    if variation < 0:
        raise ValueError(f"variation: {variation} found, 0 or more is right")
    mean = np.array([HEMATOXYLIN, EOSIN, BLOOD, INK])
    spread = np.array([0.045, 0.035, 0.02, 0.15])[:, None] * variation
    vectors = np.clip(mean + spread * rng.standard_normal((4, 3)), 0.02, None)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    strength = np.exp(variation * np.array([0.24, 0.18, 0.08, 0.1]) * rng.standard_normal(4))
    white = np.clip(243 + variation * (2.5 * rng.standard_normal() + 0.8 * rng.standard_normal(3)), 200, 255)
    return Stain(vectors.astype(np.float32), strength.astype(np.float32), white.astype(np.float32))
