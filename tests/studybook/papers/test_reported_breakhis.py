"""The published numbers of the two works on BreaKHis: what stands in their text, and what is left out."""

import re
from pathlib import Path

import pandas as pd
import pytest

from histolib.datasets import breakhis
from studybook.published import reported

MAGNIFICATION, PATCHES = "breakhis_magnification", "breakhis_patches"
BIBLIOGRAPHY = Path(__file__).parents[3] / "book/references.bib"


def numbers(id: str) -> list[int]:
    return [int(count) for count in reported.value(MAGNIFICATION, id).split(", ")]


@pytest.mark.parametrize("paper", [MAGNIFICATION, PATCHES])
def test_the_bibliography_has_the_paper_and_its_sources(paper):
    text = BIBLIOGRAPHY.read_text("utf8")
    assert f"{{{reported.paper(paper)['key']}," in text
    for name, year in reported.outside(paper)["source"].str.extract(r"(\w+) et al\. (\d{4})").dropna().to_numpy():
        assert re.search(rf"@\w+{{{name}{year},", text), f"{name} {year}"


def test_citations():
    paper = reported.paper(MAGNIFICATION)
    assert paper["year"] == 2016 and len(paper["authors"]) == 3 and paper["doi"] == "10.1109/ICPR.2016.7900002"
    slides = reported.paper(PATCHES)
    assert slides["year"] is None and slides["authors"] == ["not named"]


def test_table_1_is_complete():
    table = reported.table(MAGNIFICATION, 1).set_index("magnification")
    assert table["specific"].to_dict() == {40: 79.40, 100: 78.69, 200: 83.72, 400: 80.83}
    assert table["independent"].to_dict() == {40: 80.97, 100: 80.92, 200: 83.42, 400: 83.02}
    assert reported.printed(MAGNIFICATION, 1).at[0, "specific"] == "79.40"


@pytest.mark.parametrize("number", [2, 3, 4])
def test_lost_tables_say_why_they_are_not_here(number):
    with pytest.raises(LookupError, match=rf"table {number} of .*cells are missing.*tables with numbers: 1, averages"):
        reported.table(MAGNIFICATION, number)


def test_averages_are_those_of_the_claims():
    table = reported.printed(MAGNIFICATION, "averages").set_index(["method", "task"])["recognition_rate"]
    claimed = [
        reported.value(MAGNIFICATION, f"{id}_mean") for id in ("single_task", "multi_task", "magnification_task")
    ]
    assert table.tolist() == [*claimed, reported.value(MAGNIFICATION, "pftas_mean")]
    assert table.tolist() == ["83.25", "82.13", "80.10", "83.33"]


def test_settings_of_the_network():
    setting = reported.settings(MAGNIFICATION).set_index("id")
    expected = {
        "filters_1": 96, "kernel_1": 7, "filters_2": 256, "kernel_2": 5, "filters_3": 384, "kernel_3": 3, "pooling": 3,
        "pooling_stride": 2, "dense_layers": 2, "dense_units": 512, "dropout": 0.5, "malignancy_weight": 0.5,
        "magnification_weight": 0.5, "crop_size": 460, "input_size": 100, "momentum": 0.9, "batch_size": 100,
    }  # fmt: skip
    assert setting["value"].reindex(expected).to_dict() == expected
    assert (setting.loc[["strides", "padding", "learning_rate", "iterations"], "printed"] == "not given").all()


@pytest.fixture(scope="module")
def folds() -> pd.DataFrame:
    table = breakhis.official_folds()
    names = table["image_id"].str.extract(r"SOB_([BM])_[A-Z]+-(\d+-\d+)([A-Z]*)-(\d+)-\d+")
    return table.assign(letter=names[0], number=names[1], slide=names[1] + names[2], magnification=names[3].astype(int))


def test_counts_are_those_of_the_fold_files(folds):
    assert len(folds) == int(reported.value(MAGNIFICATION, "images"))
    counts = folds.groupby(["letter", "magnification"]).size()
    for letter, label in (("B", "benign"), ("M", "malignant")):
        assert counts[letter].sum() == int(reported.value(MAGNIFICATION, f"{label}_images"))
        for magnification in (40, 100, 200, 400):
            printed = reported.value(MAGNIFICATION, f"{label}_{magnification}")
            assert counts[letter, magnification] == int(printed)
    slides = reported.table(PATCHES, "counts").set_index("magnification")["images"]
    assert slides.to_dict() == folds["magnification"].value_counts().to_dict()


def test_patients_and_slides_are_those_of_the_fold_files(folds):
    unique = folds[["patient", "slide", "number"]].nunique()
    ids = ["slides_by_type", "slides", "slides_without_letters"]
    assert unique.tolist() == [int(reported.value(MAGNIFICATION, id)) for id in ids]
    types = folds.groupby("slide")["patient"].nunique()
    assert types[types > 1].index.tolist() == [reported.value(MAGNIFICATION, "shared_slide")]


def test_splits_are_those_of_the_fold_files(folds):
    found, tested = {}, set()
    for k in range(1, 6):
        test = folds[folds[f"fold_{k}"] == "test"]
        train = folds[folds[f"fold_{k}"] == "train"]
        tested |= set(test["patient"])
        patients = test.drop_duplicates("patient")["letter"].value_counts()
        same = test[test["number"].isin(train["number"])]
        row = {
            "train_images": len(train), "test_images": len(test),
            "test_images_40": (test["magnification"] == 40).sum(), "test_benign_patients": patients["B"],
            "test_malignant_patients": patients["M"], "same_number": same["number"].nunique(),
            "same_number_patients": same["patient"].nunique(), "same_number_images": len(same),
        }  # fmt: skip
        for id, count in row.items():
            found.setdefault(id, []).append(count)
        # Each test patient has images at 40x, by which the paper chose its settings.
        assert set(test.loc[test["magnification"] == 40, "patient"]) == set(test["patient"])
        shared = reported.value(MAGNIFICATION, "shared_slide") in set(test["slide"]) & set(train["slide"])
        assert shared == (k in numbers("shared_slide_folds"))
    assert {id: numbers(id) for id in found} == found
    assert len(tested) == int(reported.value(MAGNIFICATION, "ever_tested"))


def test_no_bar_is_entered_for_the_slides():
    charts = reported.table(PATCHES, "charts")
    assert len(charts) == 10 and (charts["low"] < charts["high"]).all()
    assert ((charts["high"] - charts["low"]) % charts["step"] == 0).all()
    for chart in charts["chart"]:
        with pytest.raises(LookupError, match="has no numbers here: its bars are an image"):
            reported.figure(PATCHES, chart)


def test_variants_and_quoted_numbers_of_the_slides():
    studies = reported.table(PATCHES, "variants").groupby("study")["variant"].size().to_dict()
    assert studies == {"preprocessing": 7, "structure": 6, "cropping": 4, "aggregation": 5, "comparison": 5}
    assert reported.table(PATCHES, "kowal").set_index("method").loc["FCM"].tolist() == [96.00, 85.78]
    claims = reported.claims(PATCHES).set_index("id")["value"]
    expected = [3260, 82.6, 72.1, 0.9, 66.0, 9109]
    ids = ["george_images", "george_accuracy", "esteva_accuracy", "esteva_spread", "esteva_human", "images"]
    assert claims[ids].tolist() == expected
