"""Settles, before anything runs, with which parameters each chapter will run.

``python -m studybook.engine.chapters prepare --profile demo`` merges ``profiles/<profile>/<chapter>.yaml`` with what
the command line sets, checks the result against what the chapter declares, and writes
``runs/<profile>/<chapter>/parameters.yaml``. Run it from the repository's top folder; ``make`` does. Paths in what it
writes are relative to ``notebooks/``, where the kernel runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from histolib import cache, datasets
from studybook.engine import parameters
from studybook.engine.parameters import Parameter, ParameterError

# Set by the engine for every chapter; neither a profile nor --set may say otherwise.
ENGINE = ("data", "output")


def chapters(root: Path = Path()) -> list[str]:
    """Names of all chapters, sorted."""
    return sorted(path.stem for path in (root / "notebooks").glob("*.ipynb"))


def prepare(
    profile: str,
    names: Sequence[str] = (),
    data: str | None = None,
    settings: Mapping[str, str] | None = None,
    root: Path = Path(),
) -> list[Path]:
    """Write the parameters file of each chapter, if all of them are right.

    Parameters
    ----------
    profile
        A folder below ``profiles/``.
    names
        Chapters; all if empty.
    data
        Folder of real data; ``None`` or ``""`` for the twins. A chapter that is not among `names` and whose data sets
        (in the notebook's metadata) it does not hold draws its twin.
    settings
        Values that override the profile's, as text; read as YAML unless the parameter is a ``str``.
    root
        The repository's top folder.

    Returns
    -------
    list of Path
        The files; one is written only where its content changed, so that a finished chapter is not run again.

    Raises
    ------
    ParameterError
        If a profile, a chapter, a parameter or the data folder does not exist, or a value is of the wrong type; if a
        chapter of `names` has no data set in the data folder.
    """
    chosen = _known(names, root)
    shared = _by_chapter(chosen, settings or {}, root)
    folders = {name: data if can_use(name, data, root, asked=name in names) else None for name in chosen}
    merged = {name: merge(profile, name, folders[name], shared[name], root) for name in chosen}
    return [write(values, root / "runs" / profile / name) for name, values in merged.items()]


def write(values: Mapping[str, Any], folder: Path) -> Path:
    """Write the parameters file of a run, if it is not there with the same content.

    Raises
    ------
    ParameterError
        If the folder can't be written to.
    """
    path, text = folder / "parameters.yaml", yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)
    try:
        if not path.exists() or path.read_text("utf8") != text:
            with cache.atomic_file(path) as part:
                part.write_text(text, "utf8")
    except OSError as problem:
        raise ParameterError(
            f"{path} can't be written: {problem.strerror}. Runs are written below {folder.parent.parent.absolute()}: "
            "make that folder writable, or work in a copy of the repository that is"
        ) from None
    return path


def merge(
    profile: str, name: str, data: str | None, settings: Mapping[str, Any], root: Path = Path(), run: str = ""
) -> dict[str, Any]:
    """Return the parameters with which a chapter will run, checked, in the order in which it declares them.

    The run is named like its profile unless `run` says otherwise. Of `settings`, text is read as `prepare` says.
    """
    known = parameters.of_notebook(root / "notebooks" / f"{name}.ipynb")
    values = {key: _number(value, known.get(key)) for key, value in _profile(profile, name, root).items()}
    values |= {key: _read(value, known.get(key)) for key, value in settings.items()}
    for key in ENGINE:
        if key in values:
            raise ParameterError(f"{name}: parameter {key!r} is not for profiles or --set; use --data or --profile")
        if key not in known:
            raise ParameterError(f"{name}: the chapter must declare {key!r}")
    values["data"] = _data(data, root) if data else None
    values["output"] = f"../runs/{run or profile}/{name}"
    parameters.check(values, known, name)
    return {key: values[key] for key in known if key in values}


def _by_chapter(names: Sequence[str], settings: Mapping[str, str], root: Path) -> dict[str, dict[str, str]]:
    """The settings that each chapter declares; one that no chapter declares is left to each, whose check refuses it."""
    known = {name: parameters.of_notebook(root / "notebooks" / f"{name}.ipynb") for name in names}
    declared = {key for found in known.values() for key in found}
    return {
        name: {key: text for key, text in settings.items() if key in known[name] or key not in declared}
        for name in names
    }


def _known(names: Sequence[str], root: Path) -> list[str]:
    found = chapters(root)
    if not found:
        raise ParameterError(f"no chapter in {root.resolve() / 'notebooks'}; run this in the repository's top folder")
    for name in names:
        if name not in found:
            raise ParameterError(f"no chapter {name!r}; expected one of {', '.join(found)}")
    return list(names) or found


def _profile(profile: str, name: str, root: Path) -> dict[str, Any]:
    path = root / "profiles" / profile / f"{name}.yaml"
    if not path.is_file():
        there = sorted(p.parent.name for p in (root / "profiles").glob(f"*/{name}.yaml"))
        raise ParameterError(f"{path}: no such file; {name} has the profiles {', '.join(there) or '(none)'}")
    try:
        values = yaml.safe_load(path.read_text("utf8")) or {}
    except yaml.YAMLError as error:
        raise ParameterError(f"{path}: no valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise ParameterError(f"{path}: found a {type(values).__name__}; expected lines of `name: value`")
    return values


def _read(text: Any, parameter: Parameter | None) -> Any:
    """Value of a setting. Text stays text where the chapter wants text, so that `no` is not False."""
    if not isinstance(text, str):
        return text
    if parameter and parameter.type is str and not (parameter.default is None and text in ("null", "None", "")):
        return text
    try:
        return _number(yaml.safe_load(text), parameter)
    except yaml.YAMLError:
        return text


def _number(value: Any, parameter: Parameter | None) -> Any:
    """YAML reads `1e-4` as text; where the chapter wants a float it is one."""
    if parameter and parameter.type is float and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _data(data: str, root: Path) -> str:
    # Links are resolved: the kernel's `..` goes up from where notebooks/ really lies.
    path = (Path.cwd() / Path(data).expanduser()).resolve()
    if not path.is_dir():
        raise ParameterError(f"data folder {data!r}: no folder at {path}")
    return Path(os.path.relpath(path, (root / "notebooks").resolve())).as_posix()


def needs(notebook: Path) -> tuple[str, ...]:
    """Data sets of which a chapter uses at least one, from its metadata; empty if it does not say."""
    metadata = json.loads(notebook.read_text("utf8"))["metadata"]
    return tuple(metadata.get("studybook", {}).get("datasets", ()))


def can_use(name: str, data: str | None, root: Path, asked: bool) -> bool:
    """Whether the data folder holds what a chapter needs; an error for a chapter that was asked for by name."""
    wanted = needs(root / "notebooks" / f"{name}.ipynb")
    if not data or not wanted:
        return bool(data)
    there = datasets.available((root / "notebooks" / _data(data, root)).resolve())
    if not set(wanted) & set(there):
        message = f"data folder {data!r} holds {', '.join(there) or 'no data set'}; {name} needs {' or '.join(wanted)}"
        if asked:
            raise ParameterError(message)
        print(f"note: {message}; it draws its twin instead", file=sys.stderr)
        return False
    return True


def settings(pairs: Sequence[str]) -> dict[str, str]:
    """Parameters as the command line gives them, ``name=value`` each."""
    for pair in pairs:
        if "=" not in pair:
            raise ParameterError(f"--set {pair!r}: expected name=value")
    return dict(pair.split("=", 1) for pair in pairs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m studybook.engine.chapters", description=__doc__.split("\n")[0])
    command = parser.add_subparsers(dest="command", required=True).add_parser("prepare", help="check and write")
    command.add_argument("chapter", nargs="*", help="chapters; all if none is named")
    command.add_argument("--profile", default="demo", help="a folder below profiles/ (default: demo)")
    command.add_argument("--data", help="folder of real data; without it, twins are drawn")
    command.add_argument("--set", nargs="+", action="extend", default=[], metavar="NAME=VALUE", help="parameters")
    options = parser.parse_args(arguments)
    try:
        files = prepare(options.profile, options.chapter, options.data, settings(options.set))
    except ParameterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"parameters checked: {', '.join(path.parent.name for path in files)} ({options.profile})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
