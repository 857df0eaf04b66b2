"""Published numbers beside runs: all of them are counted, each counterpart is a number that is printed."""

from pathlib import Path

import pandas as pd
import pytest

from studybook.comparison import field, reproduced
from studybook.published import reported

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def table():
    return reproduced.table(ROOT / "records", None, 5, 0)


@pytest.mark.parametrize("paper", reproduced.PAPERS)
def test_every_counterpart_is_a_printed_number(paper):
    printed = reproduced.numbers(paper)
    assert printed.index.is_unique and set(reproduced.counterparts(paper)) <= set(printed.index)
    assert [reported.value(paper, one) for one in printed.index] == printed["printed"].tolist()


def test_all_papers_are_there():
    assert sorted(reproduced.PAPERS) == reported.papers()


def test_an_unknown_reference_is_named(monkeypatch):
    rules = {"idc_transfer": [{"values": {"3/baseline/f2": ["baseline", "f1"]}}]}
    monkeypatch.setattr(reproduced, "_rules", lambda: rules)
    with pytest.raises(LookupError, match="idc_transfer: prints no number 3/baseline/f2"):
        reproduced.counterparts("idc_transfer")


def test_numbers_with_and_without_a_counterpart_are_all_numbers(table):
    left = reproduced.without(table)
    beside_runs = table[table["kind"] == reproduced.NUMBER].groupby("paper")["reference"].nunique().sum()
    counts = reproduced.counts(table).loc["all"]
    assert (
        counts["numbers printed"]
        == len(left) + beside_runs
        == sum(map(len, map(reproduced.numbers, reproduced.PAPERS)))
    )
    assert set(table["run"].str.contains(r"\((?:real|drawn twin)\)$")) == {True}


def test_a_row_says_by_how_much_and_which_way(table):
    row = table[table["reference"] == "3/baseline/f1"].iloc[0]
    value = float(row["this run"].split()[0])
    assert row["published"] == "0.83" and float(row["less published"]) == pytest.approx(value - 0.83, abs=0.011)
    assert row["verdict"] in (reproduced.INSIDE, reproduced.ABOVE, reproduced.BELOW)


def test_the_authors_own_answers_give_what_they_printed(table):
    own = table[table["run"].str.startswith(reproduced.AUTHORS) & (table["kind"] == reproduced.NUMBER)]
    sensitivity = own[own["reference"] == "figure 4a/0.33/sensitivity"].iloc[0]
    assert sensitivity["less published"] == "+0.00" and sensitivity["verdict"] == reproduced.INSIDE


def test_sentences_count_all_rows(table):
    said = reproduced.sentences(table).data
    assert said.startswith("- On real images: of") and "drawn twins" not in said
    assert reproduced.sentences(pd.DataFrame(columns=table.columns, dtype=str)).data == "No run is kept here."


def test_facts_from_outside_have_a_source_and_a_date():
    facts = field.facts()
    assert facts["url"].startswith("https://github.com/kaiko-ai/eva/blob/") and facts["date"] == "2025-09-29"
    assert len(field.table()) == 15 and len(field.differs()) > 3
