"""Do the scores of the paper's own models (Tables 3, 4 and 5) follow from its confusion figures (Table 2)?"""

from __future__ import annotations

from studybook.published.arithmetic import implied_prevalence
from studybook.published.intervals import agrees, rounding, worst_case
from studybook.published.report import Paper, Row, number

# How a score of two classes may be averaged: name in words, ending of the key in `from_confusion`.
_AVERAGES = {
    "positive class": "",
    "mean of both classes": "_macro",
    "mean weighted by class size": "_weighted",
}


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the scores of the paper's own models."""
    return [*_table_3(paper), *_table_5(paper), *_across_tables(paper)]


def _table_3(paper: Paper) -> list[Row]:
    rows, common = [], set(_AVERAGES)
    for method in paper.methods(3):
        rows.append(
            number(
                f"accuracy, {method}",
                "Table 3 from Table 2",
                paper.cell(3, method, "accuracy"),
                paper.score(2, method, "accuracy"),
                _validation(paper, method),
            )
        )
        for score in ("precision", "f1"):
            printed = paper.cell(3, method, score)
            fits = {
                name for name, ending in _AVERAGES.items() if agrees(printed, paper.score(2, method, score + ending))
            }
            common &= fits
            found = "Agrees as: " + ", ".join(n for n in _AVERAGES if n in fits) + "." if fits else "No average agrees."
            rows.append(
                number(
                    f"{score} of the positive class, {method}",
                    "Table 3 from Table 2",
                    printed,
                    paper.score(2, method, score),
                    found,
                )
            )
    rows.append(
        Row(
            "one average for all of Table 3",
            "Table 3 from Table 2",
            "one",
            ", ".join(name for name in _AVERAGES if name in common) or "none",
            bool(common),
            "The rows of the table cannot be compared by precision or F1.",
        )
    )
    return rows


def _validation(paper: Paper, method: str) -> str:
    same = method == "baseline" and paper.cell(3, method, "accuracy") == paper.text("validation_accuracy")
    return "The table has the highest validation accuracy; the confusion figures give less." if same else ""


def _table_5(paper: Paper) -> list[Row]:
    rows = [
        number(
            f"{score}, baseline",
            "Table 5 from Table 2",
            paper.cell(5, "baseline", score),
            paper.score(2, "baseline", score),
        )
        for score in ("accuracy", "f1")
    ]
    share = worst_case(
        implied_prevalence,
        paper.cell(3, "baseline", "precision"),
        paper.cell(5, "baseline", "f1"),
        paper.cell(5, "baseline", "accuracy"),
    )
    from_table_2 = paper.score(2, "baseline", "prevalence")
    rows.append(
        Row(
            "share of malignant patches, baseline",
            "Tables 3 and 5 against Table 2",
            share.show(3),
            from_table_2.show(3),
            share.low <= from_table_2.high and from_table_2.low <= share.high,
            "F1 and accuracy of Table 5 with the precision of Table 3 need another test part than Table 2.",
        )
    )
    return rows


def _across_tables(paper: Paper) -> list[Row]:
    rows = [
        number(
            f"{score}, baseline",
            "Table 3 against Table 5",
            paper.cell(3, "baseline", score),
            rounding(paper.cell(5, "baseline", score)),
            remark,
        )
        for score, remark in (
            ("accuracy", "Cut to two digits it would agree."),
            ("f1", "Agrees at the very edge."),
        )
    ]
    rows += [
        number(
            f"{score}, feature_extraction",
            "Table 4 against Table 3",
            paper.cell(4, "feature_extraction", score),
            rounding(paper.cell(3, "feature_extraction", score)),
        )
        for score in ("precision", "f1", "accuracy")
    ]
    return rows
