"""Units of work: a study cut into settings that are computed, kept and resumed each on its own.

A chapter that compares many settings has a module ``study`` in its room (`room`), which holds

``plan(parameters)``
    the settings of all units, a list of flat dictionaries of numbers and text, from the chapter's parameters;
``group(settings)``
    name of the units that one process computes one after the other, so that a network is not built anew for each;
``label(settings)``
    short name of a unit;
``fingerprint(settings)``
    of the data that the unit uses;
``compute(settings)``
    the work itself: a `Result`.

A finished unit is a folder whose name ends in a digest of its settings, its data, the backend and the code that its
study imports, directly or not: what is there is right, what is not there is missing, and a killed run leaves nothing
that could be taken for whole.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache as remember
from pathlib import Path
from types import ModuleType

import pandas as pd
import yaml

from histolib import cache, reproducibility
from histolib.metrics import predictions
from studybook.engine import dependencies, parameters, records, running

SCHEMA = 1
FOLDER = "units"  # below a chapter's output
STORE = "store"  # in it, a sweep's link to where the units of all its points lie
# Settings that say where data lie, not what they are; the fingerprint says that.
PLACES = ("data",)
# Imported by studies and yet no part of what they compute: a drawn image has its fingerprint, the engine only keeps.
APART = ("studybook.twins", "studybook.engine")


@dataclass(frozen=True)
class Result:
    """What a unit leaves behind.

    Attributes
    ----------
    predictions
        As `predictions.table` makes it; its ``method`` and ``fold`` tell this unit from the others.
    tables
        Further tables by name, such as the history of a training.
    facts
        Numbers and text by name, such as seconds or the number of trained layers.
    writers
        Each is called with the unit's folder and writes further files there, such as a trained network.
    """

    predictions: pd.DataFrame
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    facts: dict = field(default_factory=dict)
    writers: Sequence[Callable[[Path], None]] = ()


@dataclass(frozen=True)
class Gathered:
    """All units of a study: their predictions in one table, or what `gather` was told to keep of them, one row of
    settings and facts per unit, and the further tables, each by the unit's label."""

    predictions: pd.DataFrame
    units: pd.DataFrame
    tables: dict[str, dict[str, pd.DataFrame]]

    def of(self, **settings) -> pd.DataFrame:
        """Predictions of the units with these settings; a list of values means any of them. Empty if there is none."""
        keys = self._chosen(settings)[["method", "fold"]]
        return self.predictions.merge(keys.astype(self.predictions.dtypes[["method", "fold"]]), on=["method", "fold"])

    def saved(self, **settings) -> pd.DataFrame:
        """As `of`, all that these units saved, read again: of a study that is too large to hold, a part at a time."""
        folders = self._chosen(settings)["folder"]
        return pd.concat([records.read(Path(one, "record.json"))[1] for one in folders], ignore_index=True)

    def _chosen(self, settings: Mapping) -> pd.DataFrame:
        chosen = pd.Series(True, self.units.index)
        for name, wanted in settings.items():
            chosen &= self.units[name].isin(wanted if isinstance(wanted, list) else [wanted])
        return self.units[chosen]


def room(chapter: str) -> str:
    """The package that holds a chapter's own code: a paper's, or one that belongs to no paper."""
    paper = f"studybook.papers.{chapter}"
    return paper if importlib.util.find_spec(paper) else f"studybook.{chapter}"


def study(chapter: str) -> ModuleType | None:
    """The module of a chapter's study, None if it has none."""
    name = f"{room(chapter)}.study"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name not in (name, name.rpartition(".")[0]):
            raise
        return None


def folder(module: ModuleType, settings: Mapping, output: Path | str) -> Path:
    """Where a unit lies: ``<output>/units/<label>-<digest>``, in a sweep the like beside other points' units."""
    known = {key: value for key, value in settings.items() if key not in PLACES}
    known |= {"data": module.fingerprint(settings), "code": code(module)}
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    known |= {"backend": backend} if backend != "tensorflow" else {}
    digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:12]
    own = Path(output) / FOLDER
    return (own / STORE if (own / STORE).exists() else own) / f"{module.label(settings)}-{digest}"


def run(module: ModuleType, settings: Mapping, output: Path | str) -> Path:
    """Compute a unit, unless it is there already; returns its folder, which appears whole or not at all."""
    place = folder(module, settings, output)
    cache.once(place.resolve(), lambda: _compute(module, settings, place))
    return place


def _compute(module: ModuleType, settings: Mapping, place: Path) -> None:
    environment, start = records.environment(), time.perf_counter()
    result = module.compute(settings)
    seconds = round(time.perf_counter() - start, 2)
    with cache.atomic_folder(place, replace=False) as part:
        digest = predictions.save(result.predictions, part / records.PREDICTIONS)
        for name, table in result.tables.items():
            table.to_csv(part / f"{name}.csv")
        for write in result.writers:
            write(part)
        record = {
            "schema": SCHEMA,
            "settings": dict(settings),
            "data": module.fingerprint(settings),
            "code": code(module),
            "seconds": seconds,
            "facts": result.facts,
            **environment,
            "predictions": {"file": records.PREDICTIONS, "sha256": digest, "rows": len(result.predictions)},
            "tables": sorted(result.tables),
        }
        (part / "record.json").write_text(json.dumps(record, indent=1) + "\n")


