"""studybook.comparison.glance: one claim for each paper, and what runs say about it."""

import pandas as pd

from studybook.comparison import glance, reproduced
from studybook.engine import book
from studybook.published.schema import CANNOT_TELL, DOES_NOT_HOLD, HOLDS


def test_every_paper_stands_for_one_claim_and_real_answers_come_first(monkeypatch):
    said = {
        True: pd.Series({"value": 0.2, "low": 0.1, "high": 0.3}),
        False: pd.Series({"value": 0, "low": -1, "high": 1}),
    }

    def runs(kept, ours):
        for drawn in (False, True):
            yield "idc_transfer", "a run", {"data": {"twin": drawn}}, drawn
        yield "breakhis_patches", "a run", {"data": {"twin": True}}, True

    monkeypatch.setattr(reproduced, "runs", runs)
    monkeypatch.setattr(reproduced, "answers", lambda paper, _, rows, *__: {glance.main(paper)["id"]: said[rows]})
    table = glance.table(None, None)
    assert list(table.index) == list(reproduced.PAPERS)
    assert table.at["idc_transfer", "verdict"] == CANNOT_TELL and table.at["idc_transfer", "twins"].startswith("+0.200")
    assert table.at["breakhis_patches", "verdict"] == f"{HOLDS} (twin)"
    assert table.at["mammography_finetuning", "verdict"] == glance.NO_RUN
    # The authors' own answers speak for real images.
    assert table.at["bach_boosting", "verdict"] in (HOLDS, DOES_NOT_HOLD, CANNOT_TELL)
    assert not table.isna().any(axis=None)


def test_the_first_page_shows_it(monkeypatch, tmp_path):
    monkeypatch.setattr(reproduced, "runs", lambda *_: iter(()))
    lines = book.at_a_glance(tmp_path, tmp_path).splitlines()
    assert len(lines) == 2 + len(reproduced.PAPERS) and lines[0].count("|") == 7
    assert "[](../notebooks/idc_transfer.ipynb)" in lines[2]
