"""One film in, label, probabilities and heat map out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from histolib.datasets import regions
from histolib.datasets.regions import Box
from studybook.screening import occlusion, uploads
from studybook.screening.cards import Card
from studybook.screening.saving import Screener


@dataclass(frozen=True)
class Prediction:
    """A model's answer about a film or a region of it.

    Attributes
    ----------
    label
        Class of the highest probability.
    probabilities
        Class to probability, in the order of the card.
    region
        Top, left, bottom, right in pixels of the film: what the model was shown.
    shown
        The region as the model takes it, uint8 (S, S, 3).
    heat_map
        float32 in [0, 1], (height, width of `region`): how much of the answer rests on each pixel, see
        `occlusion.heat_map`; None if it was not asked for.
    """

    label: str
    probabilities: dict[str, float]
    region: Box
    shown: np.ndarray
    heat_map: np.ndarray | None = None


def predict(
    screener: Screener,
    image: np.ndarray | Path | str,
    region: Box | None = None,
    side: int | None = None,
    heat_map: bool = True,
) -> Prediction:
    """Ask a model about a film or a region of it.

    The model is shown a square around the region's center, scaled to 8 bits by its own range and to the model's size,
    as the regions were that it learned from. At the film's edge it is completed as the card says
    (`regions.crop`; by default the part inside the film is stretched, and so is a whole film that is not
    square).

    Parameters
    ----------
    screener
        From `load`.
    image
        Gray values (H, W) of any real dtype, or a file that `studybook.screening.read` reads.
    region
        Top, left, bottom, right in pixels of the film, bottom and right exclusive; None is the whole film.
    side
        Side of the square in pixels of the film, at least 16; the region's longer side if None. With a lesion's
        bounding box and the card's ``window`` the model is shown what the data set gives
        (`histolib.datasets.mammograms`).
    heat_map
        Whether to make one; it costs about 150 times the answer itself.

    Returns
    -------
    Prediction

    Raises
    ------
    ValueError
        If the image is not two-dimensional, the region is not inside it, or the square is too small.
    """
    film = np.asarray(image) if isinstance(image, np.ndarray) else uploads.read(image).pixels
    if film.ndim != 2:
        raise ValueError(f"image of shape {film.shape}: expected one gray value per pixel, (H, W)")
    card = screener.card
    box = tuple(region) if region is not None else (0, 0, *film.shape)
    _check(box, film.shape)
    side = max(box[2] - box[0], box[3] - box[1]) if side is None else side
    if side < uploads.SMALLEST:
        raise ValueError(f"a square of {side} pixels: expected at least {uploads.SMALLEST}")
    shown = _shown(film, box, side, card)
    probabilities = screener.model.predict_on_batch(shown[None])[0]
    window = regions.window(film.shape, box, side, card.edge)
    best = int(np.argmax(probabilities))
    heat = _unfolded(occlusion.heat_map(screener.model, shown, best), window, film.shape) if heat_map else None
    named = {name: float(p) for name, p in zip(card.classes, probabilities, strict=True)}
    return Prediction(card.classes[best], named, _inside(window, film.shape), shown, heat)


def square(center: tuple[int, int], side: int, shape: tuple[int, int]) -> Box:
    """The square of a given side (at most the film's shorter one) nearest to a center that lies inside the film.

    Parameters
    ----------
    center
        Row and column in pixels.
    side
        In pixels.
    shape
        Height and width of the film.
    """
    side = min(side, *shape)
    top, left = (min(max(c - side // 2, 0), length - side) for c, length in zip(center, shape))
    return top, left, top + side, left + side


def _check(box: Box, shape: tuple[int, int]) -> None:
    named = ", ".join(f"{name} {value}" for name, value in zip(("top", "left", "bottom", "right"), box))
    if len(box) != 4 or not (0 <= box[0] < box[2] <= shape[0] and 0 <= box[1] < box[3] <= shape[1]):
        raise ValueError(
            f"region {named}: expected four numbers inside the image of {shape[0]} rows, {shape[1]} columns"
        )


def _shown(film: np.ndarray, box: Box, side: int, card: Card) -> np.ndarray:
    """The region as the model takes it, uint8 (S, S, 3); the same steps as for the images that it learned from."""
    region = regions.as_image(regions.crop(film, box, side, card.out, card.edge))
    size = card.input_shape[0]
    if size == card.out:
        return region
    return np.asarray(Image.fromarray(region).resize((size, size), Image.Resampling.BILINEAR))


def _inside(window: Box, shape: tuple[int, int]) -> Box:
    return max(window[0], 0), max(window[1], 0), min(window[2], shape[0]), min(window[3], shape[1])


def _unfolded(heat: np.ndarray, window: Box, shape: tuple[int, int]) -> np.ndarray:
    """A square heat map stretched over the part of its window that lies inside the film."""
    height, width = window[2] - window[0], window[3] - window[1]
    whole = np.asarray(Image.fromarray(heat).resize((width, height), Image.Resampling.BILINEAR))
    top, left, bottom, right = _inside(window, shape)
    return np.clip(whole[top - window[0] : bottom - window[0], left - window[1] : right - window[1]], 0, 1)
