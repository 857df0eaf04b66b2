"""Checks of the paper that need arithmetic of their own: folds, whole images, leads, times."""

from __future__ import annotations

from collections.abc import Iterator

from scipy.stats import binomtest

from studybook.published import reported
from studybook.published.folds import kept_apart, right_answers, spreads
from studybook.published.intervals import Range, agrees, rounding, worst_case
from studybook.published.report import NOT_STATED, OUTSIDE, Paper, Row, number, row, whole

NETWORKS = ("vgg16", "resnet50", "inceptionv3")
PARTS = ("DDSM", "BCDR", "INbreast")
MERGED = "MD"
_ALL = (*PARTS, MERGED)
_CASES = {"DDSM": "ddsm_cases", "BCDR": "bcdr_patients", "INbreast": "inbreast_cases"}


def column(paper: Paper, dataset: str, name: str) -> dict[str, float]:
    """Return a column of Table 2 for one data set, by network."""
    return dict(zip(NETWORKS, paper.values(*(f"2/{dataset}/{network}/{name}" for network in NETWORKS)), strict=True))


def images(paper: Paper, dataset: str) -> int:
    """Return the number of images of a data set by Table 2."""
    return int(column(paper, dataset, "images")[NETWORKS[0]])


def errors(paper: Paper, dataset: str, network: str) -> Range:
    """Return how many images of a data set a network got wrong."""
    count = images(paper, dataset)
    return worst_case(lambda accuracy: count * (1 - accuracy / 100), paper.text(f"2/{dataset}/{network}/accuracy"))


