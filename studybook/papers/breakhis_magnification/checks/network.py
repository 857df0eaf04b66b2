"""Do the sizes of the layers work out, and does the text fix one network?"""

from __future__ import annotations

from math import ceil

from studybook.published.report import Paper, Row

# Which layers are padded at the borders, so that they divide the side by their stride, rounded up.
_PADDED = {"not padded": (), "convolutions padded": ("convolution",), "padded": ("convolution", "pooling")}


def sizes(paper: Paper, stride: int, padded: tuple[str, ...] = ()) -> list[int]:
    """Return the side of the maps after each of the three poolings, 0 where nothing is left.

    Parameters
    ----------
    paper : Paper
        The paper.
    stride : int
        Stride of the first convolution.
    padded : tuple of {"convolution", "pooling"}
        Layers that are padded at the borders.
    """
    side, found = int(paper.text("input_size")), []
    pooling = int(paper.text("pooling")), int(paper.text("pooling_stride"))
    for layer in (1, 2, 3):
        convolution = int(paper.text(f"kernel_{layer}")), stride if layer == 1 else 1
        for kind, (window, pace) in (("convolution", convolution), ("pooling", pooling)):
            side = ceil(side / pace) if kind in padded else max(0, (side - window) // pace + 1)
        found.append(side)
    return found


def cited_sizes(paper: Paper) -> list[int]:
    """Return the same for strides, padding and rounding as in the published definition of the cited network.

    There a pooling window that reaches beyond the border counts (Levi and Hassner 2015).
    """
    side, found = int(paper.text("input_size")), []
    pool, step = int(paper.text("pooling")), int(paper.text("pooling_stride"))
    for layer, border in enumerate(map(int, paper.text("levi_padding").split(", ")), start=1):
        stride = int(paper.text("levi_stride")) if layer == 1 else 1
        side = (side + 2 * border - int(paper.text(f"kernel_{layer}"))) // stride + 1
        side = ceil((side - pool) / step) + 1
        found.append(side)
    return found


def weights(paper: Paper, side: int, tasks: int = 1) -> int:
    """Return the number of weights, biases included, of the network with last maps of a given side."""
    channels, total = 3, 0
    for layer in (1, 2, 3):
        filters, kernel = (int(paper.text(f"{name}_{layer}")) for name in ("filters", "kernel"))
        total += filters * (channels * kernel**2 + 1)
        channels = filters
    inputs, units = channels * side**2, int(paper.text("dense_units"))
    for _ in range(int(paper.text("dense_layers"))):
        total += units * (inputs + 1)
        inputs = units
    outputs = [int(paper.text(f"{task}_outputs")) for task in ("malignancy", "magnification")][:tasks]
    return total + sum(count * (inputs + 1) for count in outputs)


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the network."""
    # Strides that are tried: 1, and that of the network which the paper took over.
    readings = {
        f"stride {stride}, {name}": sizes(paper, stride, padded)
        for stride in (1, int(paper.text("levi_stride")))
        for name, padded in _PADDED.items()
    } | {"as in the cited network": cited_sizes(paper)}
    counts = [weights(paper, sides[-1]) for sides in readings.values() if sides[-1]]
    place, cited = "Section II; Section III", weights(paper, cited_sizes(paper)[-1])
    largest, smallest = max(counts), min(counts)
    rows = [
        Row(
            f"side of the maps after the three poolings, {reading}",
            place,
            f"{paper.text('input_size')} pixels in",
            ", ".join(map(str, sides)),
            sides[-1] > 0,
            "" if sides[-1] else "Nothing is left for the dense layers; the images are too small for this reading.",
        )
        for reading, sides in readings.items()
    ]
    extra = weights(paper, side=1, tasks=2) - weights(paper, side=1)
    return [
        *rows,
        Row(
            "weights of the single-task network",
            place,
            "one network",
            f"{smallest / 1e6:.1f} to {largest / 1e6:.1f} million",
            smallest == largest,
            "Strides and padding are not in the text. Most weights are in the first dense layer, whose size depends on "
            f"them. With those of the cited network there are {cited / 1e6:.1f} million.",
        ),
        Row(
            "weights that a second task adds, if only its outputs are new",
            paper.place("no_extra_computation"),
            paper.text("no_extra_computation"),
            f"{extra} of at least {smallest}",
            100 * extra < smallest,
            "The text also says that the last dense layer is split into two branches, which could mean a layer of 512 "
            "for each task.",
        ),
    ]
