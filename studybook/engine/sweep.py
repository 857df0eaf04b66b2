"""Sweeps: one chapter at every point of a grid of its parameters, and one table and one page of what came out.

A sweep's file is YAML::

    chapter: idc_transfer
    set: {epochs_baseline: 2}       # may be left out: other parameters, the same at every point
    grid:
      learning_rate: [1.0e-4, 1.0e-3]
      split: [patient, patch]

Each point is a run of its own, ``runs/<profile>-<name of the file>-<point>/``, and a job of the Snakefile: what is done
is not done again, and what was killed goes on. Units of a study that no swept parameter changes are computed once: all
points keep theirs where the profile's own run does.
"""

from __future__ import annotations

import contextlib
import hashlib
import html
import itertools
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from histolib import cache
from studybook.engine import chapters, records, units
from studybook.engine.parameters import ParameterError

_KEYS = ("chapter", "set", "grid")
# Columns of a record's results that a page shows side by side, one table per score.
_RESULTS = ("method", "score", "value", "low", "high")


@dataclass(frozen=True)
class Point:
    """One run of a sweep: what is chosen there, all parameters of the chapter, and the run's folder below ``runs/``."""

    choice: dict[str, Any]
    values: dict[str, Any]
    run: str

    def label(self) -> str:
        return ", ".join(f"{key}={value}" for key, value in self.choice.items())


@dataclass(frozen=True)
class Sweep:
    """A sweep, checked: its name, chapter and profile, its grid, and its points in the grid's order."""

    name: str
    chapter: str
    profile: str
    grid: dict[str, list]
    points: list[Point]


def read(
    file: Path, profile: str, data: str | None = None, settings: Mapping[str, str] | None = None, root: Path = Path()
) -> Sweep:
    """Read a sweep's file and check every point of it; nothing is written.

    Parameters
    ----------
    file
        See the module.
    profile, data, settings
        As `chapters.prepare` takes them; `settings` override the file's ``set``.
    root
        The repository's top folder.

    Raises
    ------
    ParameterError
        Names the file and, of a parameter, the choice that is wrong.
    """
    told = _parsed(file, root)
    chapter, grid = told["chapter"], told["grid"]
    fixed = {**(told.get("set") or {}), **(settings or {})}
    if twice := sorted(set(fixed) & set(grid)):
        raise ParameterError(f"{file}: {', '.join(twice)}: both fixed and in the grid; expected one of the two")
    try:
        folder = data if chapters.can_use(chapter, data, root, asked=True) else None
        chapters.merge(profile, chapter, folder, fixed, root)
    except ParameterError as error:
        raise ParameterError(f"{file}: {error}") from None
    for key, choices in grid.items():
        for choice in choices:
            try:
                chapters.merge(profile, chapter, folder, fixed | {key: choice}, root)
            except ParameterError as error:
                raise ParameterError(f"{file}: grid, {key}, choice {choice!r}: {error}") from None
    name = re.sub(r"[^A-Za-z0-9_]+", "_", file.stem)
    points = []
    for chosen in itertools.product(*grid.values()):
        choice = dict(zip(grid, chosen))
        run = f"{profile}-{name}-{_slug(choice)}"
        point = Point(choice, chapters.merge(profile, chapter, folder, fixed | choice, root, run), run)
        _plan(file, chapter, point, root)
        points.append(point)
    return Sweep(name, chapter, profile, grid, points)


def prepare(sweep: Sweep, root: Path = Path()) -> list[Point]:
    """Write the parameters of every point, and link its units to those of the profile's own run; returns the points."""
    own = root / "runs" / sweep.profile / sweep.chapter / units.FOLDER
    for point in sweep.points:
        folder = root / "runs" / point.run / sweep.chapter
        chapters.write(point.values, folder)
        link = folder / units.FOLDER / units.STORE
        if units.study(sweep.chapter) and not link.is_symlink():
            own.mkdir(parents=True, exist_ok=True)
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(os.path.relpath(own, link.parent), target_is_directory=True)
    return sweep.points


def gather(sweep: Sweep, root: Path = Path()) -> Path:
    """Put the records of a sweep's points into ``table.csv`` and a page beside it; returns the page.

    A point that has no record yet is named in the page and has no rows in the table.
    """
    folder = root / "runs" / f"{sweep.profile}-{sweep.name}"
    found: dict[str, dict] = {}
    for point in sweep.points:
        file = root / "runs" / point.run / sweep.chapter / "record.json"
        if file.is_file():
            found[point.run] = records.read(file)[0]
    rows = [
        {key: str(value) if isinstance(value, list) else value for key, value in point.choice.items()} | row
        for point in sweep.points
        for row in found.get(point.run, {}).get("results", [])
    ]
    table = pd.DataFrame(rows)
    with cache.atomic_file(folder / "table.csv") as part:
        table.to_csv(part, index=False)
    with cache.atomic_file(folder / "index.html") as part:
        part.write_text(_page(sweep, found, table), "utf8")
    return folder / "index.html"


