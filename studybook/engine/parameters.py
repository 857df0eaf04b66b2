"""The parameters that a chapter declares, and the check that nothing else is ever set.

A chapter declares its parameters in the one cell tagged ``parameters``: the comment `MARK`, then one annotated literal
per line with a comment that explains it. papermill only warns about a name that is not declared there; here it is an
error, before anything runs (`studybook.engine.chapters`) and again in the running notebook (`verify`).
"""

from __future__ import annotations

import ast
import difflib
import io
import json
import tokenize
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_origin

MARK = "# parameters: change them here or with papermill"
INJECTED = "# Parameters"  # what papermill writes at the top of the cell that it adds
_TYPES = {"int": int, "float": float, "str": str, "bool": bool, "list": list, "dict": dict}


class ParameterError(ValueError):
    """A parameter that a chapter does not declare, or a value of the wrong type."""


class Parameter(NamedTuple):
    """What a chapter says about one parameter: its value there, its type (``int``, ``list[int]`` ...), its comment."""

    default: Any
    type: Any
    help: str


def declared(source: str) -> dict[str, Parameter]:
    """Read the declarations in the source of a parameters cell, without running it.

    Parameters
    ----------
    source
        Python source that holds nothing but annotated assignments of literals, ``name: type = value  # help``.

    Returns
    -------
    dict of str to Parameter
        In the order of the source.

    Raises
    ------
    ParameterError
        If a line is anything else, or a default does not fit its own type; names the line.
    """
    comments = _comments(source)
    found: dict[str, Parameter] = {}
    for node in ast.parse(source).body:
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None):
            line = ast.get_source_segment(source, node)
            raise ParameterError(
                f"parameters cell, line {node.lineno}: {line!r}: expected `name: type = value  # help`"
            )
        name, default = node.target.id, _literal(node.value)
        parameter = Parameter(default, _type(node.annotation, default), comments.get(node.end_lineno, ""))
        if default is not None and not _fits(default, parameter.type):
            line = ast.get_source_segment(source, node)
            raise ParameterError(
                f"parameters cell, line {node.lineno}: {line!r}: the default is not {_name(parameter.type)}"
            )
        found[name] = parameter
    return found


def of_notebook(path: Path | str) -> dict[str, Parameter]:
    """Read the declarations of a notebook's parameters cell; see `declared`.

    Raises
    ------
    ParameterError
        If not exactly one cell is tagged ``parameters``, or the cell holds something else; names the notebook.
    """
    cells = json.loads(Path(path).read_text("utf8"))["cells"]
    sources = ["".join(c["source"]) for c in cells if "parameters" in c["metadata"].get("tags", [])]
    if len(sources) != 1:
        raise ParameterError(f"{path}: {len(sources)} cells are tagged 'parameters'; expected exactly one")
    try:
        return declared(sources[0])
    except (ParameterError, SyntaxError) as error:
        raise ParameterError(f"{path}: {error}") from None


