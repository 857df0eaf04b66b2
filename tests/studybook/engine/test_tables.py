import numpy as np
import pandas as pd

from studybook.engine import tables


def test_same_content_same_html_with_dashes_and_thousands():
    frame = pd.DataFrame({"n": [277524, 1], "x": [0.12345, np.nan], "text": ["a" * 90, "b"]}, index=["first", "second"])
    html = tables.show(frame).to_html()
    assert html == tables.show(frame.copy()).to_html()
    assert "277,524" in html and "0.123" in html and "–" in html and "a" * 90 in html and "first" in html
    assert "first" not in tables.show(frame, index=False).to_html()
    assert "0.5\xa0[0.4,\xa00.6]" in tables.show(pd.DataFrame({"x": ["0.5 [0.4, 0.6]"]})).to_html()
    assert html != tables.show(frame + frame).to_html()


def test_a_series_becomes_a_column():
    assert "share" in tables.show(pd.Series({"a": 0.5}, name="share")).to_html()
