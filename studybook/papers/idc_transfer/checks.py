"""Checks of the paper that need arithmetic of their own: confusion figures, prevalence, averages of two classes."""

from __future__ import annotations

import math
from collections.abc import Iterator

from studybook.published import reported
from studybook.published.arithmetic import at_prevalence, implied_prevalence
from studybook.published.intervals import Range, agrees, worst_case
from studybook.published.report import NOT_STATED, Paper, Row, number, row

# How a score of two classes may be averaged: name in words, ending of the key in `from_confusion`.
_AVERAGES = {"positive class": "", "mean of both classes": "_macro", "mean weighted by class size": "_weighted"}
_OWN = "feature_extraction"


def overlap(*ranges: Range) -> bool:
    """Return whether one value lies in all the ranges."""
    return max(r.low for r in ranges) <= min(r.high for r in ranges)


def natural_share(paper: Paper) -> float:
    """Return the share of malignant patches in the archive, from the printed counts."""
    positive, negative = paper.values("positive_patches", "negative_patches")
    return positive / (positive + negative)


def images_hold_patches(paper: Paper) -> Iterator[Row]:
    women, side, width, height, patches = paper.values("women", "patch_size", "image_width", "image_height", "patches")
    most = women * math.ceil(width / side) * math.ceil(height / side)
    yield row(
        "patches_fit",
        "patches that fit on the images",
        paper.place("patches"),
        f"{patches:.0f}",
        f"at most {most:.0f}",
        patches <= most,
        "Images of the stated size, one per woman and cut without overlap, hold fewer patches; the slides must be "
        "larger than stated.",
    )


def test_part(paper: Paper) -> Iterator[Row]:
    """What the confusion figures of Table 2 say about the test patches."""
    methods, natural = paper.methods(2), natural_share(paper)
    for method in methods:
        total = paper.score(2, method, "total")
        check = f"the four shares add up to 100 %, {method}"
        yield row(f"total_{method}", check, "Table 2", "100", total.show(2), total.low <= 100 <= total.high)
    shares = {method: paper.score(2, method, "prevalence") for method in methods}
    for method, share in shares.items():
        yield row(
            f"test_share_{method}",
            f"share of malignant test patches, {method}",
            "Table 2; Methods, Dataset",
            share.show(4),
            f"{natural:.4f}",
            share.low <= natural <= share.high,
            "The test part is balanced, the data are not; how it was balanced is not said.",
            NOT_STATED,
        )
    positive, negative, test = paper.values("positive_patches", "negative_patches", "test_share")
    balanced = 2 * negative * test / 100
    one = overlap(*shares.values())
    yield row(
        "one_test_part",
        "one test part for all models",
        "Table 2",
        "; ".join(share.show(4) for share in shares.values()),
        "equal shares" if one else "no common share",
        one,
        "The share of malignant patches is not the same for all models. Random splits of a balanced set of "
        f"{2 * negative:.0f} patches would scatter by about {math.sqrt(0.25 / balanced):.4f}: it looks like a new "
        "split for each model.",
    )
    synthetic = 1 - positive / negative
    yield row(
        "real_test_patches",
        "malignant test patches that are real",
        "Table 2; Methods, Preprocessing",
        "all",
        f"{100 * (1 - synthetic):.1f} %",
        synthetic == 0,
        f"If SMOTE balanced the archive before the split, the test part has {balanced:.0f} patches and not "
        f"{(positive + negative) * test / 100:.0f}; {100 * synthetic:.1f} % of its malignant patches, "
        f"{50 * synthetic:.1f} % of all, are synthetic mixtures of real ones. Balancing the test part by itself would "
        "make it as synthetic, unless benign patches were dropped, of which the paper says nothing.",
        NOT_STATED,
    )


def scores_of_table_3(paper: Paper) -> Iterator[Row]:
    """Do the scores of the paper's own models follow from its confusion figures?"""
    place, common = "Table 3 from Table 2", {*_AVERAGES}
    for method in paper.methods(3):
        printed = paper.text(f"3/{method}/accuracy")
        highest = method == "baseline" and printed == paper.text("validation_accuracy")
        yield number(
            f"table_3_accuracy_{method}",
            f"accuracy, {method}",
            place,
            printed,
            paper.score(2, method, "accuracy"),
            "The table has the highest validation accuracy; the confusion figures give less." if highest else "",
        )
        for score in ("precision", "f1"):
            printed = paper.text(f"3/{method}/{score}")
            fits = [name for name, end in _AVERAGES.items() if agrees(printed, paper.score(2, method, score + end))]
            common &= {*fits}
            yield number(
                f"table_3_{score}_{method}",
                f"{score} of the positive class, {method}",
                place,
                printed,
                paper.score(2, method, score),
                f"Agrees as: {', '.join(fits)}." if fits else "No average agrees.",
            )
    yield row(
        "one_average",
        "one average for all of Table 3",
        place,
        "one",
        ", ".join(sorted(common)) or "none",
        bool(common),
        "The rows of the table cannot be compared by precision or F1.",
    )


def scores_of_table_5(paper: Paper) -> Iterator[Row]:
    for score in ("accuracy", "f1"):
        printed, found = paper.text(f"5/baseline/{score}"), paper.score(2, "baseline", score)
        yield number(f"table_5_{score}", f"{score}, baseline", "Table 5 from Table 2", printed, found)
    three = paper.texts("3/baseline/precision", "5/baseline/f1", "5/baseline/accuracy")
    share, of_table_2 = worst_case(implied_prevalence, *three), paper.score(2, "baseline", "prevalence")
    yield row(
        "table_5_share",
        "share of malignant patches, baseline",
        "Tables 3 and 5 against Table 2",
        share.show(3),
        of_table_2.show(3),
        overlap(share, of_table_2),
        "F1 and accuracy of Table 5 with the precision of Table 3 need another test part than Table 2.",
    )


