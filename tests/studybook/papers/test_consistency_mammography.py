"""What the checks of the mammography paper find."""

import pytest
from checks import find

from studybook.published import consistency


@pytest.fixture(scope="module")
def report():
    return consistency.check_paper("mammography_finetuning")


@pytest.mark.parametrize(
    ("check", "place", "found"),
    [
        ("cases of DDSM, both classes", "", "1329"),
        ("images of DDSM if every view of every case is used", "", "5316"),
        ("images of the merged data", "", "6116"),
        ("regions of BCDR if each case has its lesion in one breast", "", "at most 600"),
        ("layers of vgg16 from the text", "", "23"),
        ("right answers on INbreast behind the accuracies of the three networks", "", "190, 185, 191 of 200"),
        ("right answers on DDSM behind the accuracies of the three networks", "", "5163, 5171, 5175 of 5316"),
        ("best network on MD", "", "inceptionv3"),
        ("minutes of resnet50 on the merged data, of which DDSM is a part", "", "122.1"),
        ("data sets on which vgg16 is the slowest", "", "DDSM, BCDR, INbreast, MD"),
        ("accuracy of resnet50 by data set, from the smallest to the largest", "", "92.50, 96.50, 97.27, 98.77"),
        ("accuracy on DDSM above that of Z. Jiao et al. 2016 by more than chance", "", "5175 of 5316"),
        ("accuracy and AUC on BCDR", "Abstract", "96.67, 0.96"),
        ("accuracy on the merged data", "Section 4", "98.94"),
    ],
)
def test_known_agreements(report, check, place, found):
    row = find(report, check, place)
    assert row["agrees"]
    assert found in row["recomputed"]


@pytest.mark.parametrize(
    ("check", "found"),
    [
        ("cases of the merged data", "1679"),
        ("regions of DDSM if each case has its lesion in one breast", "at most 2658"),
        ("regions of INbreast and the archive's images with a mass", "at most 107"),
        ("test images of DDSM whose patient the training has not seen, if folds are drawn by image", "0.8 %"),
        ("test images of BCDR whose patient the training has not seen, if folds are drawn by image", "19.9 %"),
        (
            "layers of resnet50 in all and in the last 1, 2, 3 blocks, counted as the note of Table 1 says",
            "130, 7, 14, 23",
        ),
        (
            "layers of inceptionv3 in all and in the last 1, 2, 3 blocks, counted as the note of Table 1 says",
            "221, 22, 44, 58",
        ),
        ("deepest network by convolutions on the longest way through it", "resnet50 49, inceptionv3 47"),
        ("image size with which inceptionv3 was trained on ImageNet", "299"),
        ("minutes of inceptionv3 on the merged data, of which DDSM is a part", "at least 91.6"),
        ("data sets on which inceptionv3 is the fastest", "DDSM, MD"),
        ("standard deviation of vgg16 on INbreast over 5 folds of 40 images", "0.00 or 1.58"),
        ("standard deviation of resnet50 on BCDR over 5 folds of 120 images", "2.26 or 2.31"),
        ("lead of inceptionv3 on INbreast above the spread over its folds", "lead 0.50, standard deviation 2.00"),
        ("accuracy of the screening program on the merged data, from its accuracies on the parts", "97.22"),
        ("wrong images of inceptionv3 on the merged data and on its parts", "141 + 20 + 9 = 170"),
        ("accuracy on MIAS above that of W. Peng et al. 2015 by more than chance", "111 of 113"),
        ("data sets with a number of others for both accuracy and AUC", "DDSM"),
        ("layers that are fine-tuned", "8, 22, 44"),
        ("figure named for the accuracy with all layers fine-tuned", "Figure 6"),
    ],
)
def test_known_disagreements(report, check, found):
    row = find(report, check)
    assert not row["agrees"]
    assert found in row["recomputed"]


def test_the_gain_on_the_merged_data_by_hand(report):
    # 6116 images with 1.06 % wrong are 64.8; were all of them DDSM's, 1 - 64.8 / 5316 of those are right.
    row = find(report, "wrong images of inceptionv3 on the merged data and on its parts")
    assert row["reported"] == "65"
    assert "97.35 to at least 98.78 %" in row["remark"]


def test_leads_are_counted_in_images(report):
    remarks = {
        dataset: find(report, f"lead of inceptionv3 on {dataset} above the spread over its folds")["remark"]
        for dataset in ("DDSM", "BCDR", "INbreast", "MD")
    }
    assert remarks["BCDR"] == "Its lead over vgg16 is 1 image of 600."
    assert remarks["MD"] == "Its lead over resnet50 is 10 images of 6116."
