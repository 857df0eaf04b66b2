"""Does the running text say what the tables say?"""

from __future__ import annotations

from operator import sub, truediv

from studybook.papers.idc_transfer.checks.comparison import gain
from studybook.published.intervals import rounding, worst_case
from studybook.published.report import Paper, Row, number


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the running text."""
    return [*_scores(paper), *_handcrafted(paper), *_times(paper), *_settings(paper), *_references(paper)]


def _scores(paper: Paper) -> list[Row]:
    rows = []
    for method in paper.methods(2):
        said = [paper.text(f"text_{method}_{entry}") for entry in ("tp", "fp", "tn", "fn")]
        printed = paper.confusion(2, method)
        rows.append(
            Row(
                f"TP, FP, TN, FN of {method}",
                "Discussion; Table 2",
                ", ".join(said),
                ", ".join(printed),
                said == printed,
            )
        )
    for method, short in (("baseline", "baseline"), ("feature_extraction", "features")):
        for score in ("f1", "accuracy"):
            said = paper.text(f"abstract_{short}_{score}")
            rows.append(
                number(
                    f"{score} of {method} in percent",
                    "Abstract; Table 3",
                    said,
                    worst_case(percent, float(paper.cell(3, method, score))),
                )
            )
    return rows


def percent(share: float) -> float:
    """Return a share in percent."""
    return 100 * share


def _handcrafted(paper: Paper) -> list[Row]:
    place = paper.place("f1_gain")
    rows = [
        number(
            f"{score}, {method}",
            f"{place}; Table 4",
            paper.text(f"{short}_{score}"),
            rounding(paper.cell(4, method, score)),
            "The text cuts digits off instead of rounding.",
        )
        for method, short in (("fuzzy color histogram", "fuzzy"), ("RGB histogram", "rgb"))
        for score in ("f1", "accuracy")
    ]
    rows = [row if not row.agrees else row._replace(remark="") for row in rows]
    for score in ("f1", "accuracy"):
        ours, said = paper.cell(4, "feature_extraction", score), paper.text(f"{score}_gain")
        rows.append(
            number(
                f"gain in {score} over the best handcrafted features, from the text's digits",
                place,
                said,
                worst_case(gain, float(ours), float(paper.text(f"fuzzy_{score}"))),
                "A relative gain, in percent of the other number.",
            )
        )
        rows.append(
            number(
                f"gain in {score} over the best handcrafted features, from the table's digits",
                f"{place}; Table 4",
                said,
                worst_case(gain, ours, paper.cell(4, "fuzzy color histogram", score)),
                "A ratio of two-digit numbers is too coarse for the digits given.",
            )
        )
    said = [paper.text("handcrafted_f1"), paper.text("handcrafted_balanced_accuracy")]
    quoted = [method for method in paper.methods(4) if method != "feature_extraction"]
    highest = [max(float(paper.cell(4, method, score)) for method in quoted) for score in ("f1", "accuracy")]
    best = [f"{percent(score):.2f}" for score in highest]
    rows.append(
        Row(
            "best handcrafted features of the original paper",
            "Related Works; Table 4",
            ", ".join(said),
            ", ".join(best),
            said == best,
            "The text quotes the second best row of the table.",
        )
    )
    rows.append(
        number(
            "gain of the metastasis detector in points",
            "Related Works",
            paper.text("metastasis_gain"),
            worst_case(sub, paper.text("metastasis_accuracy"), paper.text("metastasis_before")),
            "Points, where the gains elsewhere in the paper are relative.",
        )
    )
    return rows


def _times(paper: Paper) -> list[Row]:
    features = paper.cell(3, "feature_extraction", "time")
    return [
        number(
            f"training time of feature extraction as a part of that of {method}",
            f"{paper.place(id)}; Table 3",
            paper.text(id),
            worst_case(truediv, features, paper.cell(3, method, "time")),
            "About a tenth, not a hundredth.",
        )
        for method, id in (("fine_tuning", "time_against_tuning"), ("baseline", "time_against_scratch"))
    ]


def _settings(paper: Paper) -> list[Row]:
    place = paper.place("rotation_text")
    shift, rotation = paper.cell(1, "width shift", "setting"), paper.cell(1, "rotation", "setting")
    return [
        Row(
            "rotation",
            f"{place}; Table 1",
            paper.text("rotation_text"),
            rotation,
            paper.text("rotation_text") == rotation,
            "The setting is a range to either side of zero, without a sign.",
        ),
        Row(
            "shift in percent",
            f"{place}; Table 1",
            paper.text("shift_text"),
            f"{percent(float(shift)):.0f}",
            float(paper.text("shift_text")) == percent(float(shift)),
            "The setting is a part of the side; as percent it would be a tenth of a pixel.",
        ),
        Row(
            "Adam's second decay rate, called standard",
            "Methods, Feature extraction",
            paper.text("features_beta_2"),
            paper.text("adam_beta_2"),
            paper.text("features_beta_2") == paper.text("adam_beta_2"),
            "The proposed default has one more nine; the second number is from outside the paper.",
        ),
    ]


def _references(paper: Paper) -> list[Row]:
    # Where the described content stands, by the captions in the data file.
    right = (
        ("baseline_table", "Table", "2", "confusion figures"),
        ("handcrafted_table", "Table", "4", "handcrafted features"),
        ("flat_curve_figure", "Figure", "8", "flat validation curve"),
    )
    return [
        Row(
            f"{kind.lower()} named for the {subject}",
            paper.place(id),
            f"{kind} {paper.text(id)}",
            f"{kind} {shown}",
            paper.text(id) == shown,
            "A slip in the reference.",
        )
        for id, kind, shown, subject in right
    ]
