"""The layer counts of Table 1, and what is said about depth, image size and running time."""

from __future__ import annotations

from studybook.papers.mammography_finetuning.checks.results import MERGED, NETWORKS, PARTS, cell
from studybook.published.report import Paper, Row

_LESS_TIME = (
    "More images in less time. Early stopping may have come sooner; how many epochs were run is not said, so the times "
    "do not compare."
)


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the networks."""
    return [*_layers(paper), *_depth(paper), *_size(paper), *_times(paper)]


def _printed(paper: Paper, network: str) -> str:
    return ", ".join(paper.cell(1, network, column) for column in ("total", "last_1", "last_2", "last_3"))


def _layers(paper: Paper) -> list[Row]:
    described = sum(int(paper.text(id)) for id in ("vgg16_convolutions", "vgg16_poolings", "dense_layers"))
    remarks = {
        "vgg16": "",
        "resnet50": "Here the activations stand as layers of their own and were counted.",
        "inceptionv3": "Only the last block differs.",
    }
    rows = [
        Row(
            "layers of vgg16 from the text",
            f"Table 1; {paper.place('vgg16_convolutions')}",
            paper.cell(1, "vgg16", "total"),
            f"{described}",
            paper.cell(1, "vgg16", "total") == f"{described}",
        )
    ]
    rows += [
        _same(f"layers of {network} in all and in the last 1, 2, 3 blocks, counted as the note of Table 1 says",
              paper, network, f"{network}_by_note", remark)
        for network, remark in remarks.items()
    ]  # fmt: skip
    return [
        *rows,
        _same(
            "layers of resnet50 in all and in the last 1, 2, 3 blocks, activations counted too",
            paper,
            "resnet50",
            "resnet50_with_activations",
            "The total agrees. Each count of blocks is two higher, the same two: one may be the average pooling that "
            "followed the last block in the Keras of the time.",
        ),
    ]


def _same(check: str, paper: Paper, network: str, id: str, remark: str) -> Row:
    reported, counted = _printed(paper, network), paper.text(id)
    return Row(check, "Table 1", reported, counted, reported == counted, remark)


def _depth(paper: Paper) -> list[Row]:
    depths = {network: int(paper.text(f"{network}_depth")) for network in NETWORKS}
    deepest = max(depths, key=depths.get)
    most = max(NETWORKS, key=lambda network: int(paper.cell(1, network, "total")))
    named = paper.text("deepest_model")
    place = paper.place("deepest_model")
    return [
        Row("deepest network by the number of layers", f"{place}; Table 1", named, most, named == most),
        Row(
            "deepest network by convolutions on the longest way through it",
            f"{place}; Section 4",
            named,
            ", ".join(f"{network} {depth}" for network, depth in depths.items()),
            named == deepest,
            "Branches that lie beside each other make a network wider, not deeper. What is said about depth and "
            "accuracy rests on a count that adds them up.",
        ),
    ]


def _size(paper: Paper) -> list[Row]:
    own, size = paper.text("inceptionv3_input_size"), paper.text("input_size")
    return [
        Row(
            "image size with which inceptionv3 was trained on ImageNet",
            "Section 3",
            size,
            own,
            size == own,
            f"The size of the other two. The regions of {paper.text('region_size')} pixels would have fitted it almost "
            "unchanged (the second number is from outside the paper).",
        )
    ]


def _times(paper: Paper) -> list[Row]:
    times = {(d, n): float(cell(paper, d, n, "time")) for d in (*PARTS, MERGED) for n in NETWORKS}
    rows = []
    for network in NETWORKS:
        alone, merged = times["DDSM", network], times[MERGED, network]
        rows.append(
            Row(
                f"minutes of {network} on the merged data, of which DDSM is a part",
                "Table 2",
                f"{merged}",
                f"at least {alone}",
                merged >= alone,
                "" if merged >= alone else _LESS_TIME,
            )
        )
    fastest, slowest = paper.text("fastest_model"), paper.text("slowest_model")
    first = [d for d in (*PARTS, MERGED) if min(NETWORKS, key=lambda n, d=d: times[d, n]) == fastest]
    last = [d for d in (*PARTS, MERGED) if max(NETWORKS, key=lambda n, d=d: times[d, n]) == slowest]
    return [
        *rows,
        Row(
            f"data sets on which {fastest} is the fastest",
            f"{paper.place('fastest_model')}; Table 2",
            "all",
            ", ".join(first),
            len(first) == len(PARTS) + 1,
            "On the two small data sets resnet50 took less time.",
        ),
        Row(
            f"data sets on which {slowest} is the slowest",
            f"{paper.place('slowest_model')}; Table 2",
            "all",
            ", ".join(last),
            len(last) == len(PARTS) + 1,
        ),
    ]
