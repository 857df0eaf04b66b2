"""What a run was: parameters, data, machine, times, and the predictions that its numbers come from."""

import hashlib
import json
import os
import platform
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache as remember
from importlib import metadata
from pathlib import Path

import pandas as pd

from histolib import cache, reproducibility
from histolib.metrics import predictions

SCHEMA = 1
PREDICTIONS = "predictions.csv.gz"
_PACKAGES = (
    "histolib", "keras", "tensorflow", "jax", "torch", "numpy", "pandas", "scikit-learn", "imbalanced-learn",
    "scikit-image", "lightgbm", "opentsne", "matplotlib", "pillow", "pydicom",
)  # fmt: skip


@dataclass
class RunRecord:
    """A run of a chapter that is under way; `finish` writes it.

    Parameters
    ----------
    chapter, title
        Name of the notebook without its ending, and the chapter's title.
    output
        Folder to write to; None stands for ``runs/notebook/<chapter>`` below the current folder.
    parameters
        Effective parameters; those whose names end in ``seed`` are listed as seeds too.
    """

    chapter: str
    title: str
    output: Path | str | None
    parameters: dict
    data: dict = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)

    def __post_init__(self):
        self.folder = Path(self.output or Path("runs", "notebook", self.chapter))
        self.started, self._clock = datetime.now(UTC), time.perf_counter()
        revision()
        # A record from an earlier run must not stand beside what this run leaves if it fails.
        (self.folder / "record.json").unlink(missing_ok=True)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside, in seconds, under `name`."""
        start = time.perf_counter()
        yield
        self.stages[name] = self.stages.get(name, 0.0) + time.perf_counter() - start

    def uses(self, *sets) -> None:
        """Note which data the run uses, one or several `histolib.datasets.Dataset`."""
        found = [data_facts(one) for one in sets]
        self.data = found[0] if len(found) == 1 else of_several(found)

    def finish(self, table: pd.DataFrame, results: pd.DataFrame) -> Path:
        """Save predictions, then the record, each whole or not at all.

        Parameters
        ----------
        table
            Predictions of all methods.
        results
            What the chapter showed, computed from `table`.

        Returns
        -------
        Path
            The record's file.
        """
        digest = predictions.save(table, self.folder / PREDICTIONS)
        record = {
            "schema": SCHEMA,
            "chapter": self.chapter,
            "title": self.title,
            "parameters": self.parameters,
            "data": self.data,
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - self._clock, 1),
            "stages": {name: round(seconds, 2) for name, seconds in self.stages.items()},
            "seeds": {name: value for name, value in self.parameters.items() if name.endswith("seed")},
            **environment(),
            "predictions": {"file": PREDICTIONS, "sha256": digest, "rows": len(table)},
            "results": json.loads(results.reset_index().to_json(orient="records", double_precision=6)),
        }
        with cache.atomic_file(self.folder / "record.json") as part:
            part.write_text(json.dumps(record, indent=1) + "\n")
        return self.folder / "record.json"


def data_facts(dataset) -> dict:
    """Which data these are: ``name, twin, fingerprint, images, patients, skipped, left_out`` of a loaded data set."""
    return {
        "name": dataset.name,
        "twin": dataset.twin,
        "fingerprint": dataset.fingerprint,
        "images": len(dataset.table),
        "patients": int(dataset.table["patient"].nunique()),
        "skipped": list(dataset.skipped),
        "left_out": dict(dataset.left_out),
    }


def of_several(sets: Sequence[Mapping]) -> dict:
    """`data_facts` of several sets as one; it is a twin if all are, and each stands in ``sets`` with its own facts."""
    names = [one["name"] + (" (drawn)" if one["twin"] else "") for one in sets]
    drawn = all(one["twin"] for one in sets)
    return {
        "name": ", ".join(one["name"] for one in sets) if drawn else ", ".join(names),
        "twin": drawn,
        "fingerprint": hashlib.sha256("".join(one["fingerprint"] for one in sets).encode()).hexdigest(),
        "images": sum(one["images"] for one in sets),
        "patients": sum(one["patients"] for one in sets),
        "skipped": [file for one in sets for file in one["skipped"]],
        "left_out": {f"{one['name']}: {reason}": n for one in sets for reason, n in one["left_out"].items()},
        "sets": list(sets),
    }


def read(file: Path | str) -> tuple[dict, pd.DataFrame]:
    """A finished run: its record and its predictions.

    Raises
    ------
    ValueError
        If the record is not whole, of another schema, or the predictions are not those it was written with.
    """
    file = Path(file)
    try:
        record = json.loads(file.read_text())
        known = record["schema"] == SCHEMA
        saved, digest = file.parent / record["predictions"]["file"], record["predictions"]["sha256"]
    except (json.JSONDecodeError, KeyError, TypeError) as problem:
        raise ValueError(f"{file}: not a whole record ({problem}); make it again") from problem
    if not known:
        raise ValueError(f"{file}: schema {record['schema']}; this version of histolib reads {SCHEMA}")
    if hashlib.sha256(saved.read_bytes()).hexdigest() != digest:
        raise ValueError(f"{saved}: not the predictions that {file.name} was written with (SHA-256 differs)")
    return record, predictions.load(saved)


def kept(folder: Path | str | None) -> dict[str, tuple[dict, pd.DataFrame]]:
    """Runs kept below `folder`, by the name of their folder, sorted; empty if there is none."""
    files = sorted(Path(folder).glob("*/record.json")) if folder else []
    return {file.parent.name: read(file) for file in files}


def kept_predictions(folder: Path | str | None) -> dict[str, pd.DataFrame]:
    """Predictions of the kept runs, by a name that says what they are: ``kept: <folder> (real tissue)``."""
    return {
        f"kept: {name} ({'drawn twin' if record['data']['twin'] else 'real tissue'})": table
        for name, (record, table) in kept(folder).items()
    }


def as_methods(runs: Mapping[str, pd.DataFrame]) -> list[pd.DataFrame]:
    """Kept runs as more methods of a table: ``kept: <method>``; of several runs, ``<name of the run>: <method>``.

    Parameters
    ----------
    runs
        From `kept_predictions`, or what a chapter makes of each.
    """
    return [
        rows.assign(method=f"{name if len(runs) > 1 else 'kept'}: " + rows["method"]) for name, rows in runs.items()
    ]


def overview(folder: Path | str | None) -> pd.DataFrame:
    """One column per kept run: its data, its revision, and its parameters without the folders."""
    hidden = ("data", "output", "kept", "patients")
    columns = {}
    for name, (record, _) in kept(folder).items():
        data = {key: record["data"][key] for key in ("images", "patients", "twin")}
        parameters = {key: value for key, value in record["parameters"].items() if key not in hidden}
        columns[name] = (
            data | {"started": record["started"][:10], "revision": (record["revision"] or "")[:10]} | parameters
        )
    # As text: a seed of 2020 is no quantity of 2,020.
    return pd.DataFrame(columns, dtype=object).fillna("–").map(str)


def gpu_minutes(folder: Path | str | None) -> list[pd.Series]:
    """Training minutes measured by ``bench/gpu.py``: one series per file ``gpu*.json`` in `folder`, or none."""
    files = sorted(Path(folder).glob("gpu*.json")) if folder else []
    found = [json.loads(file.read_text()) for file in files]
    return [pd.Series(one["minutes"], name=one["accelerator"]) for one in found]


def environment() -> dict:
    """What numbers depend on beside parameters and data: revision, Python, packages, backend, hardware."""
    return {
        "revision": revision(),
        "python": platform.python_version(),
        "packages": packages(),
        "backend": reproducibility.backend(),
        "hardware": hardware(),
    }


@remember
def revision() -> str | None:
    """Git commit of the current folder, with ``-dirty`` if tracked files were changed; None outside a repository.

    What the first call finds holds for the whole process: a run comes from the state that it was started in, not from
    what was committed or written while it ran.
    """
    try:
        commit = _git("rev-parse", "HEAD")
        return commit + ("-dirty" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def packages() -> dict[str, str]:
    """Installed versions of the packages that numbers depend on."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> dict:
    """Processor, cores, memory (GiB) and accelerators."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "accelerators": reproducibility.accelerators(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()
