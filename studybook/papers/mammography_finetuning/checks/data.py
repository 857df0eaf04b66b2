"""Counts of cases and images, which images can show a lesion, and which patients a test meets for the first time."""

from __future__ import annotations

from studybook.published.folds import kept_apart
from studybook.published.report import Paper, Row


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the data."""
    return [*_counts(paper), *_merged(paper), *_lesions(paper), *_patients(paper)]


def _count(paper: Paper, id: str) -> int:
    return int(paper.text(id))


def _equal(paper: Paper, check: str, id: str, count: int, remark: str = "") -> Row:
    return Row(check, paper.place(id), paper.text(id), f"{count}", _count(paper, id) == count, remark)


def _sum(paper: Paper, check: str, total: str, parts: list[str], remark: str = "") -> Row:
    return _equal(paper, check, total, sum(_count(paper, id) for id in parts), remark)


def _counts(paper: Paper) -> list[Row]:
    from_cases = (
        ("DDSM", "ddsm_images", _count(paper, "ddsm_cases") * _count(paper, "ddsm_views")),
        ("BCDR", "bcdr_images", _count(paper, "bcdr_patients") * _count(paper, "views_per_breast")),
        ("INbreast", "inbreast_images", _count(paper, "inbreast_cases") * 2 * _count(paper, "views_per_breast")),
    )
    return [
        _sum(paper, "cases of DDSM, both classes", "ddsm_cases", ["ddsm_benign_cases", "ddsm_malignant_cases"]),
        _sum(paper, "patients of BCDR, both classes", "bcdr_patients", ["bcdr_benign_cases", "bcdr_malignant_cases"]),
        _sum(paper, "images of BCDR, both classes", "bcdr_images", ["bcdr_benign_images", "bcdr_malignant_images"]),
        _sum(
            paper,
            "images of INbreast, both classes",
            "inbreast_images",
            ["inbreast_benign_images", "inbreast_malignant_images"],
        ),
        *(_equal(paper, f"images of {name} if every view of every case is used", id, n) for name, id, n in from_cases),
    ]


def _merged(paper: Paper) -> list[Row]:
    return [
        _sum(paper, "images of the merged data", "md_images", ["ddsm_images", "bcdr_images", "inbreast_images"]),
        _sum(
            paper,
            "cases of the merged data",
            "md_cases",
            ["ddsm_cases", "bcdr_patients", "inbreast_cases"],
            f"The printed sum takes {_count(paper, 'md_cases') - _count(paper, 'ddsm_cases')} for BCDR and INbreast "
            "together: one class of BCDR seems to have been left out.",
        ),
    ]


def _lesions(paper: Paper) -> list[Row]:
    views = _count(paper, "views_per_breast")
    share = _count(paper, "cbis_mass_images") / _count(paper, "cbis_mass_cases")
    archive = _count(paper, "inbreast_mass_images")
    rows = []
    for name, cases, remark in (
        (
            "DDSM",
            "ddsm_cases",
            "A question rather than an error: does every one of the four views of a case show an outlined mass? A mass "
            f"in one breast is seen on its {views} views at most. The curated DDSM, which was published later, has "
            f"outlined masses on {share:.2f} images per patient. What was cropped from the other views is not said.",
        ),
        ("BCDR", "bcdr_patients", ""),
    ):
        used = paper.text(cases.partition("_")[0] + "_images")
        most = _count(paper, cases) * views
        rows.append(
            Row(
                f"regions of {name} if each case has its lesion in one breast",
                f"{paper.place(cases)}; Section 2.2.1",
                used,
                f"at most {most}",
                int(used) <= most,
                remark,
            )
        )
    used = paper.text("inbreast_images")
    rows.append(
        Row(
            "regions of INbreast and the archive's images with a mass",
            f"{paper.place('inbreast_images')}; Section 2.2.1",
            used,
            f"at most {archive}",
            int(used) <= archive,
            "The whole archive has masses on fewer images (a count from outside the paper). Other findings than "
            "masses, several regions of one image or images without an outline must be among the regions.",
        )
    )
    return rows


def _patients(paper: Paper) -> list[Row]:
    folds = _count(paper, "folds")
    rows = []
    for name, cases in (("DDSM", "ddsm_cases"), ("BCDR", "bcdr_patients"), ("INbreast", "inbreast_cases")):
        images = _count(paper, cases.partition("_")[0] + "_images")
        share = kept_apart(images, images // _count(paper, cases), folds)
        rows.append(
            Row(
                f"test images of {name} whose patient the training has not seen, if folds are drawn by image",
                f"Section 3; {paper.place('never_seen')}",
                "all",
                f"{100 * share:.1f} %",
                share == 1,
                "The folds are said to be stratified by class; that a patient's images stay together is not said. "
                "Drawn by image, nearly every test image would have another view of its patient in training."
                if share < 0.1
                else "As above; with two images per patient, most would.",
            )
        )
    return rows
