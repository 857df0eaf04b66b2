"""Are the paper's models compared with others by the same score, at the same share of malignant patches?"""

from __future__ import annotations

from studybook.papers.idc_transfer.checks.data import natural_share, overlap
from studybook.published.arithmetic import at_prevalence, from_confusion, implied_prevalence
from studybook.published.intervals import Range, worst_case
from studybook.published.report import Paper, Row, number


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the comparisons with other papers."""
    quoted = [method for method in paper.methods(4) if method != "feature_extraction"]
    shares = {
        definition: [_share(paper, method, definition) for method in quoted] for definition in ("accuracy", "balanced")
    }
    balanced = shares["balanced"]
    # The one share that all quoted rows allow: where their ranges overlap.
    low, high = max(share.low for share in balanced), min(share.high for share in balanced)
    common = Range((low + high) / 2, min(low, high), max(low, high))
    natural = natural_share(paper)
    rows = [
        _one_share(
            "accuracy",
            shares["accuracy"],
            "Read as plain accuracy, the quoted rows would need test parts of different composition.",
        ),
        _one_share(
            "balanced accuracy",
            balanced,
            "Read as balanced accuracy, all quoted rows agree on one share: the column is balanced accuracy.",
        ),
        Row(
            "share of malignant test patches of the quoted rows",
            "Table 4; Methods, Dataset",
            common.show(4),
            f"{natural:.4f}",
            common.low <= natural <= common.high,
            "The quoted numbers come from other test patches than a random part of this archive.",
        ),
    ]
    return [*rows, *_names(paper), *_gains_of_others(paper), *_claims(paper, common)]


def _share(paper: Paper, method: str, definition: str) -> Range:
    printed = (paper.cell(4, method, column) for column in ("precision", "f1", "accuracy"))
    return worst_case(lambda p, f, a: implied_prevalence(p, f, a, definition), *printed)


def _one_share(name: str, shares: list[Range], remark: str) -> Row:
    values = [share.value for share in shares]
    return Row(
        f"the quoted rows imply one share of malignant patches if Accuracy means {name}",
        "Table 4",
        "one",
        f"{min(values):.4f} to {max(values):.4f}",
        overlap(*shares),
        remark,
    )


def _names(paper: Paper) -> list[Row]:
    called = (
        (4, "RGB histogram", "handcrafted_balanced_accuracy"),
        (5, "original paper", "original_balanced_accuracy"),
        (5, "accept-reject pooling", "pooling_balanced_accuracy"),
    )
    rows = []
    for table, method, id in called:
        heading, cell = paper.heading(table, "accuracy"), paper.cell(table, method, "accuracy")
        same = abs(float(cell) * 100 - float(paper.text(id))) < 1e-6
        rows.append(
            Row(
                f"name of the score, {method}",
                f"Table {table}; {paper.place(id)}",
                f"{heading} {cell}",
                f"balanced accuracy {paper.text(id)} %",
                same and heading.lower() == "balanced accuracy",
                "The number is the same, its name is not; beside it stand plain accuracies.",
            )
        )
    return rows


def _gains_of_others(paper: Paper) -> list[Row]:
    return [
        number(
            f"gain in {score} of accept-reject pooling over AlexNet",
            f"{paper.place(id)}; Table 5",
            paper.text(id),
            worst_case(
                gain,
                paper.cell(5, "accept-reject pooling", score),
                paper.cell(5, "AlexNet with resizing", score),
            ),
        )
        for score, id in (("f1", "pooling_f1_gain"), ("accuracy", "pooling_accuracy_gain"))
    ]


def gain(new: float, old: float) -> float:
    """Return by how many percent of the old number the new one is larger."""
    return 100 * (new / old - 1)


def f1_at(paper: Paper, method: str, share: float | Range) -> Range:
    """Return a model's F1 at another share of malignant patches; the rest as Table 2 has it."""

    def f1(tp: float, fp: float, tn: float, fn: float, prevalence: float) -> float:
        scores = from_confusion(tp, fp, tn, fn)
        return at_prevalence(scores["sensitivity"], scores["specificity"], prevalence)["f1"]

    return worst_case(f1, *paper.confusion(2, method), share)


def _claims(paper: Paper, share: Range) -> list[Row]:
    best = "fuzzy color histogram"
    pairs = (
        ("baseline", "original paper", 5, paper.place("baseline_beats_original")),
        ("feature_extraction", best, 4, paper.place("f1_gain")),
    )
    rows = []
    for method, other, table, place in pairs:
        accuracy, theirs = paper.score(2, method, "balanced_accuracy"), paper.cell(table, other, "accuracy")
        rows.append(
            Row(
                f"{method} above {other}, both by balanced accuracy",
                f"{place}; Tables 2 and {table}",
                "better",
                f"{accuracy.show()} against {theirs}",
                accuracy.low > float(theirs),
                "The quoted number is a balanced accuracy, so the same score is taken from Table 2.",
            )
        )
        f1, theirs = f1_at(paper, method, share), paper.cell(table, other, "f1")
        own = f1_at(paper, method, natural_share(paper))
        rows.append(
            Row(
                f"{method} above {other}, both by F1 at the share of the quoted rows",
                f"{place}; Tables 2 and {table}",
                "better",
                f"{f1.show()} against {theirs}",
                f1.low > float(theirs),
                f"F1 falls with the share of malignant patches: {own.value:.3f} at the archive's own share. "
                "Sensitivity and specificity are those of Table 2, whose test patches seem partly synthetic.",
            )
        )
    ours, theirs = (
        [paper.cell(3, method, score) for score in ("f1", "accuracy")] for method in ("feature_extraction", "baseline")
    )
    rows.append(
        Row(
            "feature extraction above the baseline",
            f"{paper.place('features_beat_baseline')}; Table 3",
            paper.text("features_beat_baseline"),
            f"F1 and accuracy {', '.join(ours)} against {', '.join(theirs)}",
            all(float(a) > float(b) for a, b in zip(ours, theirs, strict=True)),
            "It is faster to train; its scores are lower.",
        )
    )
    return rows
