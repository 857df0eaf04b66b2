"""The descriptors by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from histolib.descriptors import color, frequencies, graphs, patterns, texture, words
from histolib.descriptors.common import Function


@dataclass(frozen=True)
class Descriptor:
    """A hand-crafted descriptor.

    Attributes
    ----------
    name, title
        Name in the registry, and as a reader sees it.
    dimension
        Numbers per image that a classifier gets.
    citation
        Where it was proposed.
    function
        uint8 (N, H, W, 3) to float32 (N, columns).
    kind
        ``"histogram"``, ``"texture"``, ``"graph"`` or ``"words"``.
    transformer
        Makes, from a seed, the unfitted scikit-learn transformer from the function's columns to the descriptor, for
        one that is learned from training images; else None.
    columns
        Numbers per image that `function` gives.
    """

    name: str
    title: str
    dimension: int
    citation: str
    function: Function
    kind: str = "histogram"
    transformer: Callable[[int], Any] | None = None
    columns: int = 0

    def __post_init__(self):
        object.__setattr__(self, "columns", self.columns or self.dimension)


def _bag(seed: int) -> words.BagOfWords:
    return words.BagOfWords(seed=seed)


_ALL = (
    Descriptor("fuzzy_color", "fuzzy color histogram", 64, "Han and Ma 2002, IEEE TIP 11:944",
               color.fuzzy_color_histogram),
    Descriptor("rgb", "RGB histogram", 512, "Swain and Ballard 1991, IJCV 7:11", color.rgb_histogram),
    Descriptor("gray", "gray histogram", 64, "Swain and Ballard 1991, IJCV 7:11", color.gray_histogram),
    Descriptor("jpeg", "JPEG coefficient histogram", 192, "Wallace 1992, IEEE T Consum Electr 38:xviii",
               frequencies.jpeg_histogram),
    Descriptor("edges", "MPEG-7 edge histogram", 80, "Won et al. 2002, ETRI J 24:23", patterns.edge_histogram),
    Descriptor("haralick", "Haralick features", 26, "Haralick et al. 1973, IEEE T SMC 3:610",
               texture.haralick, "texture"),
    Descriptor("binary_partition", "local binary partition histogram", 256, "Ojala et al. 1996, Pattern Recogn 29:51",
               patterns.binary_partition),
    Descriptor("graph", "graph of nuclei", graphs.DIMENSION, "Doyle et al. 2008, ISBI, 496",
               graphs.nuclear_graph, "graph"),
    Descriptor("hsv", "HSV color histogram", 256, "Manjunath et al. 2001, IEEE TCSVT 11:703", color.hsv_histogram),
    Descriptor("lbp", "local binary patterns", 10, "Ojala et al. 2002, IEEE TPAMI 24:971", patterns.binary_pattern),
    Descriptor("clbp", "completed local binary patterns", 200, "Guo et al. 2010, IEEE TIP 19:1657",
               patterns.completed_pattern),
    Descriptor("lpq", "local phase quantization", 256, "Ojansivu and Heikkilä 2008, ICISP, LNCS 5099:236",
               frequencies.local_phase),
    Descriptor("glcm", "gray level co-occurrence", 18, "Haralick et al. 1973, IEEE T SMC 3:610",
               texture.cooccurrence, "texture"),
    Descriptor("orb", "ORB, bag of words", words.WORDS, "Rublee et al. 2011, ICCV, 2564",
               words.keypoints, "words", _bag, words.COLUMNS),
    Descriptor("pftas", "threshold adjacency statistics", 162, "Hamilton et al. 2007, BMC Bioinformatics 8:110",
               texture.threshold_adjacency, "texture"),
)  # fmt: skip
REGISTRY = {descriptor.name: descriptor for descriptor in _ALL}


def find(name: str) -> Descriptor:
    """A descriptor by its name.

    Raises ValueError if there is none; lists those that there are.
    """
    if name not in REGISTRY:
        raise ValueError(f"name={name!r} is no descriptor; there is: {', '.join(REGISTRY)}")
    return REGISTRY[name]