def unseen_patients(paper: Paper) -> Iterator[Row]:
    """Which patients does a test meet for the first time, if folds are drawn by image?"""
    for dataset, cases in _CASES.items():
        count = images(paper, dataset)
        share = kept_apart(count, count // int(paper.text(cases)), int(paper.text("folds")))
        yield row(
            f"unseen_{dataset.lower()}",
            f"test images of {dataset} whose patient the training has not seen, if folds are drawn by image",
            paper.place("folds", "never_seen"),
            "all",
            f"{100 * share:.1f} %",
            share == 1,
            "The folds are said to be stratified by class; that a patient's images stay together is not said. Drawn by "
            "image, nearly every test image would have another view of its patient in training."
            if share < 0.1
            else "As for DDSM; with two images per patient, most would.",
            NOT_STATED,
        )


def deepest(paper: Paper) -> Iterator[Row]:
    named, place = paper.text("deepest_model"), paper.place("deepest_model")
    most = max(NETWORKS, key=lambda network: float(paper.text(f"1/{network}/total")))
    check = "deepest network by the number of layers"
    yield row("deepest_by_layers", check, f"{place}; Table 1", named, most, named == most)
    depths = dict(zip(NETWORKS, paper.values(*(f"{network}_depth" for network in NETWORKS)), strict=True))
    yield row(
        "deepest_by_way",
        "deepest network by convolutions on the longest way through it",
        f"{place}; Section 4",
        named,
        ", ".join(f"{network} {depth:.0f}" for network, depth in depths.items()),
        named == max(depths, key=depths.get),
        "Branches that lie beside each other make a network wider, not deeper. What is said about depth and accuracy "
        "rests on a count that adds them up.",
        OUTSIDE,
    )


def times(paper: Paper) -> Iterator[Row]:
    by_dataset = {dataset: column(paper, dataset, "time") for dataset in _ALL}
    for word, extreme, remark in (
        ("fastest", min, "On the two small data sets resnet50 took less time."),
        ("slowest", max, ""),
    ):
        named = paper.text(f"{word}_model")
        there = [dataset for dataset, taken in by_dataset.items() if extreme(taken, key=taken.get) == named]
        check, place = f"data sets on which {named} is the {word}", f"{paper.place(f'{word}_model')}; Table 2"
        yield row(word, check, place, "all", ", ".join(there), len(there) == len(_ALL), remark)


def whole_images(paper: Paper) -> Iterator[Row]:
    for dataset in _ALL:
        printed = paper.texts(*(f"2/{dataset}/{network}/accuracy" for network in NETWORKS))
        check = f"right answers on {dataset} behind the accuracies of the three networks"
        yield whole(f"right_answers_{dataset.lower()}", check, "Table 2", printed, images(paper, dataset))


def fold_spreads(paper: Paper) -> Iterator[Row]:
    """Do the standard deviations of Table 2 come from whole images in five folds?"""
    folds = int(paper.text("folds"))
    # Only where all folds are of one size is a mean over folds a number of images.
    equal = [dataset for dataset in _ALL if images(paper, dataset) % folds == 0]
    for dataset, network in ((dataset, network) for dataset in equal for network in NETWORKS):
        accuracy, printed = paper.texts(f"2/{dataset}/{network}/accuracy", f"2/{dataset}/{network}/std")
        count, value = images(paper, dataset), float(printed)
        # Two images more or less in every fold reach beyond the next possible value.
        possible = spreads(accuracy, count, folds, value + 200 * folds / count)
        below = [f"{found:.2f}" for found in possible if found <= value][-1:]
        above = [f"{found:.2f}" for found in possible if found > value][:1]
        yield row(
            f"std_{dataset.lower()}_{network}",
            f"standard deviation of {network} on {dataset} over {folds} folds of {count // folds} images",
            "Table 2; Section 3",
            printed,
            "possible: " + " or ".join(below + above),
            any(agrees(printed, found) for found in possible),
            f"A fold's accuracy moves in steps of {100 * folds / count:.2f} %. With this mean no five such accuracies "
            "have this spread, whether one divides by 5 or by 4. Of what it is the spread is not said.",
        )


def best_network(paper: Paper) -> Iterator[Row]:
    place, named = f"{paper.place('best_model')}; Table 2", paper.text("best_model")
    for dataset in _ALL:
        accuracy, count = column(paper, dataset, "accuracy"), images(paper, dataset)
        first, second = sorted(NETWORKS, key=accuracy.get, reverse=True)[:2]
        yield row(f"best_{dataset.lower()}", f"best network on {dataset}", place, named, first, first == named)
        lead, spread = accuracy[first] - accuracy[second], column(paper, dataset, "std")[first]
        more = round(count * lead / 100)
        yield row(
            f"lead_{dataset.lower()}",
            f"lead of {first} on {dataset} above the spread over its folds",
            place,
            "larger",
            f"lead {lead:.2f}, standard deviation {spread:.2f}",
            lead > spread,
            f"Its lead over {second} is {more} image{'' if more == 1 else 's'} of {count}.",
            NOT_STATED,
        )
    order = sorted(_ALL, key=lambda dataset: images(paper, dataset))
    for network in NETWORKS:
        accuracies = [column(paper, dataset, "accuracy")[network] for dataset in order]
        yield row(
            f"by_size_{network}",
            f"accuracy of {network} by data set, from the smallest to the largest",
            f"{paper.place('more_data_better')}; Table 2",
            paper.text("more_data_better"),
            ", ".join(f"{value:.2f}" for value in accuracies),
            accuracies == sorted(accuracies),
            "The data sets differ in much else than size: film or digital, selection of cases, views.",
        )


def screening_program(paper: Paper) -> Iterator[Row]:
    """Can one network have all the accuracies that it is said to have?"""
    network, counts = paper.text("best_model"), [images(paper, dataset) for dataset in PARTS]
    said = paper.texts(*(f"framework_{dataset.lower()}_accuracy" for dataset in PARTS))
    yield number(
        "framework_md",
        "accuracy of the screening program on the merged data, from its accuracies on the parts",
        f"{paper.place('framework_ddsm_accuracy')}; Table 2",
        paper.text(f"2/{MERGED}/{network}/accuracy"),
        worst_case(lambda *shares: sum(n * a for n, a in zip(counts, shares, strict=True)) / sum(counts), *said),
        "The text gives the program, which was trained on the merged data, the accuracies that Table 2 has for three "
        "other networks, each trained on one data set. One network cannot have both.",
    )
    merged, parts = errors(paper, MERGED, network), [errors(paper, dataset, network) for dataset in PARTS]
    # At worst all wrong images of the merged data are DDSM's.
    least = 100 * (1 - merged.value / counts[0])
    yield row(
        "wrong_images",
        f"wrong images of {network} on the merged data and on its parts",
        "Table 2",
        f"{merged.value:.0f}",
        " + ".join(f"{part.value:.0f}" for part in parts) + f" = {sum(part.value for part in parts):.0f}",
        merged.high >= sum(part.low for part in parts),
        "No contradiction, since training on more data may help. But most of the merged data is DDSM: its accuracy "
        f"must have risen from {said[0]} to at least {least:.2f} % by adding {sum(counts[1:])} images to {counts[0]}, "
        "from other machines.",
        NOT_STATED,
    )


def others(paper: Paper) -> Iterator[Row]:
    rivals = reported.printed(paper.name, 3).query("method != 'ours'")
    for dataset, count in (("MIAS", int(paper.text("mias_images"))), ("DDSM", images(paper, "DDSM"))):
        theirs = rivals[(rivals["dataset"] == dataset) & (rivals["accuracy"] != "-")].iloc[0]
        right = right_answers(rounding(paper.text(f"3/ours/{dataset}/accuracy")), count)[0]
        low, high = (100 * side for side in binomtest(right, count).proportion_ci(method="wilson"))
        yield row(
            f"above_others_{dataset.lower()}",
            f"accuracy on {dataset} above that of {theirs['method']} by more than chance",
            "Table 3; Section 3.5",
            theirs["accuracy"],
            f"{right} of {count}: 95 % interval {low:.2f} to {high:.2f}",
            float(theirs["accuracy"]) < low,
            "The interval takes the images for independent, which makes it too narrow where patients have several; and "
            "the others' images are another selection.",
            NOT_STATED,
        )
    accuracy, auc = ({*rivals.loc[rivals[score] != "-", "dataset"]} for score in ("accuracy", "auc"))
    yield row(
        "others_both_scores",
        "data sets with a number of others for both accuracy and AUC",
        f"{paper.place('beats_others_in')}; Table 3",
        ", ".join(sorted(accuracy | auc)),
        ", ".join(sorted(accuracy & auc)),
        accuracy == auc,
        "On the others only one of the two scores is compared.",
        NOT_STATED,
    )


CHECKS = [
    unseen_patients,
    deepest,
    times,
    whole_images,
    fold_spreads,
    best_network,
    screening_program,
    others,
]
