"""Checks of the paper that need arithmetic of their own: folds, sizes of the network, weight of a patient."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, prod
from operator import sub, truediv
from statistics import fmean

from studybook.published import reported
from studybook.published.intervals import Range, worst_case
from studybook.published.report import CONTRADICTS, NOT_STATED, OUTSIDE, Paper, Row, number, row

MAGNIFICATIONS = (40, 100, 200, 400)
CLASSES = ("benign", "malignant")
# Which layers are padded at the borders, so that they divide the side by their stride, rounded up.
_PADDED = {"not padded": (), "convolutions padded": ("convolution",), "padded": ("convolution", "pooling")}


def images_at(paper: Paper, magnification: int) -> float:
    """Return the number of images of one magnification, both classes."""
    return sum(paper.values(*(f"{label}_{magnification}" for label in CLASSES)))


def test_patients(paper: Paper) -> list[int]:
    """Return the number of patients in the test set of each fold, by slide number and tumor type."""
    benign, malignant = (paper.series(f"test_{label}_patients") for label in CLASSES)
    return [int(a + b) for a, b in zip(benign, malignant, strict=True)]


def one_patient(paper: Paper) -> float:
    """Return how many points a single test patient of the first fold weighs in a recognition rate."""
    return 100 / test_patients(paper)[0]


def images_per_patient(paper: Paper) -> Iterator[Row]:
    place, printed = paper.place("images_per_patient"), paper.text("images_per_patient")
    (patients, slides), lowest = paper.values("patients", "slides"), images_at(paper, 40)
    yield number(
        "images_per_patient",
        "images of a patient at 40x on average",
        place,
        printed,
        worst_case(truediv, lowest, patients),
        "Patients with a different number of images count alike in the recognition rate. By slide number it is "
        f"{lowest / slides:.2f}.",
        OUTSIDE,
    )
    everything = worst_case(lambda *all: prod(all), printed, patients, float(paper.text("magnifications")))
    yield number(
        "images_in_all",
        "images in all, if each magnification had as many",
        paper.place("images_per_patient", "images"),
        paper.text("images"),
        everything,
    )
    positions = 2 * (len(paper.series("turns")) + 1)
    check, remark = (
        "size of the training set after four positions, each also flipped",
        "A flip along the other axis adds",
    )
    yield number(
        "enlargement",
        check,
        paper.place("enlargement"),
        paper.text("enlargement"),
        positions,
        f"{remark} no new image.",
    )


def folds(paper: Paper) -> Iterator[Row]:
    """What the fold files do to patients, slides and test images."""
    images, patients, tested = paper.values("images", "patients", "ever_tested")
    shares, each = [100 * count / images for count in paper.series("test_images")], test_patients(paper)
    printed = paper.range("test_share")
    yield row(
        "test_share",
        "share of images in the test sets of the five folds",
        f"{paper.place('test_share')}; fold files",
        f"about {paper.text('test_share')} %",
        ", ".join(f"{share:.1f}" for share in shares) + " %",
        all(printed.low <= share <= printed.high for share in shares),
        f"The test sets have {each[0]} patients each, {100 * each[0] / patients:.1f} % of all, and those differ in "
        "their number of images. Training sets are smaller than stated.",
        OUTSIDE,
    )
    shared = paper.text("shared_slide_folds")
    yield row(
        "patients_apart",
        "training patients in the test set",
        f"{paper.place('patients_apart')}; fold files",
        paper.text("patients_apart"),
        f"one slide number, in folds {shared}",
        not shared,
        f"Images of {paper.text('shared_slide')} are on both sides there. One patient changes little; a program that "
        "groups by slide number finds it at once.",
        OUTSIDE,
    )
    yield row(
        "ever_tested",
        "patients that are tested in the five folds",
        f"{paper.place('folds')}; fold files",
        f"{patients:.0f}",
        f"{tested:.0f}, in {sum(each)} places",
        tested == patients,
        "The five are repeated splits and not a cross-validation: some patients are tested up to four times, "
        f"{patients - tested:.0f} never. Their results are less independent than those of five parts.",
        OUTSIDE,
    )


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
    for layer, border in enumerate(map(int, paper.series("levi_padding")), start=1):
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


def network(paper: Paper) -> Iterator[Row]:
    """Do the sizes of the layers work out, and does the text fix one network?"""
    # Strides that are tried: 1, and that of the network which the paper took over.
    readings = {
        f"stride {stride}, {name}": sizes(paper, stride, padded)
        for stride in (1, int(paper.text("levi_stride")))
        for name, padded in _PADDED.items()
    } | {"as in the cited network": cited_sizes(paper)}
    place = paper.place("kernel_1", "input_size")
    for reading, sides in readings.items():
        yield row(
            f"sides_{reading.replace(',', '').replace(' ', '_')}",
            f"side of the maps after the three poolings, {reading}",
            place,
            f"{paper.text('input_size')} pixels in",
            ", ".join(map(str, sides)),
            sides[-1] > 0,
            "" if sides[-1] else "Nothing is left for the dense layers; the images are too small for this reading.",
            NOT_STATED,
        )
    counts = [weights(paper, sides[-1]) for sides in readings.values() if sides[-1]]
    least, cited = min(counts), weights(paper, cited_sizes(paper)[-1])
    yield row(
        "weights",
        "weights of the single-task network",
        place,
        "one network",
        f"{least / 1e6:.1f} to {max(counts) / 1e6:.1f} million",
        least == max(counts),
        "Strides and padding are not in the text. Most weights are in the first dense layer, whose size depends on "
        f"them. With those of the cited network there are {cited / 1e6:.1f} million.",
        NOT_STATED,
    )
    extra = weights(paper, side=1, tasks=2) - weights(paper, side=1)
    yield row(
        "weights_of_second_task",
        "weights that a second task adds, if only its outputs are new",
        paper.place("no_extra_computation"),
        paper.text("no_extra_computation"),
        f"{extra} of at least {least}",
        100 * extra < least,
        "The text also says that the last dense layer is split into two branches, which could mean a layer of 512 for "
        "each task.",
    )


def gains(paper: Paper) -> dict[str, Range]:
    """Return by how many points one network for all magnifications is better in Table I, by magnification."""
    rows = reported.printed(paper.name, 1).itertuples()
    return {row.magnification: worst_case(sub, row.independent, row.specific) for row in rows}


def mixed(paper: Paper) -> Iterator[Row]:
    """What Table I shows of one network for all magnifications."""
    found, weight = gains(paper), one_patient(paper)
    for magnification, gain in found.items():
        yield row(
            f"gain_{magnification}",
            f"change at {magnification}x when all magnifications are mixed",
            f"{paper.place('slightly_increased')}; Table I",
            paper.text("slightly_increased"),
            f"{gain.value:+.2f}",
            gain.low > 0,
            "" if gain.low > 0 else "It is slightly lower here.",
        )
    values = [gain.value for gain in found.values()]
    yield row(
        "gain_of_one_patient",
        "gain above the weight of one patient",
        f"{paper.place('abstract_improved')}; Table I",
        paper.text("abstract_improved"),
        f"{fmean(values):+.2f} on average, {max(values):+.2f} at most; one patient is {weight:.2f}",
        fmean(values) > weight,
        f"The first fold has {test_patients(paper)[0]} test patients. If the images of one are called right and not "
        "wrong, the rate moves by more than the largest gain. One fold, one training: no claim can rest on it.",
        NOT_STATED,
    )


def rates(paper: Paper) -> Iterator[Row]:
    """What the average recognition rates show: of both tasks, beside no skill, and beside hand-crafted features."""
    single, multi, ours, theirs = paper.texts("single_task_mean", "multi_task_mean", "cnn_beside_pftas", "pftas_mean")
    change, beside, weight = worst_case(sub, multi, single), worst_case(sub, ours, theirs), one_patient(paper)
    malignant, patients = sum(paper.series("test_malignant_patients")), sum(test_patients(paper))
    always = 100 * malignant / patients
    frequent = 100 * max(images_at(paper, one) for one in MAGNIFICATIONS) / float(paper.text("images"))
    named = paper.text("magnification_task_mean")
    chosen = ", ".join(dict.fromkeys(paper.texts("pftas_low", "pftas_high")))
    for id, check, place, printed, found, right, remark, otherwise in (
        (
            "second_task",
            "malignancy with a second task beside it",
            paper.place("not_degraded", "multi_task_mean"),
            paper.text("not_degraded"),
            f"{multi} against {single}: {change.value:+.2f}",
            change.high >= 0,
            f"Section III says {paper.text('degraded_little')}. The difference is small against the weight of one "
            f"patient in a fold, {weight:.2f}; no interval is given for either side.",
            CONTRADICTS,
        ),
        (
            "above_all_malignant",
            "recognition rate above that of calling everything malignant",
            f"{paper.place('multi_task_mean')}; fold files",
            f"{single}, {multi}",
            f"{always:.1f}",
            float(multi) > always,
            "The results are to be read from there and not from 50 %. Sensitivity and specificity are not reported.",
            OUTSIDE,
        ),
        (
            "above_most_frequent",
            "magnification found more often than by always naming the most frequent one",
            f"{paper.place('magnification_task_mean')}; fold files",
            named,
            f"about {frequent:.1f}",
            float(named) > frequent,
            "",
            OUTSIDE,
        ),
        (
            "beside_pftas",
            "network beside PFTAS",
            paper.place("pftas_mean"),
            paper.text("pftas_similar"),
            f"{ours} against {theirs}: {beside.value:+.2f}",
            abs(beside.value) < weight,
            f"Similar, but neither side is a plain test result: PFTAS has the best of {paper.text('classifiers')} "
            f"classifiers at each magnification ({chosen}), and the network was tuned on test images.",
            CONTRADICTS,
        ),
    ):
        yield row(id, check, place, printed, found, right, remark, otherwise)


def names(paper: Paper) -> Iterator[Row]:
    named, called = paper.texts("classifier_name", "pftas_low")
    initials = "".join(word[0] for word in named.split())
    check, remark = "name of the second classifier", "Quadratic discriminant analysis is meant."
    yield row("classifier_name", check, paper.place("classifier_name"), named, called, initials == called, remark)


CHECKS = [
    images_per_patient,
    folds,
    network,
    mixed,
    rates,
    names,
]
