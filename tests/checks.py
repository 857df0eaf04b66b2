"""What tests ask of the report that `consistency.check_paper` gives."""


def find(report, check, place=""):
    """Return the one row of a check."""
    rows = report[(report["check"] == check) & report["place"].str.contains(place, regex=False)]
    assert len(rows) == 1, f"{check!r} at {place!r}: {len(rows)} rows"
    return rows.iloc[0]
