"""The published numbers of the mammography paper, as the paper prints them."""

import pytest

from studybook.published import reported

PAPER = "mammography_finetuning"


def test_table_2_has_every_network_of_table_1_on_every_data_set():
    table = reported.table(PAPER, 2)
    pairs = table.groupby("dataset")["method"].agg(set)
    assert len(table) == 3 * len(pairs) and all(pairs == set(reported.table(PAPER, 1)["method"]))
    images = table.groupby("dataset")["images"].unique().map(list).to_dict()
    parts = {dataset: [int(reported.value(PAPER, f"{dataset.lower()}_images"))] for dataset in images}
    assert images == parts
    # Added up from the paper by column.
    assert table[["accuracy", "std", "time"]].sum().round(2).tolist() == [1160.76, 10.79, 1127.0]


def test_a_dash_is_no_number():
    table, printed = reported.table(PAPER, 3), reported.printed(PAPER, 3)
    for score in ("accuracy", "auc"):
        assert table[score].dtype == "float64"
        assert (table[score].isna() == (printed[score] == "-")).all() and table[score].isna().any()
    assert table.loc[table["method"] == "ours", ["accuracy", "auc"]].notna().all(axis=None)


@pytest.mark.parametrize("number", range(1, 10))
def test_figures_have_no_numbers_and_say_why(number):
    with pytest.raises(LookupError, match=f"figure {number} of {PAPER}"):
        reported.figure(PAPER, number)


def test_settings_and_claims_stand_with_their_place():
    places = reported.settings(PAPER)["place"]
    assert places.str.match(r"Section [23](\.\d)*(, [\w -]+)?$").all()
    places = reported.claims(PAPER)["place"]
    assert places.str.match(r"(Abstract|Fig\. \d|Section [2-5](\.\d)*(, [\w -]+)?)$").all()


def test_the_papers_key_is_in_the_bibliography(root):
    assert f"{{{reported.paper(PAPER)['key']}," in (root / "book/references.bib").read_text("utf8")
