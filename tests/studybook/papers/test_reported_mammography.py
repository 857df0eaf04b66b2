"""The published numbers of the mammography paper, as the paper prints them."""

import pandas as pd
import pytest

from studybook.published import reported

PAPER = "mammography_finetuning"


@pytest.mark.parametrize(("number", "shape"), [(1, (3, 5)), (2, (12, 6)), (3, (9, 4))])
def test_tables_are_complete(number, shape):
    assert reported.table(PAPER, number).shape == shape


def test_table_2_has_every_network_on_every_data_set():
    table = reported.table(PAPER, 2)
    assert not table.duplicated(["dataset", "method"]).any()
    assert table.groupby("dataset")["images"].unique().map(list).to_dict() == {
        "BCDR": [600], "DDSM": [5316], "INbreast": [200], "MD": [6116],
    }  # fmt: skip
    assert table["images"].dtype == "int64"
    row = table.set_index(["dataset", "method"]).loc[("MD", "inceptionv3")]
    assert row[["accuracy", "std", "time"]].tolist() == [98.94, 0.22, 64.7]
    assert reported.printed(PAPER, 2).at[6, "accuracy"] == "95.00"


def test_networks_are_named_alike_in_tables_1_and_2():
    assert set(reported.table(PAPER, 1)["method"]) == set(reported.table(PAPER, 2)["method"])


def test_a_dash_is_no_number():
    table = reported.table(PAPER, 3)
    assert table["accuracy"].dtype == table["auc"].dtype == "float64"
    assert table["accuracy"].isna().sum() == 3 and table["auc"].isna().sum() == 2
    assert table.loc[table["method"] == "ours", ["accuracy", "auc"]].notna().all(axis=None)
    assert reported.printed(PAPER, 3).at[0, "auc"] == "-"
    assert reported.printed(PAPER, 3).at[5, "auc"] == "0.99"


@pytest.mark.parametrize("number", range(1, 10))
def test_figures_have_no_numbers_and_say_why(number):
    with pytest.raises(LookupError, match=f"figure {number} of {PAPER} .* has no numbers here: "):
        reported.figure(PAPER, number)


def test_settings_stand_with_their_place():
    settings = reported.settings(PAPER).set_index("id")
    expected = {
        "region_size": 300, "input_size": 224, "width_shift": 0.25, "height_shift": 0.25, "rotation_low": 0,
        "rotation_high": 40, "shear": 0.5, "zoom_low": 0.5, "zoom_high": 1.5, "dropout": 0.5, "l2": 0.1,
        "dense_layers": 5, "epochs_head": 30, "epochs_tuning": 90, "learning_rate_tuning": 1e-4,
        "learning_rate_divisor": 10, "patience": 20, "batch_size": 128, "folds": 5, "blocks_final": 2,
    }  # fmt: skip
    assert settings["value"].reindex(expected).to_dict() == expected
    assert settings.loc[["optimizer_head", "optimizer_tuning"], "printed"].tolist() == ["Adam", "SGD"]
    assert settings["place"].str.match(r"Section [23](\.\d)*(, [\w -]+)?$").all()


def test_claims_and_outside_facts():
    claims = reported.claims(PAPER).set_index("id")
    assert claims.at["mias_images", "value"] == 113 and claims.at["mias_images", "place"] == "Section 3.4"
    assert pd.isna(claims.at["best_model", "value"]) and claims.at["best_model", "printed"] == "inceptionv3"
    assert claims["place"].str.match(r"(Abstract|Section [2-5](\.\d)*(, [\w -]+)?)$").all()
    outside = reported.outside(PAPER).set_index("id")
    assert outside.at["inbreast_mass_images", "source"].startswith("Moreira")


def test_the_papers_key_is_in_the_bibliography(root):
    assert f"{{{reported.paper(PAPER)['key']}," in (root / "book/references.bib").read_text("utf8")
