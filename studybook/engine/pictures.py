"""Draws the labelled pictures of the page "Reading these pictures"; what a label names is known from the drawing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import patheffects
from matplotlib.figure import Figure
from scipy import ndimage

from studybook.twins import breakhis
from studybook.twins.mammography.film import Scanner, draw_film
from studybook.twins.mammography.women import Lesion, Woman
from studybook.twins.microscope import photograph
from studybook.twins.nuclei import Ellipses
from studybook.twins.specimen import Field, draw_field, draw_traits

SEED = 56  # of a field that has everything a label names
SHAPE, SCALE = (520, 800), 1.6 * breakhis.SCALE  # pixels; pixels per micrometer
LYMPHOCYTES, _OF_TUMOR = 2, -1  # places of two kinds of nuclei in `Field.placed`
_HALF = 130  # half side of a region of a mammogram, pixels
_HALO = patheffects.withStroke(linewidth=4, foreground="white")  # arrows show on dark ground too
_SCANNER = Scanner(bits=8, low=0.0, high=1.0, gamma=0.8, blur=0.0, noise=0.0, label=False)


def write(folder: Path) -> None:
    """Draw ``tissue.png`` and ``mammogram.png`` into `folder`, which is there; the same bytes each time."""
    tissue().savefig(folder / "tissue.png", dpi=150)
    mammogram().savefig(folder / "mammogram.png", dpi=150)


def tissue() -> Figure:
    """A drawn field of breast tissue with arrows to what it holds."""
    rng = np.random.default_rng(SEED)
    field = draw_field(rng, draw_traits(rng, "DC"), SHAPE, SCALE)
    figure = Figure(figsize=(7, 5.4), layout="constrained")
    axes = figure.subplots()
    axes.imshow(photograph(rng, field, field.window))
    axes.plot([20, 20 + 100 * SCALE], [SHAPE[0] - 14] * 2, color="black", linewidth=3)
    axes.text(24, SHAPE[0] - 22, "0.1 mm", va="bottom", fontsize=10, path_effects=[_HALO])
    places = labels(field)
    by_row = sorted(places, key=lambda name: places[name][0])
    half = len(by_row) // 2
    for names, row in ((by_row[:half], -32), (by_row[half:], SHAPE[0] + 32)):
        # From left to right as the places are, so that no two arrows of a side cross.
        for k, name in enumerate(sorted(names, key=lambda name: places[name][1])):
            _arrow(axes, name, places[name], (row, (k + 0.5) / len(names) * SHAPE[1]))
    axes.set(xlim=(0, SHAPE[1]), ylim=(SHAPE[0] + 58, -58))
    figure.suptitle("Drawn tissue, stained with hematoxylin and eosin", fontsize=12)
    axes.set_axis_off()
    return figure


def labels(field: Field) -> dict[str, tuple[float, float]]:
    """Row and column (pixels) of one example of each part of a drawn field, far from that part's borders."""
    glands, tumor = field.tumor.epithelium, field.tumor.cells > 0.5
    wall = glands.layered & (field.cells > 0.5) & ~tumor
    stroma = ~(tumor | (glands.inside > 0) | (field.spaces > 0.5) | (field.adipose > 0.1) | (field.blood > 0.1))
    crowd = _density(field.placed[LYMPHOCYTES][0])
    dense = _density(field.placed[_OF_TUMOR][0])
    return {
        "carcinoma": _peak(dense * tumor),
        "gland (its wall)": _deepest(wall, aside=True),
        "lumen": _deepest((glands.lumen > 0.5) & (field.spaces > 0.5)),
        "fat cell": _deepest(field.hollow > 0.5),
        "stroma (collagen)": _deepest(stroma & (crowd < crowd.max() / 20)),
        "lymphocytes": _peak(crowd),
        "nucleus": _largest(field.placed[_OF_TUMOR][0]),
    }


