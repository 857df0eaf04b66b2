"""What the printed recognition rates show: of Table I, of both tasks, and beside hand-crafted features."""

from __future__ import annotations

from statistics import fmean

from studybook.papers.breakhis_magnification.checks.data import MAGNIFICATIONS, images_at, per_fold, test_patients
from studybook.published import reported
from studybook.published.intervals import Range, worst_case
from studybook.published.report import Paper, Row


def gains(paper: Paper) -> dict[str, Range]:
    """Return by how many points one network for all magnifications is better in Table I, by magnification."""
    rows = reported.printed(paper.name, 1).itertuples()
    return {row.magnification: worst_case(lambda a, b: a - b, row.independent, row.specific) for row in rows}


def one_patient(paper: Paper) -> float:
    """Return how many points a single test patient weighs in a recognition rate."""
    return 100 / test_patients(paper)[0]


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the recognition rates."""
    return [*_table_1(paper), *_tasks(paper), *_trivial(paper), *_features(paper)]


def _table_1(paper: Paper) -> list[Row]:
    place, found = f"{paper.place('slightly_increased')}; Table I", gains(paper)
    rows = [
        Row(
            f"change at {magnification}x when all magnifications are mixed",
            place,
            paper.text("slightly_increased"),
            f"{gain.value:+.2f}",
            gain.low > 0,
            "" if gain.low > 0 else "It is slightly lower here.",
        )
        for magnification, gain in found.items()
    ]
    mean, weight = fmean(gain.value for gain in found.values()), one_patient(paper)
    largest = max(gain.value for gain in found.values())
    return [
        *rows,
        Row(
            "gain above the weight of one patient",
            f"{paper.place('abstract_improved')}; Table I",
            paper.text("abstract_improved"),
            f"{mean:+.2f} on average, {largest:+.2f} at most; one patient is {weight:.2f}",
            mean > weight,
            f"The first fold has {test_patients(paper)[0]} test patients. If the images of one are called right and "
            "not wrong, the rate moves by more than the largest gain. One fold, one training: no claim can rest on it.",
        ),
        Row(
            "reason for the gain",
            place,
            paper.text("gain_by_augmentation"),
            "not said for which networks",
            False,
            "If both kinds of network were trained on turned and flipped images, these explain no difference; if only "
            "one kind was, the comparison is not about magnification.",
        ),
        Row(
            "name of the score",
            f"{paper.place('table_1_score')}; {paper.place('score_name')}",
            paper.text("table_1_score"),
            paper.text("score_name"),
            paper.text("table_1_score") == paper.text("score_name"),
            "By Eq. 4 a patient score belongs to one patient. The table has its mean over patients.",
        ),
    ]


def _tasks(paper: Paper) -> list[Row]:
    single, multi = (paper.text(f"{task}_task_mean") for task in ("single", "multi"))
    change = worst_case(lambda a, b: a - b, multi, single)
    return [
        Row(
            "malignancy with a second task beside it",
            f"{paper.place('not_degraded')}; {paper.place('multi_task_mean')}",
            paper.text("not_degraded"),
            f"{multi} against {single}: {change.value:+.2f}",
            change.high >= 0,
            f"Section III says {paper.text('degraded_little')}. The difference is small against the weight of one "
            f"patient in a fold, {one_patient(paper):.2f}; no interval is given for either side.",
        )
    ]


def _trivial(paper: Paper) -> list[Row]:
    malignant, patients = sum(per_fold(paper, "test_malignant_patients")), sum(test_patients(paper))
    frequent = max(images_at(paper, magnification) for magnification in MAGNIFICATIONS)
    share = 100 * frequent / float(paper.text("images"))
    always = 100 * malignant / patients
    return [
        Row(
            "recognition rate above that of calling everything malignant",
            f"{paper.place('multi_task_mean')}; fold files",
            ", ".join(paper.text(id) for id in ("single_task_mean", "multi_task_mean")),
            f"{always:.1f}",
            float(paper.text("multi_task_mean")) > always,
            "The results are to be read from there and not from 50 %. Sensitivity and specificity are not reported.",
        ),
        Row(
            "magnification found more often than by always naming the most frequent one",
            f"{paper.place('magnification_task_mean')}; fold files",
            paper.text("magnification_task_mean"),
            f"about {share:.1f}",
            float(paper.text("magnification_task_mean")) > share,
        ),
    ]


def _features(paper: Paper) -> list[Row]:
    ours, theirs = paper.text("cnn_beside_pftas"), paper.text("pftas_mean")
    change = worst_case(lambda a, b: a - b, ours, theirs)
    chosen = ", ".join(dict.fromkeys(paper.text(f"pftas_{end}") for end in ("low", "high")))
    return [
        Row(
            "average of the single-task network, given twice",
            f"{paper.place('single_task_mean')}; {paper.place('cnn_beside_pftas')}",
            paper.text("single_task_mean"),
            ours,
            paper.text("single_task_mean") == ours,
        ),
        Row(
            "network beside PFTAS",
            paper.place("pftas_mean"),
            paper.text("pftas_similar"),
            f"{ours} against {theirs}: {change.value:+.2f}",
            abs(change.value) < one_patient(paper),
            f"Similar, but neither side is a plain test result: PFTAS has the best of {paper.text('classifiers')} "
            f"classifiers at each magnification ({chosen}), and the network was tuned on test images.",
        ),
    ]
