"""What the methods of the matrix are called; apart from `methods`, so that planning imports no network library."""

CONSTANT, TRAITS, COLORS = "constant answer", "acquisition traits", "color histogram"
CRAFTED, FROZEN, TABLE = "hand-crafted", "frozen Lite0", "features from a table"
BOOSTED, BASELINE, TUNED = "boosted deep features", "baseline CNN", "tuned Lite0"
MAGNIFICATION, PATCHES = "magnification CNN", "patch ResNet"
# How each is told to a reader, and whose it is.
KINDS = {
    CONSTANT: "the share of class 1 in training, to every image",
    TRAITS: "logistic regression on length of the file, share of glass, share of black",
    COLORS: "random forest on color histograms",
    CRAFTED: "support vector machine on hand-crafted descriptors (idc_transfer, breakhis_magnification)",
    FROZEN: "EfficientNet-Lite0 from photographs, frozen, logistic regression (idc_transfer)",
    TABLE: "logistic regression on the reader's own features",
    BOOSTED: "Lite0 on crops, 3-norm, boosted trees, two crop sizes averaged (bach_boosting)",
    BASELINE: "four convolutions from scratch (idc_transfer)",
    TUNED: "EfficientNet-Lite0, last blocks trained further (mammography_finetuning)",
    MAGNIFICATION: "three convolutions with response normalization (breakhis_magnification)",
    PATCHES: "residual network on patches, answers averaged (breakhis_patches)",
}
# Those that every set gets; the others are asked for by parameters of their own.
ROWS = tuple(kind for kind in KINDS if kind not in (TUNED, TABLE))
TRAINED = (BASELINE, TUNED, MAGNIFICATION, PATCHES)
# What a seed changes; the others are fitted once.
RANDOM = (COLORS, BOOSTED, *TRAINED)
