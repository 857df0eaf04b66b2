"""Counts of BreaKHis, and what the fold files that come with it do to patients, slides and test images."""

from __future__ import annotations

from math import prod
from operator import add, truediv

from studybook.published.intervals import rounding, worst_case
from studybook.published.report import Paper, Row, number

MAGNIFICATIONS = (40, 100, 200, 400)
CLASSES = ("benign", "malignant")


def images_at(paper: Paper, magnification: int) -> int:
    """Return the number of images of one magnification, both classes."""
    return sum(int(paper.text(f"{label}_{magnification}")) for label in CLASSES)


def per_fold(paper: Paper, id: str) -> list[int]:
    """Return the numbers of a list that has one per fold."""
    return [int(count) for count in paper.text(id).split(", ")]


def test_patients(paper: Paper) -> list[int]:
    """Return the number of patients in the test set of each fold, by slide number and tumor type."""
    parts = [per_fold(paper, f"test_{label}_patients") for label in CLASSES]
    return [sum(pair) for pair in zip(*parts, strict=True)]


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the data and of the split."""
    return [*_counts(paper), *_per_patient(paper), *_shares(paper), *_patients(paper), *_tuning(paper)]


def _counts(paper: Paper) -> list[Row]:
    place = f"{paper.place('benign_images')}; {paper.place('images')}"
    rows = [
        number(
            "images of both classes",
            place,
            paper.text("images"),
            worst_case(add, *(float(paper.text(f"{label}_images")) for label in CLASSES)),
        )
    ]
    for label in CLASSES:
        counted = sum(int(paper.text(f"{label}_{magnification}")) for magnification in MAGNIFICATIONS)
        rows.append(
            number(
                f"{label} images in the fold files",
                paper.place("benign_images"),
                paper.text(f"{label}_images"),
                rounding(float(counted)),
            )
        )
    return rows


def _per_patient(paper: Paper) -> list[Row]:
    place = paper.place("images_per_patient")
    patients, slides, lowest = float(paper.text("patients")), float(paper.text("slides")), float(images_at(paper, 40))
    each = rounding(paper.text("images_per_patient"))
    everything = worst_case(lambda *factors: prod(factors), each, patients, float(paper.text("magnifications")))
    return [
        number(
            "images of a patient at 40x on average",
            place,
            paper.text("images_per_patient"),
            worst_case(truediv, lowest, patients),
            f"Patients with a different number of images count alike in the recognition rate. By slide number it is "
            f"{lowest / slides:.2f}.",
        ),
        Row(
            "images in all, if each magnification had as many",
            f"{place}; {paper.place('images')}",
            paper.text("images"),
            everything.show(0),
            everything.low <= float(paper.text("images")) <= everything.high,
        ),
        number(
            "size of the training set after four positions, each also flipped",
            paper.place("enlargement"),
            paper.text("enlargement"),
            rounding(2.0 * (len(paper.text("turns").split(", ")) + 1)),
            "A flip along the other axis adds no new image.",
        ),
    ]


def _shares(paper: Paper) -> list[Row]:
    images = float(paper.text("images"))
    shares = [100 * count / images for count in per_fold(paper, "test_images")]
    patients = 100 * test_patients(paper)[0] / float(paper.text("patients"))
    printed = rounding(paper.text("test_share"))
    return [
        Row(
            "share of images in the test sets of the five folds",
            paper.place("test_share"),
            f"about {paper.text('test_share')} %",
            ", ".join(f"{share:.1f}" for share in shares) + " %",
            all(printed.low <= share <= printed.high for share in shares),
            f"The test sets have {test_patients(paper)[0]} patients each, {patients:.1f} % of all, and those differ in "
            "their number of images. Training sets are smaller than stated.",
        )
    ]


def _patients(paper: Paper) -> list[Row]:
    slide, folds = paper.text("shared_slide"), paper.text("shared_slide_folds")
    patients, tested, places = paper.text("patients"), paper.text("ever_tested"), sum(test_patients(paper))
    return [
        Row(
            "patients and slide numbers",
            f"{paper.place('patients')}; fold files",
            patients,
            paper.text("slides"),
            patients == paper.text("slides"),
            f"There are {paper.text('slides_by_type')} pairs of slide number and tumor type: {slide} has two types, "
            f"{paper.text('shared_slide_types')}. It is probably one patient, counted twice.",
        ),
        Row(
            "training patients in the test set",
            f"{paper.place('patients_apart')}; fold files",
            paper.text("patients_apart"),
            f"one slide number, in folds {folds}",
            not folds,
            f"Images of {slide} are on both sides there. One patient changes little; a program that groups by slide "
            "number finds it at once.",
        ),
        _letters(paper),
        Row(
            "patients that are tested in the five folds",
            f"{paper.place('folds')}; fold files",
            patients,
            f"{tested}, in {places} places",
            tested == patients,
            "The five are repeated splits and not a cross-validation: some patients are tested up to four times, "
            f"{int(patients) - int(tested)} never. Their results are less independent than those of five parts.",
        ),
    ]


def _letters(paper: Paper) -> Row:
    numbers, same, tested = (per_fold(paper, id) for id in ("same_number", "same_number_images", "test_images"))
    shares = [100 * part / whole for part, whole in zip(same, tested, strict=True)]
    return Row(
        "slide numbers on both sides, the letters at their ends left out",
        f"{paper.place('patients_apart')}; fold files",
        paper.text("patients_apart"),
        f"{min(numbers)} to {max(numbers)} slide numbers in each fold, {min(shares):.0f} to {max(shares):.0f} % of the "
        "test images",
        False,
        f"Without letters, {paper.text('slides')} slide numbers become {paper.text('slides_without_letters')}. What "
        "the letters mean is not published. If they stand for parts of one patient's tissue, all results on these "
        "folds are too good.",
    )


def _tuning(paper: Paper) -> list[Row]:
    tuned, tested = sum(per_fold(paper, "test_images_40")), sum(per_fold(paper, "test_images"))
    return [
        Row(
            "settings chosen apart from the test images",
            f"{paper.place('tuned_on')}; fold files",
            f"chosen on {paper.text('tuned_on')}",
            f"{100 * tuned / tested:.1f} % of the test images, every test patient",
            False,
            "Every test patient has images at 40x, so each helped to choose iterations and learning rate of the fold "
            "that is reported. The other magnifications show the same tissue. All results are too good by an unknown "
            "amount.",
        )
    ]