def mammogram() -> Figure:
    """Two drawn masses in a mammogram: one with a smooth margin, one with spicules."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    kinds = {"benign": (0.1, 0.05, 0.0), "malignant": (0.8, 0.4, 0.95)}
    for axes, (name, (irregularity, blur, spicules)) in zip(figure.subplots(1, 2), kinds.items(), strict=True):
        lesion = Lesion(name == "malignant", 42.0, irregularity, blur, spicules, 0.6, depth=0.5, offset=0.1)
        film, outline, shadow = _film(lesion)
        middle = outline.mean(0)
        left, top = (np.round(middle) - _HALF).astype(int)
        axes.imshow(film[top : top + 2 * _HALF, left : left + 2 * _HALF], cmap="gray")
        margin = outline[outline[:, 0].argmax()] - (left, top)
        _arrow(axes, "mass", (_HALF, _HALF), (24, 40))
        _arrow(axes, "margin", margin[::-1], (24, 205))
        if spicules:
            _arrow(axes, "spicules", _strand(shadow, outline) - (top, left), (2 * _HALF - 20, 60))
        axes.set_title(f"drawn, {name}", fontsize=11)
        axes.set_axis_off()
    figure.suptitle("Drawn masses as a mammogram shows them", fontsize=12)
    return figure


def _film(lesion: Lesion) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A film with one mass, the mass's outline (column, row), and what the mass added to the film."""
    woman = Woman("left", 2, 0.75, 0.9, 60, (lesion,))
    with_it, (outline,) = draw_film(np.random.default_rng(SEED), woman, "CC", "left", _SCANNER)
    without, _ = draw_film(np.random.default_rng(SEED), woman, "CC", "left", _SCANNER, lesions=())
    return with_it, outline, with_it.astype(float) - without


def _strand(shadow: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Row and column where a mass adds most to the film at 1.4 times the outline's distance from its center."""
    middle = outline.mean(0)
    around = np.round(middle + 1.4 * (outline - middle)).astype(int)[:, ::-1]
    return around[shadow[around[:, 0], around[:, 1]].argmax()]


def _density(nuclei: Ellipses) -> np.ndarray:
    """How close nuclei lie, (H, W); only its order counts."""
    there = np.zeros(SHAPE)
    np.add.at(there, (nuclei.rows.astype(int), nuclei.columns.astype(int)), 1)
    return ndimage.gaussian_filter(there, 14, mode="constant")


def _peak(values: np.ndarray) -> tuple[int, int]:
    row, column = np.unravel_index(values.argmax(), values.shape)
    return int(row), int(column)


def _deepest(mask: np.ndarray, aside: bool = False) -> tuple[int, int]:
    """The point of a mask, but not at the picture's edge, that is farthest from what is not of it.

    With `aside` the leftmost one of its largest piece, so that a thin wall is not pointed at beside another label.
    """
    inner = np.zeros_like(mask)
    inner[12:-12, 12:-12] = mask[12:-12, 12:-12]
    if aside:
        pieces, _ = ndimage.label(inner)
        largest = np.argwhere(pieces == 1 + np.bincount(pieces[pieces > 0] - 1).argmax())
        row, column = largest[largest[:, 1].argmin()]
        return int(row), int(column)
    return _peak(ndimage.distance_transform_edt(inner))


def _largest(nuclei: Ellipses) -> tuple[float, float]:
    inside = (nuclei.rows > 40) & (nuclei.rows < SHAPE[0] - 40) & (nuclei.columns > 40) & (nuclei.columns < 760)
    k = (nuclei.long * nuclei.short * inside).argmax()
    return float(nuclei.rows[k]), float(nuclei.columns[k])


def _arrow(axes, name: str, place: tuple[float, float], text: tuple[float, float]) -> None:
    """An arrow from a label at `text` to `place`, both row and column."""
    axes.annotate(
        name,
        xy=(place[1], place[0]),
        xytext=(text[1], text[0]),
        ha="center",
        va="center",
        fontsize=11,
        bbox={"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "black", "linewidth": 0.8},
        arrowprops={"arrowstyle": "-|>", "color": "black", "linewidth": 1.5, "shrinkB": 0, "path_effects": [_HALO]},
    )
