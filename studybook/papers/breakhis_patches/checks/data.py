"""Counts of BreaKHis on the slides, on the web page of the data, and in its fold files."""

from __future__ import annotations

from studybook.published import reported
from studybook.published.intervals import rounding
from studybook.published.report import Paper, Row, number

# The other paper on the same data: its file holds the counts of the fold files.
_FOLDS = Paper("breakhis_magnification")


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the data."""
    counts = reported.table(paper.name, "counts").set_index("magnification")["images"]
    place, total = paper.place("images"), float(counts.sum())
    page = sum(float(paper.text(f"page_{label}")) for label in ("benign", "malignant"))
    rows = [
        number(
            "images of the four magnifications together",
            place,
            paper.text("images"),
            rounding(total),
            f"{float(paper.text('images')) - total:.0f} too many. The web page of the data has both the wrong sum and "
            f"the right parts, {paper.text('page_benign')} benign and {paper.text('page_malignant')} malignant images.",
        ),
        number("the same sum by class, from the web page", place, f"{total:.0f}", rounding(page)),
    ]
    rows += [
        number(
            f"images at {magnification}x in the fold files",
            place,
            f"{count}",
            rounding(float(sum(int(_FOLDS.text(f"{label}_{magnification}")) for label in ("benign", "malignant")))),
        )
        for magnification, count in counts.items()
    ]
    patients, slides = paper.text("patients"), _FOLDS.text("slides")
    return [
        *rows,
        Row(
            "patients and slide numbers",
            f"{paper.place('patients')}; fold files",
            patients,
            slides,
            patients == slides,
            f"{_FOLDS.text('shared_slide')} has two tumor types and is counted twice.",
        ),
    ]
