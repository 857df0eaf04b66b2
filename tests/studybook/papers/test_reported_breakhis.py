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


@pytest.mark.parametrize("number", [2, 3, 4])
def test_lost_tables_say_why_they_are_not_here(number):
    with pytest.raises(LookupError, match="cells are missing.*: 1, averages"):
        reported.table(MAGNIFICATION, number)


def test_averages_are_those_of_the_claims():
    table = reported.printed(MAGNIFICATION, "averages").set_index(["method", "task"])["recognition_rate"]
    claimed = [
        reported.value(MAGNIFICATION, f"{id}_mean") for id in ("single_task", "multi_task", "magnification_task")
    ]
    assert table.tolist() == [*claimed, reported.value(MAGNIFICATION, "pftas_mean")]


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
        with pytest.raises(LookupError, match="its bars are an image"):
            reported.figure(PATCHES, chart)
