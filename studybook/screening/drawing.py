"""Pictures of the page, as PNG in memory and of bounded size."""

import base64
import html
import io

import numpy as np
from PIL import Image

from histolib.datasets import regions

SIDE = 640  # pixels of a picture's longer side at most
STRENGTH = 0.65  # of the color where the heat map is 1
COLORS = "inferno"


def picture(pixels: np.ndarray, alt: str, side: int = SIDE) -> str:
    """An ``<img>`` that holds its own content.

    Parameters
    ----------
    pixels
        (H, W) gray of any real dtype, scaled by its own range, or uint8 (H, W, 3).
    alt
        Text for those who don't see it.
    side
        Longer side in pixels at most; a smaller image keeps its size.
    """
    image = Image.fromarray(reduced(pixels, side))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    content = base64.b64encode(stream.getvalue()).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{content}">'


def reduced(pixels: np.ndarray, side: int) -> np.ndarray:
    """An image in 8-bit color with no side longer than `side`; see `picture`."""
    step = max(1, max(pixels.shape[:2]) // (2 * side))  # most of a large film is never scaled
    pixels = np.ascontiguousarray(pixels[::step, ::step])
    image = Image.fromarray(pixels if pixels.ndim == 3 else regions.as_image(pixels))
    image.thumbnail((side, side), Image.Resampling.BILINEAR)
    return np.asarray(image)


def overlay(pixels: np.ndarray, heat: np.ndarray, side: int = SIDE) -> np.ndarray:
    """A gray image with a heat map over it in color, the stronger the higher.

    Parameters
    ----------
    pixels
        (H, W) of any real dtype.
    heat
        float32 (H, W) in [0, 1].
    side
        Longer side of the result in pixels at most.

    Returns
    -------
    ndarray of uint8, (h, w, 3)
    """
    import matplotlib  # the page is up before it is needed

    gray = reduced(pixels, side).astype(np.float32)
    heat = np.asarray(Image.fromarray(heat).resize(gray.shape[1::-1], Image.Resampling.BILINEAR)).clip(0, 1)
    color = matplotlib.colormaps[COLORS](heat)[..., :3].astype(np.float32) * 255
    strength = STRENGTH * heat[..., None]
    return np.round(gray * (1 - strength) + color * strength).astype(np.uint8)


def legend() -> str:
    """A bar of the heat map's colors with its two ends named, as HTML."""
    import matplotlib

    stops = matplotlib.colormaps[COLORS](np.linspace(0, 1, 9))
    colors = ", ".join(matplotlib.colors.to_hex(stop) for stop in stops)
    return (
        '<span class="screening-legend">no effect '
        f'<span style="background: linear-gradient(to right, {colors})"></span> strongest effect</span>'
    )
