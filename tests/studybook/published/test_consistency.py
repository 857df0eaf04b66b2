"""Recomputed scores by hand-worked cases, and comparisons that are data."""

import math

import pytest
from sklearn import metrics

from studybook.published import consistency, report, reported, schema
from studybook.published.arithmetic import at_prevalence, from_confusion, implied_prevalence, recall_from_f1
from studybook.published.intervals import Range, agrees, decimals, rounding, worst_case


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
    assert decimals("0.8350") == 4
    assert decimals("50") == 0
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


@pytest.mark.parametrize("prevalence", [0.05, 0.284, 0.5, 0.9])
def test_implied_prevalence_inverts_the_scores(prevalence):
    scores = at_prevalence(0.8, 0.9, prevalence)
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
    assert recall_from_f1(precision=0.5, f1=2 / 3) == pytest.approx(1.0)


def test_unknown_paper_says_which_exist():
    with pytest.raises(LookupError, match="idc_transfer"):
        consistency.report("nothing")


def one(paper):
    yield report.row("one", "a check", "Table 1", "5", "6", False, "Why.", otherwise=report.NOT_STATED)


def test_two_checks_of_one_id_are_refused():
    with pytest.raises(ValueError, match="id one"):
        consistency.report("idc_transfer", [one, one])


def test_what_readers_see_is_every_row_once_and_every_verdict_counted():
    checked = consistency.report("idc_transfer", [one])
    parts = [consistency.for_readers(checked, agree).data.splitlines() for agree in (True, False)]
    assert sum(map(len, parts)) == len(checked) and parts[1][-1].startswith("- **a check** (Table 1): reported ")
    assert all(line.startswith("- **") for part in parts for line in part)
    total, *numbers = (int(line.split()[0]) for line in consistency.counts(checked).splitlines())
    assert total == sum(numbers) == len(checked) and len(numbers) == len(schema.VERDICTS)


@pytest.fixture
def content() -> dict:
    """Return a small file of a paper with a fact from outside."""
    columns = [{"name": "method", "unit": "text"}, {"name": "f1", "unit": "1"}, {"name": "time", "unit": "min"}]
    table = {"caption": "t", "columns": columns, "rows": [["first", "0.50", "20"], ["second", "0.7", "10"]]}
    claims = [["all", "12", "cases"], ["some", "5", "cases"], ["others", "7", "cases"], ["share", "71", "%"]]
    return {
        "paper": {"key": "K2000", "title": "T", "authors": ["A"], "journal": "J", "year": "2000"},
        "tables": {"1": table},
        "figures": {},
        "claims": [[*claim, "Abstract", "meaning"] for claim in claims] + [["name", "Adam", "text", "Methods", "m"]],
        "outside": [["known", "13", "cases", "an archive", "meaning"]],
    }


def compared(content, monkeypatch, **entry):
    content["checks"] = [{"id": "one", "check": "a check"} | entry]
    schema.validate(content, "p.yaml")
    monkeypatch.setattr(reported, "_load", lambda name: content)
    return consistency.report("p").iloc[0]


@pytest.mark.parametrize(
    ("operation", "reported", "others", "found", "verdict"),
    [
        ("sum", "all", ["some", "others"], "12", "agrees"),
        ("sum", "all", ["some", "some"], "10", "contradicts itself"),
        ("same", "all", "known", "13", "differs from an outside fact"),
        ("same", ["all", "name"], ["all", "name"], "12, Adam", "agrees"),
        ("same", "all", ["all", "some"], "12, 5", "contradicts itself"),
        ("difference", "some", ["all", "others"], "5", "agrees"),
        ("product", "all", ["some", "others"], "35", "contradicts itself"),
        ("ratio", "1/first/f1", ["1/second/time", "1/first/time"], "0.50000 (0.46341 to 0.53846)", "agrees"),
        ("rounded", "1/second/f1", "1/first/f1", "0.5000 (0.4950 to 0.5050)", "contradicts itself"),
        ("percent", "share", "1/second/f1", "70.000 (65.000 to 75.000)", "agrees"),
        ("percent_gain", "share", ["all", "others"], "71.429", "agrees"),
        ("mean", "some", ["some", "others"], "6", "contradicts itself"),
        ("at_most", "all", ["some", "others"], "at most 35", "agrees"),
        ("at_least", "some", "others", "at least 7", "contradicts itself"),
    ],
)
def test_operations_by_hand(content, monkeypatch, operation, reported, others, found, verdict):
    row = compared(content, monkeypatch, reported=reported, **{operation: others})
    assert (row["recomputed"], row["verdict"]) == (found, verdict)


def test_an_entry_may_take_numbers_as_exact_name_its_verdict_and_quote_values(content, monkeypatch):
    row = compared(
        content, monkeypatch, reported="share", percent="1/second/f1", exact="true", otherwise="not stated",
        remark="Of {all} and {1/first/time}.",
    )  # fmt: skip
    assert row[["recomputed", "verdict", "remark"]].tolist() == ["70", "not stated", "Of 12 and 20."]
    assert row["place"] == "Abstract; Table 1"


@pytest.mark.parametrize(
    ("breaking", "message"),
    [
        ({"same": "nowhere"}, "p.yaml, checks, one: no claim, .* 'nowhere'"),
        ({"same": "1/third/f1"}, "checks, one: cell '1/third/f1': 0 rows"),
        ({"sum": ["some", "name"]}, "checks, one, name: 'Adam' is not a number"),
        ({}, r"checks, one: operations \[\]"),
        ({"same": "some", "sum": ["some"]}, "checks, one: operations .*same.*sum"),
        ({"ratio": ["some"]}, "checks, one: ratio of 1 values"),
        ({"rounded": ["some", "others"]}, "checks, one: rounded of 2 values for 1"),
        ({"same": "some", "otherwise": "agrees"}, "checks, one: otherwise 'agrees'"),
        ({"same": "some", "why": "so"}, r"checks, one: missing \[\], unknown \['why'\]"),
        ({"same": "some", "check": ""}, r"checks, one: missing \['check'\]"),
        ({"same": "some", "id": "One!"}, "checks, One!: the id"),
        ({"same": "some", "remark": "{nowhere}"}, "checks, one: no claim, .* 'nowhere'"),
    ],
)
def test_malformed_entries_are_refused_by_name(content, monkeypatch, breaking, message):
    with pytest.raises(ValueError, match=message):
        compared(content, monkeypatch, **({"reported": "all"} | breaking))


def test_malformed_remarks_are_refused_by_name(content):
    remark = {"id": "one", "place": "Abstract", "text": "Said."}
    for remarks, message in (
        ([remark, remark], "p.yaml, remarks: id one stands twice"),
        ([remark | {"text": "{nowhere}"}], "remarks, one: no claim"),
        ([{"id": "one", "text": "Said."}], r"remarks, one: missing \['place'\]"),
    ):
        with pytest.raises(ValueError, match=message):
            schema.validate(content | {"remarks": remarks}, "p.yaml")