def share_of_quoted_rows(paper: Paper, definition: str = "balanced") -> tuple[list[Range], Range]:
    """Return the share of malignant patches that each quoted row of Table 4 needs, and the one that all allow."""
    shares = []
    for method in paper.methods(4):
        if method != _OWN:
            three = paper.texts(*(f"4/{method}/{score}" for score in ("precision", "f1", "accuracy")))
            shares.append(worst_case(lambda p, f, a: implied_prevalence(p, f, a, definition), *three))
    low, high = max(share.low for share in shares), min(share.high for share in shares)
    return shares, Range((low + high) / 2, min(low, high), max(low, high))


def quoted_rows(paper: Paper) -> Iterator[Row]:
    """Are the quoted rows of Table 4 from one set of patches, and is it this one?"""
    for definition, name, remark in (
        ("accuracy", "accuracy", "the quoted rows would need test parts of different composition."),
        ("balanced", "balanced accuracy", "all quoted rows agree on one share: the column is balanced accuracy."),
    ):
        shares, _ = share_of_quoted_rows(paper, definition)
        yield row(
            f"quoted_share_by_{definition}",
            f"the quoted rows imply one share of malignant patches if Accuracy means {name}",
            "Table 4",
            "one",
            f"{min(shares).value:.4f} to {max(shares).value:.4f}",
            overlap(*shares),
            f"Read as {name}, {remark}",
        )
    (_, common), natural = share_of_quoted_rows(paper), natural_share(paper)
    yield row(
        "quoted_share",
        "share of malignant test patches of the quoted rows",
        "Table 4; Methods, Dataset",
        common.show(4),
        f"{natural:.4f}",
        common.low <= natural <= common.high,
        "The quoted numbers come from other test patches than a random part of this archive.",
        NOT_STATED,
    )


def names_of_the_score(paper: Paper) -> Iterator[Row]:
    for id, table, method, said in (
        ("rgb", 4, "RGB histogram", "handcrafted_balanced_accuracy"),
        ("original", 5, "original paper", "original_balanced_accuracy"),
        ("pooling", 5, "accept-reject pooling", "pooling_balanced_accuracy"),
    ):
        heading = reported.printed(paper.name, table).attrs["headings"]["accuracy"]
        cell = paper.text(f"{table}/{method}/accuracy")
        same = abs(float(cell) * 100 - float(paper.text(said))) < 1e-6
        yield row(
            f"name_of_score_{id}",
            f"name of the score, {method}",
            f"Table {table}; {paper.place(said)}",
            f"{heading} {cell}",
            f"balanced accuracy {paper.text(said)} %",
            same and heading.lower() == "balanced accuracy",
            "The number is the same, its name is not; beside it stand plain accuracies.",
        )


def f1_at(paper: Paper, method: str, share: float | Range) -> Range:
    """Return a model's F1 at another share of malignant patches; the rest as Table 2 has it."""

    def f1(sensitivity: float, specificity: float, prevalence: float) -> float:
        return at_prevalence(sensitivity, specificity, prevalence)["f1"]

    return worst_case(f1, paper.score(2, method, "sensitivity"), paper.score(2, method, "specificity"), share)


def comparisons_with_others(paper: Paper) -> Iterator[Row]:
    """Are the paper's models better than others by the same score, at the same share of malignant patches?"""
    _, share = share_of_quoted_rows(paper)
    for id, method, other, table, claim in (
        ("baseline", "baseline", "original paper", 5, "baseline_beats_original"),
        ("features", _OWN, "fuzzy color histogram", 4, "f1_gain"),
    ):
        place = f"{paper.place(claim)}; Tables 2 and {table}"
        accuracy, theirs = paper.score(2, method, "balanced_accuracy"), paper.text(f"{table}/{other}/accuracy")
        yield row(
            f"{id}_above_by_accuracy",
            f"{method} above {other}, both by balanced accuracy",
            place,
            "better",
            f"{accuracy.show()} against {theirs}",
            accuracy.low > float(theirs),
            "The quoted number is a balanced accuracy, so the same score is taken from Table 2.",
        )
        f1, theirs = f1_at(paper, method, share), paper.text(f"{table}/{other}/f1")
        yield row(
            f"{id}_above_by_f1",
            f"{method} above {other}, both by F1 at the share of the quoted rows",
            place,
            "better",
            f"{f1.show()} against {theirs}",
            f1.low > float(theirs),
            "F1 falls with the share of malignant patches: "
            f"{f1_at(paper, method, natural_share(paper)).value:.3f} at the archive's own share. Sensitivity and "
            "specificity are those of Table 2, whose test patches seem partly synthetic.",
        )
    ours, theirs = (paper.texts(f"3/{method}/f1", f"3/{method}/accuracy") for method in (_OWN, "baseline"))
    yield row(
        "features_above_baseline",
        "feature extraction above the baseline",
        f"{paper.place('features_beat_baseline')}; Table 3",
        paper.text("features_beat_baseline"),
        f"F1 and accuracy {', '.join(ours)} against {', '.join(theirs)}",
        all(float(a) > float(b) for a, b in zip(ours, theirs, strict=True)),
        "It is faster to train; its scores are lower.",
    )


CHECKS = [
    images_hold_patches,
    test_part,
    scores_of_table_3,
    scores_of_table_5,
    quoted_rows,
    names_of_the_score,
    comparisons_with_others,
]
