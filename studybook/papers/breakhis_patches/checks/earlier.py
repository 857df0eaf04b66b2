"""Numbers of earlier work that the slides quote, against themselves and against their sources."""

from __future__ import annotations

from studybook.published import reported
from studybook.published.folds import right_answers
from studybook.published.report import Paper, Row


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the quoted numbers."""
    return [*_kowal(paper), *_others(paper)]


def _whole(paper: Paper, column: str, total: str) -> tuple[str, str, bool]:
    printed = list(reported.printed(paper.name, "kowal")[column])
    counts = [right_answers(accuracy, int(total)) for accuracy in printed]
    found = ", ".join("/".join(map(str, count)) or "none" for count in counts)
    return ", ".join(printed), f"{found} of {total}", all(counts)


def _kowal(paper: Paper) -> list[Row]:
    place, other = paper.place("kowal_images"), paper.text("kowal_other_images")
    patients = reported.table(paper.name, "kowal")["patients"]
    low, high = (float(paper.text(f"kowal_{end}")) for end in ("lowest", "highest"))
    return [
        Row(
            "accuracies of patients are whole numbers of patients, Kowal et al.",
            place,
            *_whole(paper, "patients", paper.text("kowal_patients")),
        ),
        Row(
            "accuracies of images are whole numbers of images, Kowal et al.",
            place,
            *_whole(paper, "images", paper.text("kowal_images")),
            f"They are of {other}: the accuracies and the number of images do not belong together.",
        ),
        Row(
            f"the same with {other} images",
            place,
            *_whole(paper, "images", other),
            f"{other} is nine images of each patient, and the number of images of a later work of the group.",
        ),
        Row(
            "accuracies of patients against the paper's abstract, Kowal et al.",
            place,
            f"{patients.min():g} to {patients.max():g}",
            f"{low:g} to {high:g}",
            patients.min() == low and patients.max() == high,
        ),
    ]


def _others(paper: Paper) -> list[Row]:
    images, tested = paper.text("george_images"), paper.text("george_paper_images")
    right = right_answers(paper.text("george_accuracy"), int(tested))
    human, first, second = (paper.text(id) for id in ("esteva_human", "esteva_first", "esteva_second"))
    agreement, overall, atypia = (paper.text(id) for id in ("agreement", "concordance", "concordance_atypia"))
    return [
        Row(
            "images of George et al. against the paper's abstract",
            paper.place("george_images"),
            images,
            tested,
            images == tested,
            f"The accuracy of {paper.text('george_accuracy')} % would be {right[0]} of {tested}.",
        ),
        Row(
            "accuracy of humans, Esteva et al.",
            paper.place("esteva_human"),
            human,
            f"{first} and {second}",
            human in (first, second),
            "Two dermatologists, on a part of the images; the slide has the better one. It is about skin.",
        ),
        Row(
            "agreement in diagnosis",
            paper.place("agreement"),
            f"less than {agreement} %",
            f"{overall} %, {atypia} % for atypia",
            float(overall) < float(agreement),
            "No source is named. A well-known study has this number for atypical cases alone, and a much higher "
            "agreement over all.",
        ),
    ]
