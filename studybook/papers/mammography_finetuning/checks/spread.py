"""Do the accuracies and standard deviations of Table 2 come from whole images in five folds?"""

from __future__ import annotations

from studybook.papers.mammography_finetuning.checks.results import MERGED, NETWORKS, PARTS, cell, images
from studybook.published.folds import right_answers, spreads
from studybook.published.intervals import agrees
from studybook.published.report import Paper, Row


def checks(paper: Paper) -> list[Row]:
    """Return the checks of means and standard deviations over the folds."""
    folds = int(paper.text("folds"))
    rows = [_whole(paper, dataset) for dataset in (*PARTS, MERGED)]
    # Only where all folds are of one size is a mean over folds a number of images.
    equal = [dataset for dataset in (*PARTS, MERGED) if images(paper, dataset) % folds == 0]
    return rows + [_spread(paper, dataset, network, folds) for dataset in equal for network in NETWORKS]


def _whole(paper: Paper, dataset: str) -> Row:
    count = images(paper, dataset)
    printed = [cell(paper, dataset, network, "accuracy") for network in NETWORKS]
    found = [right_answers(accuracy, count) for accuracy in printed]
    return Row(
        f"right answers on {dataset} behind the accuracies of the three networks",
        "Table 2",
        ", ".join(printed),
        ", ".join("/".join(map(str, right)) or "none" for right in found) + f" of {count}",
        all(found),
    )


def _spread(paper: Paper, dataset: str, network: str, folds: int) -> Row:
    accuracy, printed = (cell(paper, dataset, network, column) for column in ("accuracy", "std"))
    count, value = images(paper, dataset), float(printed)
    # Two images more or less in every fold reach beyond the next possible value.
    possible = spreads(accuracy, count, folds, value + 200 * folds / count)
    below = [f"{found:.2f}" for found in possible if found <= value][-1:]
    above = [f"{found:.2f}" for found in possible if found > value][:1]
    return Row(
        f"standard deviation of {network} on {dataset} over {folds} folds of {count // folds} images",
        "Table 2; Section 3",
        printed,
        "possible: " + " or ".join(below + above),
        any(agrees(printed, found) for found in possible),
        f"A fold's accuracy moves in steps of {100 * folds / count:.2f} %. With this mean no five such accuracies "
        "have this spread, whether one divides by 5 or by 4. Of what it is the spread is not said.",
    )