def _parsed(file: Path, root: Path) -> dict:
    """The content of a sweep's file, of the right shape."""
    try:
        told = yaml.safe_load(file.read_text("utf8"))
    except OSError as problem:
        raise ParameterError(f"{file}: {problem.strerror}; expected the file of a sweep") from None
    except yaml.YAMLError as error:
        raise ParameterError(f"{file}: no valid YAML: {error}") from None
    if not isinstance(told, dict) or not {"chapter", "grid"} <= set(told) <= set(_KEYS):
        keys = ", ".join(map(str, told)) if isinstance(told, dict) else type(told).__name__
        raise ParameterError(f"{file}: found {keys}; expected chapter, grid and perhaps set")
    if told["chapter"] not in chapters.chapters(root):
        expected = ", ".join(chapters.chapters(root))
        raise ParameterError(f"{file}: chapter {told['chapter']!r}: expected one of {expected}")
    if not isinstance(told["grid"], dict) or not told["grid"] or not isinstance(told.get("set") or {}, dict):
        raise ParameterError(f"{file}: grid and set: expected lines of `parameter: ...`")
    for key, choices in told["grid"].items():
        if not isinstance(choices, list) or not choices:
            raise ParameterError(f"{file}: grid, {key}: found {choices!r}; expected a list of choices, [1, 2] say")
        if len({json.dumps(choice) for choice in choices}) < len(choices):
            raise ParameterError(f"{file}: grid, {key}: found a choice twice in {choices}; expected each once")
    return told


def _plan(file: Path, chapter: str, point: Point, root: Path) -> None:
    """Let a chapter's study plan a point, for what it refuses."""
    try:
        with contextlib.chdir(root):
            units.planned(chapter, point.values)
    except ValueError as error:
        raise ParameterError(f"{file}: at {point.label()}: {error}") from None


def _slug(choice: Mapping[str, Any]) -> str:
    """A point's part of a folder's name: readable, and another for every other choice."""
    text = json.dumps(choice, sort_keys=True)
    plain = re.sub(r"[^A-Za-z0-9]+", "_", "_".join(f"{key}_{value}" for key, value in choice.items())).strip("_")
    return f"{plain[:60]}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def _page(sweep: Sweep, found: Mapping[str, dict], table: pd.DataFrame) -> str:
    points = pd.DataFrame(
        [
            {key: html.escape(str(value)) for key, value in point.choice.items()}
            | {
                "data": _data(found[point.run]) if point.run in found else "not computed yet",
                "seconds": found.get(point.run, {}).get("seconds"),
                "notebook": f"{point.run}/{sweep.chapter}/{sweep.chapter}.ipynb" if point.run in found else "",
            }
            for point in sweep.points
        ]
    )
    parts = [
        f"<h1>{html.escape(sweep.chapter)}: {html.escape(', '.join(sweep.grid))}</h1>",
        f"<p>A sweep at the scale <code>{sweep.profile}</code>: {len(found)} of {len(sweep.points)} runs are done. "
        "All rows, as one table: <a href='table.csv'>table.csv</a>.</p>",
        points.to_html(index=False, na_rep="–", escape=False, formatters={"notebook": _link}),
    ]
    if {*_RESULTS} <= set(table.columns):
        values = table[["value", "low", "high"]].astype(float).itertuples(index=False)
        shown = table.assign(shown=[f"{value:.3f} [{low:.3f}, {high:.3f}]" for value, low, high in values])
        rows = [name for name in table.columns if name not in {*sweep.grid, "score", "value", "low", "high"}]
        for score, one in shown.groupby("score", sort=False):
            wide = one.pivot_table("shown", rows, list(sweep.grid), aggfunc="first", sort=False)
            parts += [f"<h2>{html.escape(str(score))}, with 95 % intervals</h2>", wide.to_html(na_rep="–")]
    elif len(table):
        parts.append(table.to_html(index=False, na_rep="–"))
    style = "body{font:16px sans-serif;margin:2rem} table{border-collapse:collapse} td,th{padding:.2rem .6rem}"
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{html.escape(sweep.name)}</title>"
        f"<style>{style}</style>{''.join(parts)}</html>\n"
    )


def _data(record: Mapping) -> str:
    data = record["data"]
    return html.escape(f"{data['name']} ({'drawn' if data['twin'] else 'real'})") if "twin" in data else "–"


def _link(notebook: str) -> str:
    return f"<a href='../{notebook}'>executed</a>" if notebook else "–"
