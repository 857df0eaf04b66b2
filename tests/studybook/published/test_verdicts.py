"""What a run says about a claim follows from the interval alone."""

import pandas as pd
import pytest
import yaml

from studybook.published import reported, schema, verdicts

CLAIM = """
paper: {key: A, title: t, authors: [x], journal: j, year: 2020}
tables:
  1: {caption: c, columns: [{name: method, unit: text}, {name: auc, unit: "1"}], rows: [[one, 0.90], [two, 0.95]]}
figures: {}
verdicts:
  - {id: better, claim: Two beats one, reported: [1/two/auc, 1/one/auc], compared: "AUC, two less one", expected: above,
     holds: Two is better., fails: One is better., open: These patients can't tell.}
  - {id: equal, claim: Both are alike, compared: "AUC, two less one", expected: level, margin: 0.05,
     holds: Alike., fails: Not alike., open: Open.}
"""


def content() -> dict:
    return yaml.load(CLAIM, Loader=yaml.BaseLoader)


@pytest.fixture
def paper(monkeypatch):
    schema.validate(content(), "a.yaml")
    monkeypatch.setattr(reported, "_load", lambda name: content())
    return "a"


def difference(value, low, high) -> pd.Series:
    return pd.Series({"value": value, "low": low, "high": high})


@pytest.mark.parametrize(
    ("expected", "low", "high", "found"),
    [
        ("above", 0.01, 0.2, "holds"),
        ("above", -0.01, 0.2, "cannot tell"),
        ("above", -0.2, -0.01, "does not hold"),
        ("below", -0.2, -0.01, "holds"),
        ("below", 0.01, 0.2, "does not hold"),
        ("level", -0.04, 0.04, "holds"),
        ("level", -0.04, 0.06, "cannot tell"),
        ("level", 0.06, 0.2, "does not hold"),
        ("level", -0.2, -0.06, "does not hold"),
    ],
)
def test_the_rule(expected, low, high, found):
    assert verdicts.verdict(difference(0, low, high), expected, 0.05) == found


def test_claims_stand_beside_every_run_and_the_first_that_answers_chooses_the_sentence(paper):
    runs = {"kept": {"better": difference(0.1, 0.05, 0.2)}, "this run": {"better": difference(-0.1, -0.2, 0.1),
            "equal": difference(float("nan"), float("nan"), float("nan"))}}  # fmt: skip
    table = verdicts.table(paper, runs, digits=2)
    assert table.loc["Two beats one"].tolist() == [
        "0.95; 0.90", "AUC, two less one", "+0.10 [+0.05, +0.20]: holds", "-0.10 [-0.20, +0.10]: cannot tell",
    ]  # fmt: skip
    assert table.loc["Both are alike"].tolist() == ["in words", "AUC, two less one", verdicts.NOT_RUN, verdicts.NOT_RUN]
    assert verdicts.sentences(paper, runs, 2).data == "- Two is better. (kept: +0.10 [+0.05, +0.20])"
    assert "No run" in verdicts.sentences(paper, {"this run": {}}).data
    assert verdicts.sentences(paper, runs, 2, only=["better"]).data == verdicts.sentences(paper, runs, 2).data
    assert "No run" in verdicts.sentences(paper, runs, 2, only=["equal"]).data
    with pytest.raises(LookupError, match="a: no claim worse"):
        verdicts.sentences(paper, runs, only=["worse"])


def test_an_answer_to_no_claim_is_refused(paper):
    with pytest.raises(LookupError, match="a: no claim bettter"):
        verdicts.table(paper, {"this run": {"bettter": difference(0, 0, 0)}})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"expected": "higher"}, "better: expected 'higher'; needed: above, below or level"),
        ({"margin": "0.1"}, "better: a margin belongs to a claim that expects level"),
        ({"expected": "level", "margin": "-1"}, "better: margin -1; needed: a number above 0"),
        ({"reported": ["1/three/auc"]}, "better: cell '1/three/auc': 0 rows"),
        ({"open": ""}, r"better: missing \['open'\]"),
    ],
)
def test_malformed_claims_are_refused_by_name(changed, message):
    wrong = content()
    wrong["verdicts"][0] |= changed
    with pytest.raises(ValueError, match=message):
        schema.validate(wrong, "a.yaml")
