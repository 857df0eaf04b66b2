"""What a piece of code depends on, read from its imports: the project's modules, and the files that lie beside them.

A name counts where it is defined. Of ``from histolib import models`` and ``models.head(...)`` the module that defines
``head`` counts, not every module that the package ``models`` hands on. So a change costs what the names say.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("histolib", "studybook")


def files(source: str) -> list[Path]:
    """Files of the project that some code depends on, directly or not, sorted.

    Parameters
    ----------
    source
        Python code, of a module or of a notebook's cells.

    Returns
    -------
    list of Path
        Modules, and whatever lies beside a module and is named in it by a text of its own (``"folds.csv"``); of a
        folder all its files.

    Raises
    ------
    ValueError
        At a relative import, which would be missed.
    """
    found: set[str] = set()
    waiting = _imported(source)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting |= _imported_by(module)
    return sorted(file for module in found for file in [_file(module), *_beside(_file(module))])


def digest(source: str, without: Iterable[str] = ()) -> str:
    """SHA-256, 16 digits, of some code and of what `files` finds for it, but for modules of the packages `without`.

    Comments and docstrings do not count.
    """
    out = tuple(ROOT / package.replace(".", "/") for package in without)
    total = hashlib.sha256(meaning(source).encode())
    for file in files(source):
        if not any(file.is_relative_to(folder) for folder in out):
            total.update(meaning(file.read_text("utf8")).encode() if file.suffix == ".py" else file.read_bytes())
    return total.hexdigest()[:16]


def of_notebook(notebook: Path) -> str:
    """The code of a notebook, as one text; lines that only IPython understands are none of it."""
    cells = json.loads(notebook.read_text("utf8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return "\n".join(line for line in code.splitlines() if not line.lstrip().startswith(("%", "!")))


def meaning(source: str) -> str:
    """The syntax tree of some code without its docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, kinds) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


@cache
def _imported_by(module: str) -> frozenset[str]:
    return frozenset(_imported(_file(module).read_text("utf8")))


def _imported(source: str) -> set[str]:
    """Dotted names of the modules that define what `source` imports, in functions too."""
    tree, names = ast.parse(source), {}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if _ours(alias.name)}
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise ValueError(f"from {'.' * node.level}{node.module or ''} import ...: expected an absolute import")
        elif isinstance(node, ast.ImportFrom) and _ours(node.module):
            for alias in node.names:
                module = _defining(node.module, alias.name)
                if _file(module).name == "__init__.py" and module == f"{node.module}.{alias.name}":
                    names[alias.asname or alias.name] = module
                else:
                    found.add(module)
    # A package counts by what is asked of it; one that is handed on as a whole counts as a whole.
    asked = {id(node.value): node for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names:
            package = names[node.id]
            found.add(_defining(package, asked[id(node)].attr) if id(node) in asked else package)
    return found


@cache
def _defining(package: str, name: str) -> str:
    """The module that defines ``package.name``: a submodule, another that the package takes it from, or itself."""
    if _file(f"{package}.{name}").exists():
        return f"{package}.{name}"
    if _file(package).name == "__init__.py":
        for node in ast.walk(ast.parse(_file(package).read_text("utf8"))):
            if isinstance(node, ast.ImportFrom) and _ours(node.module):
                for alias in node.names:
                    if name == (alias.asname or alias.name):
                        return _defining(node.module, alias.name)
    return package


def _ours(module: str) -> bool:
    return module.partition(".")[0] in PACKAGES


def _file(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _beside(module: Path) -> list[Path]:
    """Data of a module: files and folders beside it that one of its texts names."""
    texts = {node.value for node in ast.walk(ast.parse(module.read_text("utf8"))) if _is_text(node)}
    places = [path for path in module.parent.iterdir() if path.name in texts and path.suffix != ".py"]
    inside = [file for place in places for file in (place.rglob("*") if place.is_dir() else [place])]
    return sorted(file for file in inside if file.is_file() and "__pycache__" not in file.parts)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
