"""A study that takes no time: what `studybook.engine.units` asks of the module of a study.

Variables of the environment say what else happens. ``TOY_KILL``: the unit of that label kills its process;
``TOY_KILL_ALL``: its process group; ``TOY_WAIT``: seconds that each takes; ``TOY_LOG``: a file that lists them.
"""

import os
import signal
import time

import numpy as np
import pandas as pd

from histolib.metrics import predictions
from studybook.engine import units


def plan(parameters):
    """One unit per power and fold."""
    return [
        {"data": parameters["data"], "power": power, "fold": fold, "seed": parameters["seed"]}
        for power in parameters["powers"]
        for fold in (0, 1)
    ]


def group(settings):
    return f"power{settings['power']}"


def label(settings):
    return f"power{settings['power']}-fold{settings['fold']}"


def fingerprint(settings):
    return "the same data"


def compute(settings):
    if os.environ.get("TOY_KILL") == label(settings):
        os.kill(os.getpid(), signal.SIGKILL)
    if os.environ.get("TOY_KILL_ALL") == label(settings):
        os.killpg(os.getpgid(0), signal.SIGKILL)
    time.sleep(float(os.environ.get("TOY_WAIT") or 0))
    if os.environ.get("TOY_LOG"):
        with open(os.environ["TOY_LOG"], "a") as log:
            log.write(label(settings) + "\n")
    manifest = pd.DataFrame({"image_id": ["a", "b"], "patient": ["1", "2"], "label": [0, 1]})
    p = np.array([0.1, 0.9]) ** settings["power"]
    table = predictions.table(group(settings), manifest, p, settings["fold"])
    history = pd.DataFrame({"loss": [1.0, 0.5]}, index=pd.RangeIndex(1, 3, name="epoch"))
    return units.Result(table, {"history": history}, {"trained layers": settings["power"]})
