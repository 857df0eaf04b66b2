"""What the checks of the BACH paper find."""

import pytest

from studybook.published import consistency

FAILED = {
    "models behind the rows of Table 1": "300",
    "descriptors of an image that all models need": "600",
    "by how much augmentation enlarges the data of a model": "50",
    "classes on which the encoders were trained": "1000",
    "cells of the constituents are accuracies of models averaged over their seeds": "47 of 60",
    "standard deviation over the folds, ResNet-400": "3.86",
    "standard deviation over the folds, ResNet-650": "4.87",
    "standard deviation over the folds, VGG-400": "2.21",
    "standard deviation over the folds, VGG-650": "3.88",
    "standard deviation over the folds, Inception-400": "6.31",
    "standard deviation over the folds, Inception-650": "5.22",
    "gain of the fusion over each constituent, in points": "3.1 to 4.7",
    "gain of the fusion over each constituent, in percent of the constituent's accuracy": "3.7 to 5.7",
    "standard deviation over ten folds that chance alone gives, fusion": "2.7 to 7.3",
    "accuracy, sensitivity and specificity of the abstract belong to one set point": "92.25",
}
AGREED = {
    "descriptors of an image: augmentations, crop sizes, encoders": "300",
    "models: folds, seeds, scales and crops, encoders": "600",
    "length of the descriptors of VGG-16": "1408",
    "cells of the fusion are whole numbers of images in a fold": "2.5",
    "cells of the constituents are means over five seeds": "0.5",
    "mean over the folds, fusion": "87.25",
    "mean over the folds, Inception-650": "82.55",
    "accuracy of the fusion is a whole number of images": "349 of 400",
    "standard deviation over the folds, fusion": "2.61",
    "standard deviation over folds and seeds, Inception-400": "at least 6.40",
    "standard deviation over the six constituents, fold 3": "5.718",
    "mean of the row std": "3.000",
    "average standard deviation of the constituents, as printed, over that of the fusion": "1.83",
    "sensitivity and specificity at set point 0.33 are whole numbers of images": "193 of 200 and 176 of 200",
    "sensitivity and specificity at set point 0.50 are whole numbers of images": "186 of 200 and 189 of 200",
    "missed carcinomas belong to a set point": "14 at 0.50",
    "accuracy belongs to a set point": "93.75 at 0.50",
    "area under an ROC curve through both set points": "0.910 to 0.994",
    "in situ carcinomas called normal or benign": "9",
    "invasive carcinomas called normal or benign": "5",
    "accuracy of the fusion, four classes": "87.25",
    "standard deviation over the folds, carcinoma or not": "2.30",
}


@pytest.fixture(scope="module")
def report():
    return consistency.check_paper("bach_boosting")


@pytest.mark.parametrize("check, found", AGREED.items())
def test_known_agreements(report, check, found):
    row = report[report["check"] == check].iloc[0]
    assert row["agrees"] and found in row["recomputed"]


def test_disagreements_are_these_and_no_others(report):
    failed = report[~report["agrees"]].set_index("check")["recomputed"]
    assert set(failed.index) == set(FAILED)
    assert all(found in failed[check] for check, found in FAILED.items())


def test_deviations_of_constituents_fit_neither_divisor_and_that_is_said(report):
    remarks = report.set_index("check")["remark"]
    assert "it is 4.07. The printed number is larger" in remarks["standard deviation over the folds, ResNet-400"]
    assert "only if divided by one less" in remarks["standard deviation over the folds, Inception-650"]
    assert "divided by one less it is 2.75" in remarks["standard deviation over the folds, fusion"]
