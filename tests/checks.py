"""What tests ask of the report on a paper's printed numbers."""

import importlib

from studybook.published import consistency


def report(paper):
    """Return the report of a paper with all of its checks, by id."""
    checks = importlib.import_module(f"studybook.papers.{paper}.checks")
    return consistency.report(paper, checks.CHECKS).set_index("id")


def by_verdict(report):
    """Return the ids of the checks that do not agree, by verdict."""
    others = report[report["verdict"] != "agrees"]
    return {verdict: set(rows.index) for verdict, rows in others.groupby("verdict")}
