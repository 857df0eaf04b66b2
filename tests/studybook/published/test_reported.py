"""The published numbers: what the files hold, and that a malformed file is refused by name."""

import copy

import pandas as pd
import pytest

from studybook.published import reported, schema

PAPER = "idc_transfer"


@pytest.fixture
def content() -> dict:
    """Return a small valid file, to be broken."""
    table = {
        "caption": "a table",
        "columns": [{"name": "method", "unit": "text"}, {"name": "f1", "unit": "1"}],
        "rows": [["first", "0.50"], ["second", "0.7"]],
    }
    paper = {"key": "K2000", "title": "T", "authors": ["A"], "journal": "J", "year": "2000"}
    return {"paper": paper, "tables": {"1": table}, "figures": {}}


def test_every_paper_loads_and_names_its_key():
    assert PAPER in reported.papers()
    for name in reported.papers():
        assert reported.paper(name)["key"].isalnum()


def test_paper_citation():
    paper = reported.paper(PAPER)
    assert paper["year"] == 2020
    assert len(paper["authors"]) == 4
    assert paper["authors"][0] == "Mohammad Abdolahi"


def test_table_holds_floats_units_and_caption():
    table = reported.table(PAPER, 2).set_index("method")
    assert table.loc["fine_tuning"].tolist() == [1.8, 0.03, 50.0, 48.7]
    assert (table.dtypes == "float64").all()
    attrs = reported.table(PAPER, 2).attrs
    assert attrs["units"]["tp"] == "%"
    assert attrs["headings"]["tp"] == "True positive (TP)"
    assert attrs["caption"].startswith("Confusion")
    assert any("48.7500.031.8" in note for note in attrs["notes"])


@pytest.mark.parametrize(("number", "shape"), [(1, (5, 3)), (2, (3, 5)), (3, (3, 7)), (4, (10, 4)), (5, (4, 3))])
def test_tables_are_complete(number, shape):
    assert reported.table(PAPER, number).shape == shape
    assert reported.table(PAPER, str(number)).shape == shape


def test_methods_of_the_paper_itself_are_named_alike_in_all_tables():
    own = set(reported.table(PAPER, 2)["method"])
    assert own == set(reported.table(PAPER, 3)["method"])
    assert "feature_extraction" in set(reported.table(PAPER, 4)["method"])
    assert "baseline" in set(reported.table(PAPER, 5)["method"])


def test_printed_keeps_the_last_zero():
    assert reported.printed(PAPER, 5).set_index("method").at["baseline", "f1"] == "0.8350"


def test_tables_are_fresh_copies():
    table = reported.table(PAPER, 3)
    table.loc[:, "f1"] = 0
    assert reported.table(PAPER, 3)["f1"].max() == 0.83


def test_figure_counts_are_whole_numbers():
    figure = reported.figure(PAPER, 2)
    assert figure["before_oversampling"].dtype == "int64"
    assert figure["before_oversampling"].sum() == 277524


def test_claims_carry_value_unit_and_place():
    claims = reported.claims(PAPER).set_index("id")
    assert claims.at["positive_patches", "value"] == 78786
    assert claims.at["validation_accuracy", "place"].startswith("Results")
    assert claims.loc["features_beat_baseline", ["printed", "unit"]].tolist() == ["better", "text"]
    assert pd.isna(claims.at["features_beat_baseline", "value"])
    assert claims["value"].dtype == "float64"
    assert claims.index.is_unique


def test_settings_and_outside_facts():
    settings = reported.settings(PAPER).set_index("id")
    assert settings.at["baseline_epochs", "value"] == 20
    assert settings.at["features_epochs", "value"] == 50
    assert settings.at["oversampling", "printed"] == "SMOTE"
    assert reported.outside(PAPER).set_index("id").at["archive_patients", "value"] == 279
    assert reported.value(PAPER, "baseline_learning_rate") == "0.001"


def test_unknown_names_say_what_exists():
    with pytest.raises(LookupError, match="known papers: .*idc_transfer"):
        reported.table("nothing", 1)
    with pytest.raises(LookupError, match="tables with numbers: 1, 2, 3, 4, 5"):
        reported.table(PAPER, 9)
    with pytest.raises(LookupError, match="figure 7 .*image; figures with numbers: 2"):
        reported.figure(PAPER, 7)
    with pytest.raises(LookupError, match="no claim, setting or outside fact 'x'"):
        reported.value(PAPER, "x")


def test_valid_content_passes(content):
    schema.validate(content, "p.yaml")


@pytest.mark.parametrize(
    ("breaking", "message"),
    [
        (lambda t: t["columns"][1].update(name="method"), "p.yaml, table 1: column method stands twice"),
        (lambda t: t["columns"][1].pop("unit"), "p.yaml, table 1: column f1 has no unit"),
        (lambda t: t["columns"][1].pop("name"), "p.yaml, table 1: a column has no name"),
        (lambda t: t["rows"][1].pop(), "p.yaml, table 1: row 2 has 1 cells, the table 2 columns"),
        (
            lambda t: t["rows"][0].__setitem__(1, "0,5"),
            "p.yaml, table 1, row 1, column f1: '0,5' is not a number",
        ),
        (lambda t: t.pop("caption"), "p.yaml, table 1: caption missing"),
        (lambda t: t.pop("rows"), "p.yaml, table 1: rows missing"),
    ],
)
def test_malformed_table_is_refused(content, breaking, message):
    broken = copy.deepcopy(content)
    breaking(broken["tables"]["1"])
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        schema.validate(broken, "p.yaml")


def test_malformed_parts_are_refused(content):
    with pytest.raises(ValueError, match="p.yaml, paper: year missing"):
        schema.validate(content | {"paper": {**content["paper"], "year": ""}}, "p.yaml")
    with pytest.raises(ValueError, match="allowed: .*claims"):
        schema.validate(content | {"clams": []}, "p.yaml")
    row = ["a", "1", "%", "Abstract", "meaning"]
    with pytest.raises(ValueError, match="claims: id a stands twice"):
        schema.validate(content | {"claims": [row, row]}, "p.yaml")
    with pytest.raises(ValueError, match="claims, a: 'one' is not a number"):
        schema.validate(content | {"claims": [["a", "one", *row[2:]]]}, "p.yaml")
    with pytest.raises(ValueError, match="has 2 items; needed: id, value"):
        schema.validate(content | {"claims": [["a", "1"]]}, "p.yaml")


def test_a_source_without_a_year_says_so(content):
    schema.validate(content | {"paper": {**content["paper"], "year": "unknown"}}, "p.yaml")
    with pytest.raises(ValueError, match="p.yaml, paper: year '20xx'; needed: a number, or unknown"):
        schema.validate(content | {"paper": {**content["paper"], "year": "20xx"}}, "p.yaml")


def test_a_table_may_be_known_by_its_caption_alone(content):
    content["tables"]["2"] = {"caption": "another", "unreadable": "its cells are missing"}
    schema.validate(content, "p.yaml")
    content["tables"]["2"].pop("unreadable")
    with pytest.raises(ValueError, match="p.yaml, table 2: columns missing"):
        schema.validate(content, "p.yaml")


@pytest.mark.parametrize("paper", reported.papers())
def test_cells_are_found_by_their_references(paper):
    for reference in reported.cells(paper):
        assert float(reported.value(paper, reference)) is not None
    assert reported.cells("idc_transfer")["3/baseline/f1"] == "baseline, CNN, from scratch: f1"
