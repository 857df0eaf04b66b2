"""Does the running text say what the tables say?"""

from __future__ import annotations

from studybook.papers.mammography_finetuning.checks.results import MERGED, NETWORKS, PARTS, cell
from studybook.published import reported
from studybook.published.report import Paper, Row


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the running text."""
    return [*_scores(paper), *_wording(paper)]


def _scores(paper: Paper) -> list[Row]:
    best, own = paper.text("best_model"), reported.printed(paper.name, 3)
    own = own[own["method"] == "ours"].set_index("dataset")
    rows = []
    for dataset in own.index:
        said = [paper.text(f"abstract_{dataset.lower()}_{score}") for score in ("accuracy", "auc")]
        printed = list(own.loc[dataset, ["accuracy", "auc"]])
        rows.append(_same(f"accuracy and AUC on {dataset}", "Abstract; Table 3", said, printed))
    for dataset in PARTS:
        printed = [cell(paper, dataset, best, "accuracy")]
        rows.append(_same(f"accuracy on {dataset}", "Table 3; Table 2", [own.at[dataset, "accuracy"]], printed))
    merged = [cell(paper, MERGED, best, "accuracy")]
    for id in ("abstract_md_accuracy", "discussion_md_accuracy"):
        rows.append(_same("accuracy on the merged data", f"{paper.place(id)}; Table 2", [paper.text(id)], merged))
    said, printed = (
        [paper.text(f"{kind}_{score}") for score in ("accuracy", "auc")] for kind in ("mias", "framework_mias")
    )
    return [*rows, _same("accuracy and AUC on MIAS", f"{paper.place('mias_auc')}; Section 4", said, printed)]


def _same(check: str, place: str, said: list[str], printed: list[str]) -> Row:
    return Row(check, place, ", ".join(said), ", ".join(printed), said == printed)


def _wording(paper: Paper) -> list[Row]:
    tuned = paper.text("tuned_layers")
    counts = [paper.cell(1, network, "last_2") for network in NETWORKS]
    # The captions in the data file say which figure shows what.
    figure, shown = paper.text("all_blocks_figure"), "6"
    watched, waits = paper.text("early_stopping"), paper.text("early_stopping_waits_for")
    return [
        Row(
            "layers that are fine-tuned",
            f"{paper.place('tuned_layers')}; Table 1",
            tuned,
            ", ".join(counts),
            {tuned} == set(counts),
            "Two blocks, not two layers.",
        ),
        Row(
            "what early stopping watches",
            "Section 2.2.4",
            watched,
            waits,
            watched == waits,
            "One sentence names both.",
        ),
        Row(
            "figure named for the accuracy with all layers fine-tuned",
            paper.place("all_blocks_figure"),
            f"Figure {figure}",
            f"Figure {shown}",
            figure == shown,
            "A slip in the reference: the figure named shows the networks.",
        ),
    ]
