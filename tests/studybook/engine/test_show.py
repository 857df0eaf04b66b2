import ast

import numpy as np
import pandas as pd
import pytest

from studybook.engine import show
from studybook.papers.breakhis_magnification import study as magnification
from studybook.papers.breakhis_patches import study as patches
from studybook.papers.mammography_finetuning import study as mammography


def test_same_content_same_html_with_dashes_and_thousands():
    frame = pd.DataFrame({"n": [277524, 1], "x": [0.12345, np.nan], "text": ["a" * 90, "b"]}, index=["first", "second"])
    html = show.table(frame).to_html()
    assert html == show.table(frame.copy()).to_html()
    assert "277,524" in html and "0.123" in html and "–" in html and "a" * 90 in html and "first" in html
    assert "first" not in show.table(frame, index=False).to_html()
    assert "0.5\xa0[0.4,\xa00.6]" in show.table(pd.DataFrame({"x": ["0.5 [0.4, 0.6]"]})).to_html()
    assert html != show.table(frame + frame).to_html()


def test_a_series_becomes_a_column():
    assert "share" in show.table(pd.Series({"a": 0.5}, name="share")).to_html()


def undocumented(x):
    # A comment stays.
    return x + 1


def code(function) -> str:
    text = show.source(function).data
    assert text.startswith("```python\n") and text.endswith("\n```")
    return text.removeprefix("```python\n").removesuffix("\n```")


def test_a_function_without_a_docstring_is_shown_as_it_is():
    assert code(undocumented) == "def undocumented(x):\n    # A comment stays.\n    return x + 1"


@pytest.mark.parametrize("study", [magnification, mammography, patches], ids=lambda module: module.__name__)
def test_a_training_is_shown_whole_and_fits_a_page(study):
    lines = code(study.train).splitlines()
    definition = ast.parse("\n".join(lines)).body[0]
    assert ast.get_docstring(definition) is None
    called = {ast.unparse(node.func) for node in ast.walk(definition) if isinstance(node, ast.Call)}
    assert any(name.startswith("keras.optimizers.") for name in called) and "keras.callbacks.EarlyStopping" in called
    assert all(part in "\n".join(lines) for part in ("training.fit", "categorical_crossentropy", "epochs"))
    assert max(map(len, lines)) <= 84 and len([line for line in lines if line.strip()]) <= 26
    assert "fmt:" not in "\n".join(lines)


def test_a_table_says_whether_it_can_be_searched():
    frame = pd.DataFrame({"a": [1]})
    assert 'class="dataframe searchable"' in show.table(frame, searchable=True).to_html()
    assert 'class="dataframe"' in show.table(frame).to_html()
