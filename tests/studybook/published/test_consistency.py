"""Recomputed scores by hand-worked cases, and what the checks of each paper find."""

import math

import pytest
from checks import find
from sklearn import metrics

from studybook.published import consistency, reported
from studybook.published.consistency import Range, agrees, from_confusion, implied_prevalence, rounding, worst_case


def test_from_confusion_by_hand():
    scores = from_confusion(tp=30, fp=10, tn=50, fn=10)
    assert scores["total"] == 100
    assert scores["accuracy"] == pytest.approx(0.8)
    assert scores["precision"] == scores["sensitivity"] == scores["f1"] == pytest.approx(0.75)
    assert scores["specificity"] == pytest.approx(5 / 6)
    assert scores["balanced_accuracy"] == pytest.approx((3 / 4 + 5 / 6) / 2)
    assert scores["f1_macro"] == scores["precision_macro"] == pytest.approx((3 / 4 + 5 / 6) / 2)
    assert scores["f1_weighted"] == pytest.approx(0.4 * 3 / 4 + 0.6 * 5 / 6)
    assert scores["prevalence"] == pytest.approx(0.4)


def test_from_confusion_agrees_with_scikit_learn():
    truth = [1] * 7 + [0] * 12
    guess = [1] * 5 + [0] * 2 + [1] * 3 + [0] * 9
    scores = from_confusion(tp=5, fp=3, tn=9, fn=2)
    assert scores["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(truth, guess))
    for average in ("macro", "weighted"):
        assert scores[f"f1_{average}"] == pytest.approx(metrics.f1_score(truth, guess, average=average))
        expected = metrics.precision_score(truth, guess, average=average)
        assert scores[f"precision_{average}"] == pytest.approx(expected)


def test_from_confusion_without_a_case_is_nan_and_nonsense_is_refused():
    assert math.isnan(from_confusion(tp=0, fp=0, tn=5, fn=1)["precision"])
    with pytest.raises(ValueError, match="fp=-1"):
        from_confusion(tp=1, fp=-1, tn=1, fn=1)
    with pytest.raises(ValueError, match="not all 0"):
        from_confusion(tp=0, fp=0, tn=0, fn=0)


def test_rounding_follows_the_printed_digits():
    assert consistency.decimals("0.8350") == 4
    assert consistency.decimals("50") == 0
    assert rounding("50") == (50.0, 49.5, 50.5)
    assert rounding("0.03") == pytest.approx((0.03, 0.025, 0.035))
    assert rounding(0.5) == (0.5, 0.5, 0.5)
    with pytest.raises(ValueError, match="n/a"):
        rounding("n/a")


def test_worst_case_takes_the_corners():
    assert worst_case(lambda a, b: a - b, "3", "1.0") == pytest.approx((2.0, 1.45, 2.55))
    assert worst_case(lambda a: a, "0.0").low == 0
    assert worst_case(lambda a: 2 * a, Range(1, 0.5, 2)) == (2, 1, 4)


def test_agrees_overlap_of_intervals():
    assert agrees("0.85", 0.8451)
    assert agrees("0.85", 0.855)
    assert not agrees("0.85", 0.8562)
    assert agrees("0.85", Range(0.83, 0.82, 0.846))
    assert not agrees("0.85", Range(0.83, 0.82, 0.844))
    assert agrees(0.8, 0.84, digits=1)
    assert not agrees(0.80, 0.84, digits=2)
    with pytest.raises(ValueError, match="pass digits"):
        agrees(0.85, 0.85)


@pytest.mark.parametrize("prevalence", [0.05, 0.284, 0.5, 0.9])
def test_implied_prevalence_inverts_the_scores(prevalence):
    scores = consistency.at_prevalence(0.8, 0.9, prevalence)
    assert scores["prevalence"] == pytest.approx(prevalence)
    three = scores["precision"], scores["f1"]
    assert implied_prevalence(*three, scores["accuracy"]) == pytest.approx(prevalence)
    assert implied_prevalence(*three, scores["balanced_accuracy"], "balanced") == pytest.approx(prevalence)


def test_implied_prevalence_of_impossible_scores():
    # Precision and recall 0.5 with a balanced accuracy of 0.95 would need a specificity above 1.
    assert not 0 <= implied_prevalence(0.5, 0.5, 0.95, "balanced") <= 1
    with pytest.raises(ValueError, match="F1 < 2"):
        implied_prevalence(0.3, 0.7, 0.8)
    with pytest.raises(ValueError, match='use "accuracy" or "balanced"'):
        implied_prevalence(0.5, 0.5, 0.5, "macro")


def test_recall_from_f1():
    assert consistency.recall_from_f1(precision=0.5, f1=2 / 3) == pytest.approx(1.0)


def test_unknown_paper_says_which_exist():
    with pytest.raises(LookupError, match="papers with checks: .*idc_transfer"):
        consistency.check_paper("nothing")


@pytest.fixture(scope="module")
def report():
    return consistency.check_paper("idc_transfer")


@pytest.mark.parametrize("paper", reported.papers())
def test_report_has_the_promised_form(paper):
    report = consistency.check_paper(paper)
    assert list(report.columns) == ["check", "place", "reported", "recomputed", "agrees", "remark"]
    assert report["agrees"].dtype == bool
    assert not report.duplicated(["check", "place"]).any()
    assert (report[["check", "place", "reported", "recomputed"]] != "").all(axis=None)
    # Wherever numbers disagree the reader is told what that may mean, but for rows that speak alone.
    silent = report[~report["agrees"] & (report["remark"] == "")]
    assert set(silent["place"]) <= ({"Table 5 from Table 2"} if paper == "idc_transfer" else set())


@pytest.mark.parametrize(
    ("check", "place", "found"),
    [
        ("patches of both classes", "", "277524"),
        ("benign patches per malignant patch", "", "2.5225"),
        ("women and slides of the original paper", "", "162"),
        ("the four shares add up to 100 %, fine_tuning", "", "100.53"),
        ("precision of the positive class, baseline", "", "0.8626"),
        ("f1 of the positive class, baseline", "", "0.83376"),
        ("accuracy, fine_tuning", "", "0.515"),
        ("TP, FP, TN, FN of fine_tuning", "", "1.8, 0.03, 50, 48.7"),
        ("gain in f1 of accept-reject pooling over AlexNet", "", "11.506"),
        ("gain in f1 over the best handcrafted features, from the text's digits", "", "20.8955"),
        (
            "the quoted rows imply one share of malignant patches if Accuracy means balanced accuracy",
            "",
            "0.2086",
        ),
    ],
)
def test_known_agreements(report, check, place, found):
    row = find(report, check, place)
    assert row["agrees"]
    assert found in row["recomputed"]


@pytest.mark.parametrize(
    ("check", "place", "found"),
    [
        ("women and patients of the public archive", "", "279"),
        ("patches that fit on the images", "", "205902"),
        ("share of malignant test patches, baseline", "", "0.2839"),
        ("one test part for all models", "", "no common share"),
        ("malignant test patches that are real", "", "39.6 %"),
        ("accuracy, baseline", "Table 3 from Table 2", "0.8385"),
        ("accuracy, baseline", "Table 5 from Table 2", "0.8385"),
        ("accuracy, baseline", "Table 3 against Table 5", "0.8562"),
        ("f1 of the positive class, fine_tuning", "", "0.0687"),
        ("one average for all of Table 3", "", "none"),
        ("share of malignant patches, baseline", "", "0.502"),
        ("the quoted rows imply one share of malignant patches if Accuracy means accuracy", "", "0.4705"),
        ("name of the score, original paper", "", "84.23"),
        ("baseline above original paper, both by balanced accuracy", "", "0.8387"),
        ("baseline above original paper, both by F1 at the share of the quoted rows", "", "0.70"),
        ("feature extraction above the baseline", "", "0.81, 0.81"),
        ("training time of feature extraction as a part of that of baseline", "", "0.0958"),
        ("training time of feature extraction as a part of that of fine_tuning", "", "0.108"),
        ("gain in accuracy over the best handcrafted features, from the text's digits", "", "3.846"),
        ("figure named for the flat validation curve", "", "Figure 8"),
    ],
)
def test_known_disagreements(report, check, place, found):
    row = find(report, check, place)
    assert not row["agrees"]
    assert found in row["recomputed"]


def test_averages_of_table_3(report):
    remark = {
        method: find(report, f"precision of the positive class, {method}")["remark"]
        for method in ("baseline", "feature_extraction", "fine_tuning")
    }
    assert remark["baseline"] == "Agrees as: positive class."
    assert remark["feature_extraction"] == remark["fine_tuning"]
    assert "mean of both classes" in remark["fine_tuning"]
    assert find(report, "f1 of the positive class, fine_tuning")["remark"] == "No average agrees."


def test_checks_for_readers_keep_every_row_and_say_yes_or_no():
    checks = consistency.check_paper("idc_transfer")
    shown = consistency.for_readers(checks)
    assert len(shown) == len(checks) and set(shown["agrees"]) == {"yes", "no"}
    assert (shown["agrees"] == "yes").sum() == checks["agrees"].sum()
    assert shown["check"].iloc[0].endswith(f"({checks['place'].iloc[0]})")
