"""Who is best and by how much, and can one network have all the accuracies that it is said to have?"""

from __future__ import annotations

from scipy.stats import binomtest

from studybook.papers.mammography_finetuning.checks.results import MERGED, NETWORKS, PARTS, cell, errors, images
from studybook.published import reported
from studybook.published.folds import right_answers
from studybook.published.intervals import Range, rounding, worst_case
from studybook.published.report import Paper, Row, number


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the accuracies."""
    return [*_best(paper), *_data_size(paper), *_framework(paper), *_others(paper)]


def _best(paper: Paper) -> list[Row]:
    place, named, rows = paper.place("best_model"), paper.text("best_model"), []
    for dataset in (*PARTS, MERGED):
        ranked = sorted(NETWORKS, key=lambda n, d=dataset: -float(cell(paper, d, n, "accuracy")))
        first, second = (float(cell(paper, dataset, network, "accuracy")) for network in ranked[:2])
        spread = float(cell(paper, dataset, ranked[0], "std"))
        count = images(paper, dataset)
        rows.append(
            Row(f"best network on {dataset}", f"{place}; Table 2", named, ranked[0], ranked[0] == named),
        )
        rows.append(
            Row(
                f"lead of {ranked[0]} on {dataset} above the spread over its folds",
                f"{place}; Table 2",
                "larger",
                f"lead {first - second:.2f}, standard deviation {spread:.2f}",
                first - second > spread,
                f"Its lead over {ranked[1]} is {_images(count * (first - second) / 100)} of {count}.",
            )
        )
    return rows


def _images(count: float) -> str:
    return f"{count:.0f} image" + ("" if round(count) == 1 else "s")


def _data_size(paper: Paper) -> list[Row]:
    order = sorted((*PARTS, MERGED), key=lambda dataset: images(paper, dataset))
    rows = []
    for network in NETWORKS:
        accuracies = [float(cell(paper, dataset, network, "accuracy")) for dataset in order]
        rows.append(
            Row(
                f"accuracy of {network} by data set, from the smallest to the largest",
                f"{paper.place('more_data_better')}; Table 2",
                paper.text("more_data_better"),
                ", ".join(f"{value:.2f}" for value in accuracies),
                accuracies == sorted(accuracies),
                "The data sets differ in much else than size: film or digital, selection of cases, views.",
            )
        )
    return rows


def _framework(paper: Paper) -> list[Row]:
    network, place = paper.text("best_model"), paper.place("framework_ddsm_accuracy")
    counts = [images(paper, dataset) for dataset in PARTS]
    said = [paper.text(f"framework_{dataset.lower()}_accuracy") for dataset in PARTS]
    weighted = worst_case(lambda *shares: sum(n * a for n, a in zip(counts, shares, strict=True)) / sum(counts), *said)
    merged = errors(paper, MERGED, network)
    parts = [errors(paper, dataset, network) for dataset in PARTS]
    # At worst all wrong images of the merged data are DDSM's.
    least = 100 * (1 - merged.value / counts[0])
    return [
        number(
            "accuracy of the screening program on the merged data, from its accuracies on the parts",
            f"{place}; Table 2",
            cell(paper, MERGED, network, "accuracy"),
            weighted,
            "The text gives the program, which was trained on the merged data, the accuracies that Table 2 has for "
            "three other networks, each trained on one data set. One network cannot have both.",
        ),
        Row(
            f"wrong images of {network} on the merged data and on its parts",
            "Table 2",
            f"{merged.value:.0f}",
            " + ".join(f"{part.value:.0f}" for part in parts) + f" = {sum(part.value for part in parts):.0f}",
            merged.high >= sum(part.low for part in parts),
            "No contradiction, since training on more data may help. But most of the merged data is DDSM: its accuracy "
            f"must have risen from {said[0]} to at least {least:.2f} % by adding {sum(counts[1:])} images to "
            f"{counts[0]}, from other machines.",
        ),
    ]


def _others(paper: Paper) -> list[Row]:
    rivals = reported.printed(paper.name, 3).query("method != 'ours'")
    rows = []
    for dataset, count in (("MIAS", int(paper.text("mias_images"))), ("DDSM", images(paper, "DDSM"))):
        theirs = rivals.loc[(rivals["dataset"] == dataset) & (rivals["accuracy"] != "-")].iloc[0]
        right = right_answers(_own(paper, dataset), count)
        low, high = (100 * side for side in binomtest(right[0], count).proportion_ci(method="wilson"))
        rows.append(
            Row(
                f"accuracy on {dataset} above that of {theirs['method']} by more than chance",
                "Table 3; Section 3.5",
                theirs["accuracy"],
                f"{right[0]} of {count}: 95 % interval {low:.2f} to {high:.2f}",
                float(theirs["accuracy"]) < low,
                "The interval takes the images for independent, which makes it too narrow where patients have several; "
                "and the others' images are another selection.",
            )
        )
    accuracy, auc = ({*rivals.loc[rivals[score] != "-", "dataset"]} for score in ("accuracy", "auc"))
    both, known = sorted(accuracy & auc), sorted(accuracy | auc)
    rows.append(
        Row(
            "data sets with a number of others for both accuracy and AUC",
            f"{paper.place('beats_others_in')}; Table 3",
            ", ".join(known),
            ", ".join(both),
            both == known,
            "On the others only one of the two scores is compared.",
        )
    )
    return rows


def _own(paper: Paper, dataset: str) -> Range:
    return rounding(reported.printed(paper.name, 3).set_index(["method", "dataset"]).at[("ours", dataset), "accuracy"])
