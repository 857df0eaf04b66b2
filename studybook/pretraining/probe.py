"""How much of what a network gives is about carcinoma: a linear probe, on patients that it was not fitted to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import keras
import numpy as np
import pandas as pd
from IPython.display import Markdown
from sklearn.linear_model import LogisticRegression

from histolib import metrics, models, reproducibility, training
from histolib.descriptors import classifiers
from histolib.models import features
from histolib.models.backbones import PHANTOM_WIDTH, imagenet_at_hand
from studybook.pretraining.learning import SIZES
from studybook.published import beside, verdicts
from studybook.twins.ceiling import METHOD as CEILING

__all__ = [
    "COLORS", "CONSTANT", "DARKNESS", "answers", "called", "gains", "halves", "imagenet_at_hand", "plainest", "pooled",
    "pooled_by_weights", "sentences", "tested", "told", "trained",
]  # fmt: skip
COLORS = "color histogram, random forest"  # the method that a network has to beat
DARKNESS, CONSTANT = "mean darkness", "one answer to all"
PLAIN = (COLORS, DARKNESS, CONSTANT, CEILING)
DRAWINGS_TEACH = "Learning from drawings beats random weights"
DRAWINGS_BEAT_COLOR = "Learning from drawings beats knowing colors alone"
DRAWINGS_BEAT_PHOTOGRAPHS = "Learning from drawings beats learning from photographs"
PHOTOGRAPHS_BEAT_COLOR = "Learning from photographs beats knowing colors alone"
# What a reader is told of networks and of their weights.
_NETWORKS = {
    "vgg16": "VGG-16 (an eighth wide)",
    "resnet50": "ResNet-50 (an eighth wide)",
    "inceptionv3": "Inception v3 (an eighth wide)",
} | {f"efficientnet_lite{k}": f"EfficientNet-Lite{k}" for k in range(3)}
_WEIGHTS = {"phantom": "from drawings", "imagenet": "from photographs", "random": "random weights"}


def pooled(backbone: keras.Model, images: np.ndarray, side: int | None = None) -> np.ndarray:
    """Last activations of the last four blocks, each averaged over the image, joined: float32 (N, D).

    Parameters
    ----------
    images
        uint8, (N, H, W, 3).
    side
        Side in pixels that images are resized to inside the network; None leaves them as they are.
    """
    return training.predict(features.extractor(backbone, images.shape[1:], "blocks", side), images)


def halves(patients) -> np.ndarray:
    """True for the patients of the development half, by the parity of a hash of their name: no seed, no luck, no
    choice.

    The recipe of the pre-training was chosen by probes on the development half of the real patients; results are
    those of the other.
    """
    return np.array([hashlib.sha256(str(name).encode()).digest()[0] % 2 == 0 for name in patients], bool)


def pooled_by_weights(
    images: np.ndarray, networks: Sequence[str], seeds: Sequence[int], side: int
) -> dict[str, np.ndarray]:
    """Pooled outputs of each network by random weights, phantom weights and, where they are at hand, ImageNet's.

    Parameters
    ----------
    images
        uint8, (N, H, W, 3).
    networks
        Names from `models.BACKBONES`. Of `models.APPLICATIONS` random weights are of the width of the phantom weights;
        of EfficientNet-Lite, which has no phantom weights, of the published width.
    seeds
        Seeds of the random weights, one set of features each.
    side
        Side in pixels that EfficientNet-Lite sees images at, whatever its weights.

    Returns
    -------
    dict
        ``"vgg16, random 0"``, ``"vgg16, phantom"``, ``"vgg16, imagenet"`` ... to float32 (N, D).
    """
    found = {}
    for name in networks:
        drawn = name in models.APPLICATIONS
        width, size = (PHANTOM_WIDTH, _side(name, images)) if drawn else (1.0, side)
        for seed in seeds:
            reproducibility.seed(seed)
            found[f"{name}, random {seed}"] = pooled(models.backbone(name, width, None), images, size)
        if drawn:
            found[f"{name}, phantom"] = pooled(models.backbone(name, width, "phantom"), images, size)
        if imagenet_at_hand(name):
            found[f"{name}, imagenet"] = pooled(models.backbone(name), images, size)
    return found


def tested(described: Mapping[str, np.ndarray], labels, patients, development: np.ndarray, seed: int = 0) -> dict:
    """Probability of class 1 of the images outside of `development`, by probes fitted to those inside."""
    labels, patients = np.asarray(labels)[development], np.asarray(patients)[development]
    found = {}
    for name, one in described.items():
        model = classifiers.fit("logistic", one[development], labels, patients, seed)
        found[name] = model.predict_proba(one[~development])[:, 1]
    return found


def plainest(images: np.ndarray, labels: np.ndarray, development: np.ndarray) -> dict[str, np.ndarray]:
    """Probability of class 1 of the images outside of `development` by the two plainest methods.

    One knows the mean darkness of an image, the other nothing: it gives the share of class 1 to all.
    """
    darkness = 1 - images.mean((1, 2, 3), dtype=np.float64)[:, None] / 255
    fitted = LogisticRegression(C=1e3).fit(darkness[development], labels[development])
    share = labels[development].mean()
    outside = int((~development).sum())
    return {DARKNESS: fitted.predict_proba(darkness[~development])[:, 1], CONSTANT: np.full(outside, share)}


def trained(rows: pd.DataFrame) -> pd.DataFrame:
    """Predictions in which random weights of several seeds are one method with several trainings, column ``seed``."""
    parts = rows["method"].str.extract(r"^(?P<name>.*, random) (?P<seed>\d+)$")
    names = parts["name"].where(parts["name"].notna(), rows["method"])
    return rows.assign(method=names, seed=pd.to_numeric(parts["seed"]).fillna(0).astype(int))


def called(method: str) -> str:
    """What a reader is told of a method: the network with its width, and what it has learned from."""
    network, _, weights = method.partition(", ")
    return f"{_NETWORKS[network]}, {_WEIGHTS.get(weights, weights)}" if network in _NETWORKS else method


def answers(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """What a run says about each of the questions: AUC of one method less another's, on the same patients.

    Parameters
    ----------
    rows
        Predictions of a run, those of a kept one as they are.
    draws, seed
        As in `metrics.bootstrap`.

    Returns
    -------
    DataFrame
        Index ``question, method, less``; ``value, low, high``.
    """
    rows = trained(rows)
    known = list(rows["method"].unique())
    drawings, photographs = ([name for name in known if name.endswith(end)] for end in (", phantom", ", imagenet"))
    pairs = {
        question: [pair for pair in asked if set(pair) <= set(known)]
        for question, asked in {
            DRAWINGS_TEACH: [(name, name.replace("phantom", "random")) for name in drawings],
            DRAWINGS_BEAT_COLOR: [(name, COLORS) for name in drawings],
            DRAWINGS_BEAT_PHOTOGRAPHS: [(name, other) for name in drawings for other in photographs],
            PHOTOGRAPHS_BEAT_COLOR: [(name, COLORS) for name in photographs],
        }.items()
    }
    areas = metrics.differences(rows, [pair for asked in pairs.values() for pair in asked], draws, seed=seed)
    found = {question: areas.xs("auc", level="score").loc[asked] for question, asked in pairs.items() if asked}
    return pd.concat(found, names=["question", "method", "less"])


def told(runs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Each question and network beside what each run says: the difference, its interval and the verdict.

    Parameters
    ----------
    runs
        Name of a run to its `answers`, in the order of the columns.
    """
    columns = {}
    for name, found in runs.items():
        text = found.apply(lambda row: f"{beside.interval(row, 3, '+')}: {verdicts.verdict(row, 'above')}", axis=1)
        places = [(question, _network(pair)) for question, *pair in found.index]
        columns[name] = text.set_axis(pd.MultiIndex.from_tuples(places))
    order = dict.fromkeys(place for column in columns.values() for place in column.index)
    table = pd.DataFrame(columns, index=pd.MultiIndex.from_tuples(order, names=["question", "network"]))
    return table.fillna(verdicts.NOT_RUN)


