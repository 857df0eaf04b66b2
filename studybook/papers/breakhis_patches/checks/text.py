"""Statements of the slides that meet in one question, and statements about what a score means."""

from __future__ import annotations

from studybook.published.report import Paper, Row


def _against(paper: Paper, check: str, first: str, second: str, recomputed: str, remark: str) -> Row:
    places = dict.fromkeys((paper.place(first), paper.place(second)))
    return Row(check, "; ".join(places), paper.text(first), recomputed, False, remark)


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the statements."""
    return [*_contradictions(paper), *_meanings(paper)]


def _contradictions(paper: Paper) -> list[Row]:
    return [
        _against(
            paper,
            "sliding window against random crops",
            "sliding_best",
            "random_better",
            f"random crops {paper.text('random_better')}",
            "Both on one slide. They could be reconciled if the second compares crops of 64 pixels alone; it does not "
            "say so.",
        ),
        _against(
            paper,
            "down-sampling by stride 2",
            "stride_best",
            "downsampling_loss",
            paper.text("downsampling_loss"),
            "The variant with stride 2 is called the best structure, and stride 2 a loss of information. The layers "
            "behind it see more tissue with less detail; which weighs more is a question for a measurement.",
        ),
        _against(
            paper,
            "does a more complex structure help?",
            "complexity_helps",
            "stride_best",
            f"{paper.text('stride_best')} is stride {paper.text('large_stride')}",
            "A larger stride adds no weight. The doubled feature maps are one case. And where a network overfits, as "
            "the slides say, more complexity is not what one expects to help.",
        ),
        _against(
            paper,
            "how large the difference to others is",
            "largest_difference",
            "typical_difference",
            f"in {paper.text('typical_difference')}",
            "As large as means a maximum, in most cases means what is usual. Points and percent are not told apart.",
        ),
        _against(
            paper,
            "sum and average of the same patches",
            "aggregation_best",
            "aggregation_rules",
            "one decision",
            f"Listed as two of {paper.text('aggregation_rules')} rules. The average is the sum over the number of "
            "patches, so both name the same class, unless the sum takes the prior into account; its formula is missing "
            "in the text.",
        ),
    ]


def _meanings(paper: Paper) -> list[Row]:
    return [
        Row(
            "what a high precision says",
            paper.place("precision_reason"),
            f"malignant patients {paper.text('precision_reason')}",
            "that is sensitivity",
            False,
            "Precision is the share of true alarms among the alarms. A program that misses half of the cancers can "
            "have a precision of 100 %.",
        ),
        Row(
            "what a low AUC says",
            paper.place("auc_reason"),
            paper.text("auc_reason"),
            "the order of the predictions",
            False,
            "AUC does not change when all probabilities are moved toward 0.5 in the same order. It falls when "
            "malignant patches get lower scores than benign ones.",
        ),
    ]
