"""What axes and legends tell, since the bars cannot be read."""

from __future__ import annotations

from studybook.published import reported
from studybook.published.report import Paper, Row

# A chart and the study whose variants its legend names.
_STUDIES = {
    "preprocessing": "preprocessing",
    "structures": "structure",
    "cropping": "cropping",
    "aggregation_accuracy": "aggregation",
    "comparison_patients": "comparison",
}


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the charts."""
    charts = reported.table(paper.name, "charts").set_index("chart")
    variants = reported.table(paper.name, "variants")["study"].value_counts()
    rows = [
        Row(
            f"variants named in the text and in the legend, {chart}",
            f"chart {chart}",
            f"{variants[study]}",
            f"{charts.at[chart, 'series']}",
            variants[study] == charts.at[chart, "series"],
        )
        for chart, study in _STUDIES.items()
    ]
    high, least = charts["high"].max(), charts["low"].min()
    compared = charts.loc["comparison_accuracy"]
    difference, span = float(paper.text("largest_difference")), compared["high"] - compared["low"]
    batch = [chart for chart in charts.index if "batch" in charts.at[chart, "score"]]
    return [
        *rows,
        Row(
            "highest end of an axis that shows a share",
            f"chart {charts['high'].idxmax()}",
            f"{high} %",
            "100 %",
            high <= 100,
            "Nothing can stand above 100 %.",
        ),
        Row(
            "axes begin at zero",
            "all charts",
            f"{least} to {charts['low'].max()} %",
            "0 %",
            (charts["low"] == 0).all(),
            f"Cut axes make differences look large: {difference:g} points take up {100 * difference / span:.0f} % of "
            "the height where accuracies are compared. No chart is said to show a spread.",
        ),
        Row(
            "unit that is scored below the image",
            f"charts {', '.join(batch)}",
            "batch",
            "patch",
            not batch,
            "A batch is what a network sees in one step; a patch is meant.",
        ),
        Row(
            "title of the chart about cropping",
            paper.place("cropping_chart_title"),
            paper.text("cropping_chart_title"),
            "cropping",
            False,
            "The title of an earlier chart was kept.",
        ),
        Row(
            "scores from which the model is compared",
            paper.place("better_than_others"),
            paper.text("better_than_others"),
            f"{sum(charts.index.str.startswith('comparison'))} charts without values",
            False,
            "Nothing says whether the five were tested on the same images, nor which combination the best model is.",
        ),
    ]
