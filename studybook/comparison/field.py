"""Where the field is: published linear probes of networks that learned from tissue, facts with their source."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd
import yaml


@cache
def facts() -> dict:
    """The content of ``field.yaml``: ``source, url, date, score, protocol, rows, differs``; numbers as printed."""
    return yaml.load(Path(__file__).with_name("field.yaml").read_text("utf8"), Loader=yaml.BaseLoader)


def table() -> pd.DataFrame:
    """Network, and its published balanced accuracies on BACH and on BreaKHis, as printed."""
    return pd.DataFrame(facts()["rows"], columns=["network", "BACH", "BreaKHis"])


def differs() -> pd.DataFrame:
    """Why those numbers can't be compared with the matrix cell by cell."""
    return pd.DataFrame(facts()["differs"], columns=["what", "there", "here"])
