"""Memory and time of loading a data set and oversampling it, each contender in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from imblearn.over_sampling import SMOTE

from bench import memory
from bench.table import Row
from histolib import cache, datasets
from histolib.training import oversampling
from studybook import twins

SEED = 2020
FULL = 277_524  # patches of the real data set
PATIENTS = 279  # its patients
METHODS = ("histolib", "imbalanced-learn")
_GB = 1e9
_ROOT = Path(__file__).resolve().parent.parent


def rows(patches: int = 20_000, alone: bool = False) -> list[Row]:
    """Measure at `patches` twin patches or a few more; `alone` leaves imbalanced-learn out."""
    folder = twin(patches)
    found = {method: measure(method, folder) for method in METHODS[: 1 if alone else 2]}
    ours, theirs = found["histolib"], found.get("imbalanced-learn")
    size = f"{ours['images']:,} patches"
    peer = "–" if alone else "imbalanced-learn's SMOTE on float32"
    full = ours["images"] >= FULL
    values = {
        f"peak memory, load + SMOTE, {size}": ("peak", "GB, less is better", "below 7" if full else "below theirs"),
        f"peak memory above imports and images, {size}": ("above", "GB, less is better", "below theirs"),
        f"SMOTE, {size}": ("smote", "s, less is better", "ratio at most 0.77"),
        f"load the manifest, {size}": ("load", "s", "–"),
        f"decode the images once, {size}": ("decode", "s", "–"),
    }
    table = [
        Row(what, ours[key], unit, peer, theirs[key], aim, memory=ours["peak"])
        if theirs and key in ("peak", "above", "smote")
        else Row(what, ours[key], unit, aim=aim, memory=ours["peak"])
        for what, (key, unit, aim) in values.items()
    ]
    total = sum(ours[key] for key in ("load", "decode", "smote"))
    return [*table, Row(f"load, decode and SMOTE, {size}", total, "s", memory=ours["peak"])]


def twin(patches: int) -> Path:
    """Folder of a twin of at least `patches` patches, drawn into the cache once."""
    patients = PATIENTS if patches >= FULL else max(2, min(PATIENTS, -(-patches // 90)))
    side = 2
    while patients * side**2 * 0.985 < patches:  # the rest of a slide is background
        side += 1
    folder = cache.folder("bench", f"idc-v{twins.VERSION['idc']}-{patients}-{side}")
    if not folder.is_dir():
        cache.require_space(folder, patients * side**2 * 8192)
        with cache.atomic_folder(folder) as part:
            twins.write("idc", part, patients, SEED, rows=side, columns=side)
    return folder


def measure(method: str, folder: Path) -> dict[str, float]:
    """Run `work` in a fresh process with an empty cache, so that decoding is measured and nothing else is in memory."""
    with tempfile.TemporaryDirectory(prefix="histolib-bench-") as empty:
        command = [sys.executable, "-m", "bench.oversampling", method, str(folder)]
        environment = os.environ | {"HISTOLIB_CACHE": empty}
        done = subprocess.run(command, env=environment, cwd=_ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{method} on {folder} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def work(method: str, folder: Path) -> dict[str, float]:
    """Seconds of each step and memory at the peak in GB; `above` leaves out imports and the given images once."""
    before, clock = memory.resident(), [time.perf_counter()]
    dataset = datasets.load("idc", folder)
    clock.append(time.perf_counter())
    images, labels = dataset.images(), dataset.labels
    clock.append(time.perf_counter())
    if method == "histolib":
        grown, _ = oversampling.smote(images, labels, SEED)
    else:
        sampler = SMOTE(random_state=SEED)
        grown, _ = sampler.fit_resample(images.reshape(len(images), -1).astype("float32"), labels)
    clock.append(time.perf_counter())
    seconds = dict(zip(("load", "decode", "smote"), (b - a for a, b in zip(clock, clock[1:]))))
    top = memory.peak()
    sizes = {"peak": top / _GB, "above": (top - before - images.nbytes) / _GB}
    return seconds | sizes | {"images": len(images), "grown": len(grown)}


if __name__ == "__main__":
    print(json.dumps(work(sys.argv[1], Path(sys.argv[2]))))
