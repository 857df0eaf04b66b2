"""What the checks of the two works on BreaKHis find."""

import pytest
from checks import find

from studybook.papers.breakhis_magnification.checks import network, scores
from studybook.published import consistency
from studybook.published.report import Paper

FOUND = {
    "breakhis_magnification": (
        {
            "images of both classes": "7909",
            "images of a patient at 40x on average": "24.329",
            "images in all, if each magnification had as many": "7872 (7708 to 8036)",
            "size of the training set after four positions, each also flipped": "8",
            "side of the maps after the three poolings, stride 1, not padded": "46, 20, 8",
            "side of the maps after the three poolings, as in the cited network": "12, 6, 3",
            "weights that a second task adds, if only its outputs are new": "2052",
            "change at 40x when all magnifications are mixed": "+1.57",
            "change at 400x when all magnifications are mixed": "+2.19",
            "recognition rate above that of calling everything malignant": "67.9",
            "magnification found more often than by always naming the most frequent one": "26.3",
            "network beside PFTAS": "-0.08",
        },
        {
            "share of images in the test sets of the five folds": "36.7, 30.4, 32.6, 34.1, 39.0",
            "patients and slide numbers": "81",
            "training patients in the test set": "1, 3, 5",
            "slide numbers on both sides, the letters at their ends left out": "6 to 8 slide numbers in each fold",
            "patients that are tested in the five folds": "69, in 140 places",
            "settings chosen apart from the test images": "25.7 %",
            "side of the maps after the three poolings, stride 4, not padded": "11, 3, 0",
            "weights of the single-task network": "2.6 to 35.0 million",
            "change at 200x when all magnifications are mixed": "-0.30",
            "gain above the weight of one patient": "+1.42 on average, +2.23 at most; one patient is 3.57",
            "name of the score": "Recognition Rate",
            "malignancy with a second task beside it": "-1.12",
            "name of the second classifier": "QDA",
        },
    ),
    "breakhis_patches": (
        {
            "the same sum by class, from the web page": "7909",
            "images at 100x in the fold files": "2081",
            "variants named in the text and in the legend, preprocessing": "7",
            "variants named in the text and in the legend, comparison_patients": "5",
            "accuracies of patients are whole numbers of patients, Kowal et al.": "50, 48, 50, 49 of 50",
            "the same with 450 images": "406, 386, 396, 403 of 450",
            "accuracy of humans, Esteva et al.": "65.56 and 66.0",
        },
        {
            "images of the four magnifications together": "7909",
            "highest end of an axis that shows a share": "100 %",
            "axes begin at zero": "0 %",
            "unit that is scored below the image": "patch",
            "sliding window against random crops": "a little better",
            "down-sampling by stride 2": "information loss",
            "does a more complex structure help?": "stride 2",
            "sum and average of the same patches": "one decision",
            "what a high precision says": "sensitivity",
            "what a low AUC says": "order",
            "accuracies of images are whole numbers of images, Kowal et al.": "none, none, 440, none of 500",
            "images of George et al. against the paper's abstract": "92",
            "agreement in diagnosis": "75.3 %",
        },
    ),
}
CASES = [
    (paper, check, agrees, found)
    for paper, parts in FOUND.items()
    for agrees, part in zip((True, False), parts, strict=True)
    for check, found in part.items()
]


@pytest.fixture(scope="module")
def reports():
    return {paper: consistency.check_paper(paper) for paper in FOUND}


@pytest.mark.parametrize(("paper", "check", "agrees", "found"), CASES)
def test_known_findings(reports, paper, check, agrees, found):
    row = find(reports[paper], check)
    assert row["agrees"] == agrees and found in row["recomputed"]


def test_both_magnification_and_slides_count_the_same_patients(reports):
    rows = [find(report, "patients and slide numbers") for report in reports.values()]
    assert [row["reported"] for row in rows] == ["82", "82"]


def test_weights_by_hand():
    paper = Paper("breakhis_magnification")
    convolutions = 96 * (3 * 49 + 1) + 256 * (96 * 25 + 1) + 384 * (256 * 9 + 1)
    dense = 512 * (384 * 9 + 1) + 512 * 513
    assert network.weights(paper, side=3) == convolutions + dense + 2 * 513
    assert network.weights(paper, side=3, tasks=2) == convolutions + dense + 6 * 513


def test_sizes_by_hand():
    paper = Paper("breakhis_magnification")
    # 100 - 7 + 1 = 94, (94 - 3) // 2 + 1 = 46; 42 and 20; 18 and 8.
    assert network.sizes(paper, stride=1) == [46, 20, 8]
    # 25, 12; 12, 5; 5, 2.
    assert network.sizes(paper, 4, ("convolution",)) == [12, 5, 2]
    # (100 - 7) // 4 + 1 = 24, and 24 / 2, 12 / 2, 6 / 2 with a last window beyond the border.
    assert network.cited_sizes(paper) == [12, 6, 3]


def test_gains_carry_the_rounding_of_both_numbers():
    gain = scores.gains(Paper("breakhis_magnification"))["200"]
    assert gain == pytest.approx((-0.30, -0.31, -0.29))
