"""The library's own code as a page shows it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable

from IPython.display import Markdown


def show(function: Callable) -> Markdown:
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
