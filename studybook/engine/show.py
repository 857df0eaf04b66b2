"""Shows tables, and the library's own code, in a page of the book."""

from __future__ import annotations

import ast
import hashlib
import inspect
import re
import textwrap
from collections.abc import Callable

import pandas as pd
from IPython.display import Markdown
from pandas.io.formats.style import Styler


class Shown(Styler):
    """A styled table that prints its content where there is no HTML, such as in a terminal."""

    def __repr__(self) -> str:
        return self.data.to_string()


def table(frame: pd.DataFrame | pd.Series, digits: int = 3, index: bool = True, searchable: bool = False) -> Shown:
    """A table for a reader: a dash where there is no number, thousands set off, long text in full.

    Parameters
    ----------
    frame
        What to show.
    digits
        Decimal places of numbers that are not whole.
    index
        Whether the index is shown.
    searchable
        Whether a page of the book lets its reader sort the rows and search them (``book/_static/tables.js``).

    Returns
    -------
    Shown
        Its HTML is the same for the same content, so that two runs can be compared.
    """
    frame = frame.to_frame() if isinstance(frame, pd.Series) else frame
    frame = frame.map(lambda cell: _unbroken(cell) if isinstance(cell, str) else cell)
    if not isinstance(frame.index, pd.MultiIndex):
        frame.index = frame.index.map(lambda label: _unbroken(label) if isinstance(label, str) else label)
    name = hashlib.sha256(frame.to_csv().encode()).hexdigest()[:10]
    style = Shown(frame, uuid=name, cell_ids=False, precision=digits, na_rep="–", thousands=",")
    kind = "dataframe searchable" if searchable else "dataframe"
    style = style.hide(names=True).hide(names=True, axis="columns").set_table_attributes(f'class="{kind}"')
    return style if index else style.hide()


def source(function: Callable) -> Markdown:
    """The source of a function without its docstring, highlighted; taken from its module, so that no page holds a copy.

    Parameters
    ----------
    function
        Defined in a module.
    """
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    definition = ast.parse("\n".join(lines)).body[0]
    if ast.get_docstring(definition) is not None:
        text = definition.body[0]
        del lines[text.lineno - 1 : text.end_lineno]
    # A mark for the formatter is nothing for the reader.
    return Markdown("```python\n" + "\n".join(line.removesuffix("  # fmt: skip") for line in lines) + "\n```")


def _unbroken(text: str) -> str:
    """Short text, such as a number with its interval, stays on one line."""
    if len(text) > 26:
        return text
    return re.sub(r"(?<=[A-Za-z])-(?=\w)", "\N{NON-BREAKING HYPHEN}", text).replace(" ", "\N{NO-BREAK SPACE}")
