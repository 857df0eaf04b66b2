"""Table 2 of the paper, by data set and network, as printed."""

from __future__ import annotations

from studybook.published import reported
from studybook.published.intervals import Range, rounding
from studybook.published.report import Paper

NETWORKS = ("vgg16", "resnet50", "inceptionv3")
PARTS = ("DDSM", "BCDR", "INbreast")
MERGED = "MD"


def cell(paper: Paper, dataset: str, network: str, column: str) -> str:
    """Return one cell of Table 2 as printed."""
    return reported.printed(paper.name, 2).set_index(["dataset", "method"]).at[(dataset, network), column]


def images(paper: Paper, dataset: str) -> int:
    """Return the number of images of a data set by Table 2."""
    return int(cell(paper, dataset, NETWORKS[0], "images"))


def errors(paper: Paper, dataset: str, network: str) -> Range:
    """Return how many images of a data set a network got wrong."""
    count, accuracy = images(paper, dataset), rounding(cell(paper, dataset, network, "accuracy"))
    return Range(*(count * (1 - share / 100) for share in (accuracy.value, accuracy.high, accuracy.low)))