def check(values: Mapping[str, Any], declared: Mapping[str, Parameter], chapter: str) -> None:
    """Check values against a chapter's declarations: every name is declared, every value is of its type.

    A ``bool`` is no number, an ``int`` will do for a ``float``, and ``None`` only where the default is ``None``.

    Raises
    ------
    ParameterError
        Names every value that is wrong, what it is, and what would be right.
    """
    mistakes = []
    for name, value in values.items():
        if name not in declared:
            close = difflib.get_close_matches(name, declared, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            mistakes.append(f"{name!r} is not declared.{hint} Declared: {', '.join(declared)}.")
        elif not _allowed(value, declared[name]):
            default, kind, _ = declared[name]
            example = f", such as {default!r}" if default is not None else " or None"
            example += f" (None is written {name}=null)" if default is None and value == "None" else ""
            mistakes.append(f"{name!r} is {value!r} ({type(value).__name__}); expected {_name(kind)}{example}.")
    if mistakes:
        raise ParameterError("\n".join(f"{chapter}: parameter {m}" for m in mistakes))


def verify(history: Iterable[str], chapter: str = "this notebook") -> dict[str, Any]:
    """Check what papermill injected into the running notebook; call it as ``parameters.verify(In)``.

    Parameters
    ----------
    history
        The source of the cells executed so far, in order: IPython's ``In``. The parameters cell is known by its first
        line, `MARK`; the cells that papermill injected after it, by theirs. Where a notebook is run without a history,
        as nbval does, its annotated names are the parameters.

    Returns
    -------
    dict
        Every declared parameter with the value in force, in the declared order.

    Raises
    ------
    ParameterError
        If no parameters cell was run, or an injected value is not declared or of the wrong type.
    """
    cells = [cell.lstrip() for cell in history]
    if not any(cells):
        return _namespace()
    starts = [k for k, cell in enumerate(cells) if cell.startswith(MARK)]
    if not starts:
        raise ParameterError(f"{chapter}: no cell that begins with {MARK!r} was run; run the parameters cell first")
    known = declared(cells[starts[-1]])
    values = {name: parameter.default for name, parameter in known.items()}
    for cell in cells[starts[-1] + 1 :]:
        if cell.partition("\n")[0].rstrip() == INJECTED:
            injected = _assigned(cell)
            check(injected, known, chapter)
            values |= injected
    # A reader may have set a parameter in a cell of their own: what is in force is what is recorded.
    values |= {name: value for name, value in _running().items() if name in values}
    check(values, known, chapter)
    return values


def _namespace() -> dict[str, Any]:
    """Annotated names of the running notebook and their values."""
    names = _running()
    return {name: names[name] for name in names.get("__annotations__", {})}


def _running() -> dict[str, Any]:
    """All names of the running notebook; none outside one."""
    from IPython import get_ipython

    shell = get_ipython()
    return shell.user_ns if shell else {}


def _assigned(source: str) -> dict[str, Any]:
    """Values that a cell written by papermill assigns."""
    nodes = ast.parse(source).body
    return {target.id: _literal(n.value) for n in nodes if isinstance(n, ast.Assign) for target in n.targets}


def _comments(source: str) -> dict[int, str]:
    """Comment on each line, by line number."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string.lstrip("# ").strip() for t in tokens if t.type == tokenize.COMMENT}


def _literal(node: ast.expr) -> Any:
    """Value of a literal, or of papermill's ``float('nan')`` and ``float('inf')``."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
        return float(ast.literal_eval(node.args[0]))
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise ParameterError(f"{ast.unparse(node)!r} is no literal; derive values in a later cell") from None


def _type(annotation: ast.expr, default: Any) -> Any:
    """Type that an annotation names; a bare ``list`` takes the type of its elements from the default."""
    text = ast.unparse(annotation)
    outer, _, inner = text.rstrip("]").partition("[")
    if outer not in _TYPES or (inner and (outer != "list" or inner not in _TYPES)):
        raise ParameterError(f"type {text!r} is not known; expected one of {', '.join(_TYPES)} or list[...] of these")
    if outer == "list" and not inner and default:
        inner = type(default[0]).__name__
    return list[_TYPES[inner]] if inner else _TYPES[outer]


def _allowed(value: Any, parameter: Parameter) -> bool:
    return parameter.default is None if value is None else _fits(value, parameter.type)


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is list:
        return isinstance(value, list) and all(_fits(element, get_args(kind)[0]) for element in value)
    if kind in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if kind is float else kind)


def _name(kind: Any) -> str:
    return str(kind) if get_origin(kind) else kind.__name__


def at_least(values: Mapping[str, Any], **minimum: float) -> None:
    """Check that numbers are not too small; call it before anything long runs.

    Parameters
    ----------
    values
        Name of each parameter to its value, as `verify` returns it.
    **minimum
        Name of a parameter to the smallest value that it may take.

    Raises
    ------
    ParameterError
        Names the parameter, its value and what would be right.
    """
    for name, least in minimum.items():
        if values[name] < least:
            raise ParameterError(f"{name}={values[name]!r}; expected at least {least}")


def one_of(values: Mapping[str, Any], **choices: Iterable[Any]) -> None:
    """Check that parameters take one of a few values; call it before anything long runs.

    Parameters
    ----------
    values
        Name of each parameter to its value, as `verify` returns it.
    **choices
        Name of a parameter to the values that it may take.

    Raises
    ------
    ParameterError
        Names the parameter, its value and what would be right.
    """
    for name, allowed in choices.items():
        if values[name] not in allowed:
            raise ParameterError(f"{name}={values[name]!r}; expected one of {', '.join(map(repr, allowed))}")
