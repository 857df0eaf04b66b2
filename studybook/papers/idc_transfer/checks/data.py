"""Counts of the data, and what the confusion figures of Table 2 say about the test patches."""

from __future__ import annotations

import math
from operator import add, truediv

from studybook.published.intervals import Range, worst_case
from studybook.published.report import Paper, Row, number


def overlap(*ranges: Range) -> bool:
    """Return whether one value lies in all the ranges."""
    return max(r.low for r in ranges) <= min(r.high for r in ranges)


def natural_share(paper: Paper) -> float:
    """Return the share of malignant patches in the archive, from the printed counts."""
    positive, negative = float(paper.text("positive_patches")), float(paper.text("negative_patches"))
    return positive / (positive + negative)


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the data."""
    return [*_counts(paper), *_test_part(paper)]


def _counts(paper: Paper) -> list[Row]:
    positive, negative, patches, women, slides, side, width, height = (
        float(paper.text(id))
        for id in (
            "positive_patches",
            "negative_patches",
            "patches",
            "women",
            "original_training_slides",
            "patch_size",
            "image_width",
            "image_height",
        )
    )
    place = paper.place("patches")
    held_out = float(paper.text("original_test_slides"))
    fit = women * math.ceil(width / side) * math.ceil(height / side)
    archive = paper.text("archive_patients")
    return [
        number("patches of both classes", place, paper.text("patches"), worst_case(add, positive, negative)),
        number(
            "benign patches per malignant patch",
            paper.place("class_ratio"),
            paper.text("class_ratio"),
            worst_case(truediv, negative, positive),
        ),
        number(
            "women and slides of the original paper",
            f"{place}; Related Works",
            paper.text("women"),
            worst_case(add, slides, held_out),
        ),
        Row(
            "women and patients of the public archive",
            place,
            paper.text("women"),
            archive,
            archive == f"{women:.0f}",
            "The archive's folders name more patients than the paper has women; the second count is from "
            "outside the paper.",
        ),
        Row(
            "patches that fit on the images",
            place,
            f"{patches:.0f}",
            f"at most {fit:.0f}",
            patches <= fit,
            "Images of the stated size, one per woman and cut without overlap, hold fewer patches; the "
            "slides must be larger than stated.",
        ),
    ]


def _test_part(paper: Paper) -> list[Row]:
    positive, negative = float(paper.text("positive_patches")), float(paper.text("negative_patches"))
    test = float(paper.text("test_share")) / 100
    natural = natural_share(paper)
    methods = paper.methods(2)
    totals = {method: paper.score(2, method, "total") for method in methods}
    shares = {method: paper.score(2, method, "prevalence") for method in methods}
    rows = [
        Row(
            f"the four shares add up to 100 %, {method}",
            "Table 2",
            "100",
            total.show(2),
            total.low <= 100 <= total.high,
        )
        for method, total in totals.items()
    ]
    rows += [
        Row(
            f"share of malignant test patches, {method}",
            "Table 2; Methods, Dataset",
            share.show(4),
            f"{natural:.4f}",
            share.low <= natural <= share.high,
            "The test part is balanced, the data are not: the test patches do not have the natural share.",
        )
        for method, share in shares.items()
    ]
    balanced = 2 * negative * test
    noise = math.sqrt(0.25 / balanced)
    rows.append(
        Row(
            "one test part for all models",
            "Table 2",
            "; ".join(share.show(4) for share in shares.values()),
            "equal shares" if overlap(*shares.values()) else "no common share",
            overlap(*shares.values()),
            "The share of malignant patches is not the same for all models. Random splits of a balanced "
            f"set of {2 * negative:.0f} patches would scatter by about {noise:.4f}: it looks like "
            "a new split for each model.",
        )
    )
    synthetic = (negative - positive) / negative
    rows.append(
        Row(
            "malignant test patches that are real",
            "Table 2; Methods, Preprocessing",
            "all",
            f"{100 * (1 - synthetic):.1f} %",
            synthetic == 0,
            f"If SMOTE balanced the archive before the split, the test part has {balanced:.0f} patches and "
            f"not {(positive + negative) * test:.0f}; {100 * synthetic:.1f} % of its malignant patches, "
            f"{50 * synthetic:.1f} % of all, are synthetic mixtures of real ones. Balancing the test part by "
            "itself would make it as synthetic, unless benign patches were dropped, of which the paper says "
            "nothing.",
        )
    )
    return rows
