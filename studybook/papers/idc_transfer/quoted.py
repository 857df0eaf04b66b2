"""The hand-crafted descriptors that the paper compares its networks with."""

DESCRIPTORS = {
    "fuzzy color histogram": "fuzzy_color",
    "RGB histogram": "rgb",
    "gray histogram": "gray",
    "JPEG coefficient histogram": "jpeg",
    "MPEG7 edge histogram": "edges",
    "Haralick features": "haralick",
    "local binary partition histogram": "binary_partition",
    "graph-based features": "graph",
    "HSV color histogram": "hsv",
}
"""Row of the paper's Table 4 to the name in `histolib.descriptors.REGISTRY`, in the table's order."""
