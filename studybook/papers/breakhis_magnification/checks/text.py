"""What the running text says of the framework."""

from __future__ import annotations

from studybook.published.report import Paper, Row


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the running text."""
    named, called = paper.text("classifier_name"), paper.text("pftas_low")
    initials = "".join(word[0] for word in named.split())
    return [
        Row(
            "name of the second classifier",
            f"{paper.place('classifier_name')}; {paper.place('pftas_low')}",
            named,
            called,
            initials == called,
            "Quadratic discriminant analysis is meant.",
        ),
        Row(
            "training time",
            paper.place("faster"),
            paper.text("faster"),
            "no time is given",
            False,
            "One training replaces four, but on four times as many images: an epoch over all is as long as an epoch of "
            "each of the four together. Hand-crafted features are not timed either.",
        ),
    ]