def sentences(runs: Mapping[str, pd.DataFrame]) -> Markdown:
    """What was found: of each question for how many networks it holds, in the first run that answers it."""
    lines = []
    for question in dict.fromkeys(one for found in runs.values() for one in found.index.unique("question")):
        name, found = next((name, one) for name, one in runs.items() if question in one.index.unique("question"))
        said = [(_network(index), verdicts.verdict(row, "above")) for index, row in found.loc[question].iterrows()]
        by = {one: ", ".join(network for network, verdict in said if verdict == one) for one in dict(said).values()}
        each = "; ".join(f"{verdict} for {names}" for verdict, names in by.items())
        lines.append(f"- *{question}*: {each} ({name}).")
    return Markdown("\n".join(lines) or "No run is kept here.")


def gains(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """AUC of each method with learned weights less that of every method it has to beat, on the same patients, as text.

    These are the same network with random weights, all seeds of them together; mere colors; and, for weights learned
    from drawings, those learned from photographs.

    Parameters
    ----------
    rows
        From `trained`.
    draws, seed
        As in `metrics.bootstrap`.

    Returns
    -------
    DataFrame of str
        `beside.against`; index ``method, less``.
    """
    methods = list(rows["method"].unique())
    photographs = [name for name in methods if name.endswith(", imagenet")]
    pairs = []
    for method in (name for name in methods if name not in PLAIN and not name.endswith(", random")):
        weaker = f"{method.split(', ')[0]}, random"
        others = [name for name in photographs if method not in photographs]
        pairs += [(method, name) for name in (weaker, COLORS, *others) if name in methods]
    differences = metrics.differences(rows, pairs, draws, seed=seed)
    return beside.against(differences, "auc").rename_axis(["method", "less"])


def _network(index: Sequence[str]) -> str:
    """The network, and the one that it is compared with if that is another."""
    first, other = (called(name).split(", ")[0] for name in index)
    return first if other == first or index[1] == COLORS else f"{first} less {other}"


def _side(name: str, images: np.ndarray) -> int | None:
    return SIZES[name] if name == "inceptionv3" and min(images.shape[1:3]) < 75 else None
