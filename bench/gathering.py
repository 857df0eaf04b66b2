"""Memory of gathering a study of patches: made-up predictions, written and read as those of real units are.

This module is the study: units of work ask it for its plan, its names and what it computes.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from bench import memory
from bench.table import Row
from histolib.metrics import predictions
from studybook.engine import units

UNITS, PATCHES = 500, 40_000  # of the slides' study at its published scale: five folds, each patch of the test images
PER_IMAGE = 70
_FOLDS = 5
_ROOT = Path(__file__).resolve().parent.parent


def rows(count: int = UNITS, patches: int = PATCHES) -> list[Row]:
    """Write `count` units of `patches` patches, then gather them in a fresh process."""
    with tempfile.TemporaryDirectory(prefix="histolib-bench-") as folder:
        start = time.perf_counter()
        for one in plan(count, patches):
            units.run(sys.modules[__name__], one, folder)
        written = time.perf_counter() - start
        command = [sys.executable, "-m", "bench.gathering", str(count), str(patches), folder]
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True)
    found, size = json.loads(done.stdout), f"{count:,} units of {patches:,} patches"
    aim = "below 2" if count * patches >= UNITS * PATCHES else "–"
    return [
        Row(f"peak memory, gather and score {size}", found["peak"], "GB, less is better", aim=aim),
        Row(f"gather {size}", found["seconds"], "s, less is better"),
        Row(f"write {size}", written, "s, less is better"),
    ]


def plan(count: int, patches: int) -> list[dict]:
    """Settings of all units: five folds of each method."""
    return [{"number": k // _FOLDS, "fold": k % _FOLDS + 1, "patches": patches} for k in range(count)]


def label(settings: Mapping) -> str:
    """Name of a unit."""
    return f"made-up-{settings['number']}-fold{settings['fold']}"


def fingerprint(settings: Mapping) -> str:
    """Of data that there are not."""
    return "made up"


def compute(settings: Mapping) -> units.Result:
    """Random answers for the patches of images, with names as long as real ones."""
    at, fold = np.arange(settings["patches"]), settings["fold"]
    image, patch = np.divmod(at, PER_IMAGE)
    names = [f"SOB_M_DC-14-{10_000 * fold + k // 9}-100-{k % 9:03}" for k in range(image.max() + 1)]
    manifest = pd.DataFrame({"image_id": np.array(names)[image], "label": image // 9 % 2})
    manifest["patient"] = manifest["image_id"].str[6:17]
    p = np.random.default_rng([settings["number"], fold]).random(len(at))
    name = f"ResNet, stride 2, made-up contrast {settings['number']}, sliding 128, 100x"
    table = predictions.table(name, manifest, p, fold)
    table["patch_id"] = table["image_id"] + "/" + pd.Series(patch).astype(str)
    return units.Result(table, facts={"malignant share": 0.7})


def work(count: int, patches: int, folder: str) -> dict[str, float]:
    """Gather all units as the chapter does, and score the patches of one method; seconds, and GB at the peak."""
    from histolib import metrics
    from studybook.papers.breakhis_patches import scoring

    start = time.perf_counter()
    found = units.gather(sys.modules[__name__], plan(count, patches), folder, kept=scoring.joined())
    seconds = time.perf_counter() - start
    scoring.levels(found.predictions)
    metrics.summary(found.saved(number=0), draws=2)
    return {"seconds": seconds, "peak": memory.peak() / 1e9}


if __name__ == "__main__":
    print(json.dumps(work(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])))
