"""Maps of images whose points show the image under the pointer, in a page that loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
from IPython.display import HTML
from PIL import Image

from histolib.plots import COLORS

SIDE, SHOWN = 48, 120  # side of an image in pixels, as it is stored and as it is shown
_WIDTH, _MARGIN = 260, 10  # of a map
_STYLE = """<style>
.hover-maps { position: relative; display: flex; flex-wrap: wrap; gap: 0.5rem; }
.hover-maps figure { margin: 0; flex: 1 1 240px; max-width: 360px; }
.hover-maps svg { width: 100%; border: 1px solid #bbb; background: white; }
.hover-maps p { flex-basis: 100%; margin: 0; }
.hover-card { position: absolute; left: 0; top: 0; visibility: hidden; z-index: 5; padding: 4px;
  background: white; color: black; border: 1px solid #777; font-size: 80%; pointer-events: none; max-width: 220px; }
</style>"""


def embedding(
    maps: Mapping[str, np.ndarray],
    labels,
    classes: Sequence[str],
    images: np.ndarray,
    captions: Sequence[str],
    title: str,
) -> HTML:
    """Maps of the same images side by side; a point under the pointer shows its image, and is marked on every map.

    Parameters
    ----------
    maps
        Name of a map to its points, (N, 2).
    labels, classes
        Class of each image, (N,), and the names of the classes: each has a color and a shape.
    images
        uint8, (N, H, W, 3). They become part of the page, so a page for others shows drawn images only; the book's runs
        on real data are the reader's own.
    captions
        What is said of each image, (N,).
    title
        Of the figure.

    Raises
    ------
    ValueError
        Maps, labels, captions and images of different length.
    """
    labels, count = np.asarray(labels), len(images)
    if any(len(one) != count for one in (labels, captions, *maps.values())):
        raise ValueError(f"{count} images, {len(labels)} labels, {len(captions)} captions; expected as many of each")
    columns = int(np.ceil(np.sqrt(count)))
    sprite = _sprite(images, columns)
    name = "maps-" + hashlib.sha256(sprite.encode() + title.encode()).hexdigest()[:10]
    facts = {"side": SIDE, "columns": columns, "shown": SHOWN, "captions": list(map(str, captions))}
    keys = " ".join(f'<svg viewBox="-5 -5 10 10" style="width:12px;border:0">{_point(0, 0, k)}</svg> {escape(one)}'
                    for k, one in enumerate(classes))  # fmt: skip
    thumb = f"width:{SHOWN}px;height:{SHOWN}px;background-image:url({sprite})"
    panels = "".join(_panel(key, points, labels) for key, points in maps.items())
    script = Path(__file__).with_name("hover.js").read_text("utf8").replace("FIGURE", name)
    return HTML(
        f'{_STYLE}<div class="hover-maps" id="{name}" data-points="{escape(json.dumps(facts))}">'
        f"<p><strong>{escape(title)}</strong>. Point at a mark to see its image. {keys}</p>{panels}"
        f'<div class="hover-card"><div style="{thumb}"></div><span></span></div></div><script>{script}</script>'
    )


def _panel(name: str, points: np.ndarray, labels: np.ndarray) -> str:
    """One map as a picture of vectors."""
    low, span = points.min(0), np.ptp(points, axis=0).max() or 1.0
    places = _MARGIN + (points - low) / span * (_WIDTH - 2 * _MARGIN)
    marks = "".join(_point(x, _WIDTH - y, label, k) for k, ((x, y), label) in enumerate(zip(places, labels)))
    return (
        f'<figure><figcaption>{escape(name)}</figcaption><svg viewBox="0 0 {_WIDTH} {_WIDTH}" role="img" '
        f'aria-label="{escape(name)}">{marks}</svg></figure>'
    )


def _point(x: float, y: float, label: int, k: int | None = None) -> str:
    """A circle, a square, a diamond or a triangle."""
    color = "#" + "".join(f"{round(255 * part):02x}" for part in COLORS[label])
    known = "" if k is None else f' data-k="{k}"'
    shapes = ("M-3,0A3,3 0 1 1 3,0A3,3 0 1 1 -3,0Z", "M-3,-3H3V3H-3Z", "M0,-4L4,0L0,4L-4,0Z", "M0,-4L4,3H-4Z")
    shape = shapes[label % len(shapes)]
    return f'<path d="{shape}" transform="translate({x:.1f} {y:.1f})" fill="{color}" fill-opacity="0.7"{known}/>'


def _sprite(images: np.ndarray, columns: int) -> str:
    """All images in rows of `columns`, as one picture in the page's own address."""
    sheet = Image.new("RGB", (columns * SIDE, -(-len(images) // columns) * SIDE))
    for k, image in enumerate(images):
        small = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        sheet.paste(small, (k % columns * SIDE, k // columns * SIDE))
    with io.BytesIO() as buffer:
        sheet.save(buffer, "JPEG", quality=75)
        return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