def gather(
    module: ModuleType,
    plan: Sequence[Mapping],
    output: Path | str,
    kept: Callable[[pd.DataFrame, Mapping], pd.DataFrame] | None = None,
) -> Gathered:
    """All units of a plan, those that are missing computed now.

    Parameters
    ----------
    module
        The study.
    plan
        Settings of the units, from ``module.plan``.
    output
        The chapter's folder.
    kept
        What to keep in memory of a unit's predictions, from these and from the unit's facts; None keeps all of them.

    Raises
    ------
    ValueError
        If two units have the same label; if a unit's files are not those that it was written with.
    """
    labels = [module.label(one) for one in plan]
    twice = sorted({name for name in labels if labels.count(name) > 1})
    if twice:
        raise ValueError(f"units of the same name: {', '.join(twice)}; label() must tell them apart")
    rows, parts, tables = [], [], {}
    for label, one in zip(labels, plan):
        place = run(module, one, output)
        record, part = records.read(place / "record.json")
        told = {"unit": label, "method": part["method"].iloc[0], "folder": str(place), "seconds": record["seconds"]}
        rows.append(told | record["settings"] | record["facts"])
        parts.append(kept(part, record["facts"]) if kept else part)
        for name in record["tables"]:
            tables.setdefault(name, {})[label] = pd.read_csv(place / f"{name}.csv", index_col=0)
    return Gathered(pd.concat(parts, ignore_index=True), pd.DataFrame(rows).set_index("unit"), tables)


@remember
def code(module: ModuleType) -> str:
    """Digest of the code that a study's units depend on: its own, and what it imports; see `dependencies.digest`."""
    return dependencies.digest(Path(module.__file__).read_text("utf8"), without=APART)


def groups(chapter: str, values: Mapping) -> dict[str, list[dict]]:
    """The units of a chapter by group, in order; empty if the chapter has no study.

    Parameters
    ----------
    chapter
        Name of the notebook.
    values
        All of its parameters.

    Raises
    ------
    ParameterError
        A precision that there is not.
    ValueError
        Values that the study's plan refuses.
    """
    if "precision" in values:
        parameters.one_of(values, precision=reproducibility.PRECISIONS)
    module = study(chapter)
    found: dict[str, list[dict]] = {}
    for one in module.plan(values) if module else []:
        found.setdefault(module.group(one), []).append(one)
    return found


def joined(groups: Mapping[str, list[dict]], processes: int | None = None) -> dict[str, list[dict]]:
    """Groups dealt out to at most so many processes, in turn: ``part1``, ``part2``, ...; as they are if None or 0."""
    if not processes or len(groups) <= processes:
        return dict(groups)
    dealt = [list(groups.values())[first::processes] for first in range(processes)]
    return {f"part{k}": [one for group in part for one in group] for k, part in enumerate(dealt, start=1)}


def planned(chapter: str, given: Mapping) -> tuple[dict, dict[str, list[dict]]]:
    """The parameters of a chapter, its own and in their place those that are `given`, and its units by group.

    Called in the repository's top folder; the plan is made in ``notebooks/``, where a chapter runs and its paths start.
    """
    declared = parameters.of_notebook(Path("notebooks", f"{chapter}.ipynb"))
    values = {name: one.default for name, one in declared.items()} | dict(given)
    with contextlib.chdir("notebooks"):
        return values, groups(chapter, values)


def prepared(chapter: str, file: Path, processes: int | None = None) -> tuple[dict, dict[str, list[dict]]]:
    """As `planned`, with what a parameters file gives, and the groups `joined`."""
    values, found = planned(chapter, yaml.safe_load(file.read_text("utf8")) or {})
    return values, joined(found, processes)


def main(arguments: Iterable[str] | None = None) -> int:
    """Compute the units of one group: ``CHAPTER GROUP --parameters FILE --stamp FILE``."""
    parser = argparse.ArgumentParser(prog="python -m studybook.engine.units", description=main.__doc__)
    parser.add_argument("chapter")
    parser.add_argument("group")
    parser.add_argument("--processes", type=int, help="into which groups were joined; 0: they were not")
    parser.add_argument("--parameters", type=Path, required=True, help="written by studybook.engine.chapters prepare")
    parser.add_argument("--stamp", type=Path, required=True, help="lists the finished units; written at the end")
    chosen = parser.parse_args(arguments)
    running.hold()
    values, plan = prepared(chosen.chapter, chosen.parameters, chosen.processes)
    if chosen.group not in plan:
        print(f"error: group {chosen.group!r}: expected one of {', '.join(plan) or '(none)'}", file=sys.stderr)
        return 2
    with contextlib.chdir("notebooks"):
        places = [run(study(chosen.chapter), one, values["output"]) for one in plan[chosen.group]]
    with cache.atomic_file(chosen.stamp) as part:
        part.write_text(json.dumps([place.name for place in places], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
