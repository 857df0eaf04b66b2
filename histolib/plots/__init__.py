"""Figures: titled, with labeled axes, in colors that color-blind readers can tell apart."""

from histolib.plots.embeddings import embedding
from histolib.plots.images import image_grid
from histolib.plots.scores import confusion, grouped, intervals, points, roc
from histolib.plots.style import COLORS, MARKERS, style
from histolib.plots.training import curves

__all__ = [
    "COLORS",
    "MARKERS",
    "confusion",
    "curves",
    "embedding",
    "grouped",
    "image_grid",
    "intervals",
    "points",
    "roc",
    "style",
]
