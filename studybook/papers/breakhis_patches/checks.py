"""Checks of the slides that need arithmetic of their own: fold files, axes and legends, whole images."""

from __future__ import annotations

from collections.abc import Iterator

from histolib.datasets import breakhis
from studybook.published import reported
from studybook.published.report import OUTSIDE, Paper, Row, number, row, whole

# A chart and the study whose variants its legend names.
_STUDIES = {
    "preprocessing": "preprocessing",
    "structures": "structure",
    "cropping": "cropping",
    "aggregation_accuracy": "aggregation",
    "comparison_patients": "comparison",
}


def counts(paper: Paper) -> Iterator[Row]:
    """Counts of BreaKHis on the slides, on the web page of the data, and in its fold files."""
    printed = reported.printed(paper.name, "counts").set_index("magnification")["images"]
    total, page = sum(map(int, printed)), sum(paper.values("page_benign", "page_malignant"))
    check = "the same sum by class, from the web page"
    yield number("images_by_class", check, paper.place("images"), f"{total}", page, otherwise=OUTSIDE)
    table = breakhis.official_folds()
    names = table["image_id"].str.extract(r"-(?P<slide>\d+-\d+[A-Z]*)-(?P<magnification>\d+)-\d+")
    for magnification, images in printed.items():
        found = float((names["magnification"] == magnification).sum())
        check = f"images at {magnification}x in the fold files"
        yield number(f"images_{magnification}", check, paper.place("images"), images, found, otherwise=OUTSIDE)
    patients_of = table["patient"].groupby(names["slide"]).nunique()
    yield row(
        "slides",
        "patients and slide numbers",
        f"{paper.place('patients')}; fold files",
        paper.text("patients"),
        f"{len(patients_of)}",
        float(paper.text("patients")) == len(patients_of),
        f"{', '.join(patients_of.index[patients_of > 1])} has two tumor types and is counted twice.",
        OUTSIDE,
    )


def charts(paper: Paper) -> Iterator[Row]:
    """What axes and legends tell, since the bars cannot be read."""
    charts = reported.table(paper.name, "charts").set_index("chart")
    variants = reported.table(paper.name, "variants")["study"].value_counts()
    for chart, study in _STUDIES.items():
        listed, named = variants[study], charts.at[chart, "series"]
        check = f"variants named in the text and in the legend, {chart}"
        yield row(f"variants_{chart}", check, f"chart {chart}", f"{listed}", f"{named}", listed == named)
    compared, (difference,) = charts.loc["comparison_accuracy"], paper.values("largest_difference")
    yield row(
        "axes_from_zero",
        "axes begin at zero",
        "all charts",
        f"{charts['low'].min()} to {charts['low'].max()} %",
        f"{paper.text('least_share')} %",
        (charts["low"] == float(paper.text("least_share"))).all(),
        f"Cut axes make differences look large: {difference:g} points take up "
        f"{100 * difference / (compared['high'] - compared['low']):.0f} % of the height where accuracies are compared. "
        "No chart is said to show a spread.",
        OUTSIDE,
    )
    batch = [chart for chart in charts.index if "batch" in charts.at[chart, "score"]]
    check, remark = (
        "unit that is scored below the image",
        "A batch is what a network sees in one step; a patch is meant.",
    )
    yield row("unit", check, f"charts {', '.join(batch)}", "batch", "patch", not batch, remark)


def earlier_work(paper: Paper) -> Iterator[Row]:
    """Are the accuracies that are quoted from Kowal et al. whole numbers of patients and of images?"""
    other = paper.text("kowal_other_images")
    for id, column, total, check, remark in (
        (
            "patients",
            "patients",
            "kowal_patients",
            "accuracies of patients are whole numbers of patients, Kowal et al.",
            "",
        ),
        (
            "images",
            "images",
            "kowal_images",
            "accuracies of images are whole numbers of images, Kowal et al.",
            f"They are of {other}: the accuracies and the number of images do not belong together.",
        ),
        (
            "other_images",
            "images",
            "kowal_other_images",
            f"the same with {other} images",
            f"{other} is nine images of each patient, and the number of images of a later work of the group.",
        ),
    ):
        printed = list(reported.printed(paper.name, "kowal")[column])
        yield whole(f"kowal_{id}", check, paper.place("kowal_images"), printed, int(paper.text(total)), remark)


CHECKS = [
    counts,
    charts,
    earlier_work,
]
