"""How many blocks of a network to fine-tune on mammographic masses: the settings compared, and one of them computed.

Chougrad et al. 2018, sections 2.2.3, 3.1 to 3.4. Planning imports no network library, so that it starts at
once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from histolib import datasets
from histolib.datasets import mammograms
from histolib.metrics import splits
from studybook import twins
from studybook.engine.units import Result
from studybook.papers.mammography_finetuning import cutting, leaks
from studybook.twins import ceiling

MERGED, UNSEEN = "merged", "mias"
TITLES = {
    "inbreast": "INbreast", "mias": "MIAS", "cbis_ddsm": "CBIS-DDSM", "bcdr": "BCDR", "merged": "merger of the sets",
}  # fmt: skip
OFFICIAL = ("cbis_ddsm",)  # sets that come with a training and a test part, and say which two views show one lesion
# The published 0.5, in radians as the library of the time took it (until the end of 2017); here in degrees.
SHEAR = float(np.rad2deg(0.5))
BLOCKS = (0, 1, 2, 3, "all")
PLAIN = "plain"  # no block trained and no dense layers: a logistic regression on what the frozen network gives
CONTROL = "0+"  # no block trained, the dense layers alone learn in the second stage too, as long as the others do
AT_ONCE = "2-"  # two blocks and the dense layers from the beginning, no first stage
STATISTICS = "2s"  # two blocks; frozen blocks normalize by the batch at hand in training, as in the Keras of 2017
CONSTANT = "constant"  # the share of malignant regions in the training part, whatever is shown
BOX = "box"  # no network: a logistic regression on the size of the lesion's box alone
TRAITS = "traits"  # of a twin: a logistic regression on the traits that its masses were drawn from
SMALL = "small"  # a small network that starts from random weights
ACQUISITION = "acquisition"  # a logistic regression on what film and scanner leave in a region
ONCE = (CONTROL, AT_ONCE, STATISTICS)  # trained once, and compared with the first training of the others
STRATEGIES = (PLAIN, *ONCE, *BLOCKS)
_NO_NETWORK = {
    CONSTANT: "constant answer", BOX: "size of the box", TRAITS: ceiling.METHOD,
    SMALL: "small network from scratch", ACQUISITION: "gray levels and noise",
}  # fmt: skip
_TITLES = _NO_NETWORK | {
    PLAIN: "plain classifier", CONTROL: "0 blocks, both stages", AT_ONCE: "2 blocks, head not first",
    STATISTICS: "2 blocks, batch statistics everywhere", 1: "1 block",
}  # fmt: skip
# Which regions have to lie on one side of a split, from the loosest rule to the strictest.
LADDER = ("image", "film", "lesion", "breast", "woman")
# How a unit differs from the usual one of its strategy; part of its method's name.
STOPPED = "stopped on the test part"  # the test part decides when the second stage ends
PENALTY = "penalty chosen on the test part"
ALL_SETS, OTHER_SETS, WHICH = "learned from all sets", "learned from the other sets", "which set"
SCALED = ", windows by archive"  # 300 pixels of each real archive's films
AWAY = "regions without the lesion"
POOLS = {"all": (ALL_SETS,), "others": (OTHER_SETS,), "which": (WHICH,),
         "scales": (OTHER_SETS + SCALED, WHICH + SCALED)}  # fmt: skip
WITHOUT = {
    "augmentation": "without augmentation", "dropout": "without dropout", "penalty": "without penalty",
    "contrast": "without contrast normalization",
}  # fmt: skip
RANDOM = ("random", "gaussian")  # Keras's own initialization; the paper's, from 0 to 0.05
LEARNED = ("imagenet", "phantom")
PLATEAU = 5  # epochs without a smaller validation loss before the rate is divided by ten; not published
CARD_DRAWS = 500  # bootstrap resamples of the intervals on the card of the screening network
MOMENTUM = 0.9  # of stochastic gradient descent; not published
SMALL_SIDE = 64  # pixels of a region, of the small network
_SHARED = (
    "data", "patients", "data_seed", "damaged", "window", "millimeters", "stretch", "size", "width", "folds",
    "epochs_head", "epochs_tuning", "epochs_small", "batch_size", "precision", "learning_rate", "learning_rate_random",
    "patience", "dropout", "l2", "seed",
)  # fmt: skip


def plan(parameters: Mapping) -> list[dict]:
    """Settings of all units.

    On each set, by folds: the constant answer, the size of the box alone, of a twin the drawn traits; every one of
    ``strategies`` and, if asked for, random weights, by ``networks``; two blocks by every network of
    ``networks_compared``; ``leak`` once more for every rule of ``leak_by``. What is trained step by step is trained
    ``trainings`` times, except `ONCE`; two blocks once more without each of ``ablations``. What ``test_decides``
    names is stopped, or its penalty chosen, on the test part. For the rules of ``away_by`` the plain classifier is
    asked about regions that show no lesion. Where there are several sets, it learns by ``pool`` from all of them or
    from the others, or tells which set a region is from. On the first fold of the first set, for every number of
    ``curve_women`` and every one of ``curve_difficulty``: the traits, the plain classifier and a small network from
    scratch. On the merger: two blocks by every network of ``networks_merged``. By ``network_screening`` two blocks
    on all of the merger, or of the first set where it is not among ``sets``, tested on MIAS. MIAS itself has folds
    only where no other set is. A set that is not below ``data`` is left out.

    Raises
    ------
    ValueError
        Values that don't fit together; names the parameter.
    """
    _check(parameters)
    drawn = not parameters["data"]
    there = twins.NAMES if drawn else datasets.available(parameters["data"])
    known = [name for name in parameters["sets"] if name in there]
    sets = [name for name in known if name not in (MERGED, UNSEEN)] or [name for name in known if name == UNSEEN]
    weights, first = parameters["weights"], parameters["networks"][0]
    strategies, leak = (list(map(_strategy, parameters[name])) for name in ("strategies", "leak"))
    simple = [CONSTANT, BOX, *([TRAITS] if drawn else [])]
    names = ("dataset", "network", "weights", "blocks", "by")
    chosen = []
    for one in sets:
        by = parameters["by"] if one in OFFICIAL else "patient"
        chosen += [(one, first, weights, k, by) for k in simple]
        chosen += [(one, net, weights, k, by) for net in parameters["networks"] for k in strategies]
        chosen += [(one, net, start, "all", by) for net in parameters["networks"] for start in parameters["random"]]
        chosen += [(one, net, weights, 2, by) for net in parameters["networks_compared"]]
        rules = [rule for rule in parameters["leak_by"] if rule != "lesion" or one in OFFICIAL]
        chosen += [(one, first, weights, k, rule) for rule in rules for k in leak]
    if MERGED in known:
        chosen += [(MERGED, net, weights, 2, "patient") for net in parameters["networks_merged"]]
    shared = {name: parameters[name] for name in _SHARED}
    usual = {"test": "", "fold": 0, "training": 0, "women": 0, "variant": "", "sources": "",
             "difficulty": parameters["difficulty"] if drawn else 1.0}  # fmt: skip
    units = [dict(zip(names, one)) | usual for one in dict.fromkeys(chosen)]
    units = [one | {"fold": fold, "training": training} for one in units
             for training in range(parameters["trainings"] if is_trained(one) and one["blocks"] not in ONCE else 1)
             for fold in range(_folds(parameters, one["by"]))]  # fmt: skip
    units += _variants(parameters, units, sets, [name for name in known if name != MERGED])
    units += _curves(parameters, [one for one in units if one["dataset"] == sets[0]] if sets else [], drawn)
    screened = MERGED if MERGED in known else sets[0] if sets else UNSEEN
    if UNSEEN in known and screened != UNSEEN:
        by = parameters["by"] if screened in OFFICIAL else "patient"
        last = (screened, parameters["network_screening"], weights, 2, by)
        last = dict(zip(names, last)) | usual
        # Beside the unit that is the same network, so that it is trained once.
        at = units.index(last) + 1 if last in units else len(units)
        units.insert(at, last | {"test": UNSEEN})
    return [shared | one for one in units]


def _check(parameters: Mapping) -> None:
    known = ", ".join(map(str, STRATEGIES))
    for name in ("strategies", "leak"):
        if not {_strategy(k) for k in parameters[name]} <= {*STRATEGIES}:
            raise ValueError(f"{name}={parameters[name]}: expected each of {known}")
    if 2 not in map(_strategy, parameters["strategies"]) and not parameters["networks_compared"]:
        raise ValueError(f"strategies={parameters['strategies']}: expected 2 among them, the strategy of Table 2")
    if PLAIN not in parameters["strategies"]:
        raise ValueError(
            f"strategies={parameters['strategies']}: expected plain among them, all others are compared with it"
        )
    if parameters["folds_run"] > parameters["folds"]:
        raise ValueError(f"folds_run={parameters['folds_run']}: expected at most folds={parameters['folds']}")
    decided = (PLAIN, "2")
    lists = {"leak_by": LADDER, "away_by": LADDER, "random": RANDOM, "pool": POOLS, "ablations": WITHOUT,
             "test_decides": decided}  # fmt: skip
    for name, allowed in lists.items():
        if not {*parameters[name]} <= {*allowed}:
            raise ValueError(f"{name}={parameters[name]}: expected each of {', '.join(allowed)}")


def _variants(parameters: Mapping, units: list[dict], sets: list[str], pooled: list[str]) -> list[dict]:
    """Units that differ from those planned in how they learn, by what they are chosen, or what they are shown."""
    found, decided = [], {2: STOPPED} if "2" in parameters["test_decides"] else {}
    firsts = [one for one in units if one["blocks"] == 2 and one["network"] == parameters["networks"][0]
              and one["dataset"] in sets and one["by"] not in LADDER and not one["training"]]  # fmt: skip
    for name in parameters["ablations"]:
        changed = {"variant": WITHOUT[name]} | {"dropout": {"dropout": 0.0}, "penalty": {"l2": 0.0}}.get(name, {})
        found += [one | changed for one in firsts]
    found += [one | {"variant": decided[2]} for one in firsts if decided]
    plain = [one for one in units if one["blocks"] == PLAIN and one["network"] == parameters["networks"][0]
             and not one["fold"]]  # fmt: skip
    rows = []
    for one in [next(one for one in plain if one["dataset"] == name) for name in sets]:
        rows += [one | {"by": "woman", "variant": PENALTY}] if PLAIN in parameters["test_decides"] else []
        rules = [rule for rule in parameters["away_by"] if rule != "lesion" or one["dataset"] in OFFICIAL]
        rows += [one | {"by": rule, "variant": AWAY} for rule in rules]
    if len(pooled) > 1 and plain:
        chosen = [name for name in POOLS if name in parameters["pool"]]
        chosen = [name for name in chosen if name != "scales" or not parameters["data"]]
        told = plain[0] | {"by": "woman", "sources": "+".join(pooled)}
        by_woman = {one["dataset"] for one in plain if one["by"] == "woman"}
        rows += [told | {"dataset": name} for name in pooled if name not in by_woman and chosen]
        for variant in (variant for name in chosen for variant in POOLS[name]):
            kinds = (PLAIN, ACQUISITION) if variant.startswith(WHICH) else (PLAIN,)
            # Of two sets, being from the one is not being from the other.
            asked = pooled[:1] if variant.startswith(WHICH) and len(pooled) == 2 else pooled
            rows += [told | {"dataset": name, "variant": variant, "blocks": kind} for name in asked for kind in kinds]
    return found + [one | {"fold": fold} for one in rows for fold in range(parameters["folds"])]


def _curves(parameters: Mapping, units: list[dict], drawn: bool) -> list[dict]:
    """Units of the first set's first fold with fewer women to learn from, and of twins that are easier or harder."""
    if not units or not (parameters["curve_women"] or parameters["curve_difficulty"]):
        return []
    start = next(one for one in units if one["blocks"] == PLAIN)
    kinds = [*([TRAITS] if drawn else []), PLAIN, SMALL]
    places = [{"women": count} for count in parameters["curve_women"]]
    places += [{"difficulty": value} for value in parameters["curve_difficulty"] if drawn]
    found = [*units]
    for one in (start | place | {"blocks": kind} for place in [{}, *places] for kind in kinds):
        found += [] if one in found else [one]
    return found[len(units) :]


def _folds(parameters: Mapping, by: str) -> int:
    """How many folds are run; of the ladder all, since other rules put other regions into the first."""
    return 1 if by == "official" else parameters["folds"] if by in LADDER else parameters["folds_run"]


def _strategy(text: str) -> str | int:
    return int(text) if text.isdigit() else text


def is_trained(settings: Mapping) -> bool:
    """Whether chance decides in the training of a unit, in its initial weights and the order of its images."""
    return settings["blocks"] not in (PLAIN, CONSTANT, BOX, TRAITS, ACQUISITION)


def group(settings: Mapping) -> str:
    """Large networks of one set, fold and training are computed by one process; all else of a set by another."""
    first = f"{(settings['sources'] or settings['dataset']).split('+')[0]}-{settings['network']}"
    if is_trained(settings) and settings["blocks"] != SMALL:
        own = f"-{settings['variant']}".replace(" ", "-") if settings["variant"].startswith("without") else ""
        return f"{first}-fold{settings['fold']}-training{settings['training']}{own}"
    return f"{first}-others-difficulty{settings['difficulty']:g}".replace(".", "_")


def method(settings: Mapping) -> str:
    """What tells the settings of units apart, the fold left out; the name of their rows in tables of predictions."""
    parts, blocks = [settings["dataset"]], settings["blocks"]
    if blocks not in _NO_NETWORK:
        narrow = Fraction(settings["width"]).limit_denominator(64)
        parts += [settings["network"], *([f"{narrow} of the width"] if narrow != 1 else []), settings["weights"]]
    parts.append(_TITLES.get(blocks, f"{blocks} blocks"))
    parts += {"patient": [], "official": ["official parts"]}.get(settings["by"], [f"by {settings['by']}"])
    parts += [settings["variant"]] if settings["variant"] else []
    parts += [f"difficulty {settings['difficulty']:g}"] if settings["difficulty"] != 1 else []
    parts += [f"{settings['women']} women"] if settings["women"] else []
    parts += [f"training {settings['training'] + 1}"] if settings["training"] else []
    return ", ".join(parts + ([f"tested on {settings['test']}"] if settings["test"] else []))


def short(names: Iterable[str]) -> dict[str, str]:
    """Names of `method` without what tells nothing here: set, learned weights, and what all of them share."""
    parts = {name: name.split(", ") for name in names}
    networks = {part for found in parts.values() for part in found if part.startswith(_NETWORKS)}
    dropped = {*LEARNED, "official parts", *(networks if len(networks) == 1 else ())}
    shared = set.intersection(*map(set, parts.values())) if parts else set()
    dropped |= {part for part in shared if part.startswith("difficulty ")}
    return {name: ", ".join(part for part in found[1:] if part not in dropped) for name, found in parts.items()}


_NETWORKS = ("vgg", "resnet", "inception", "efficientnet")


def label(settings: Mapping) -> str:
    """Name of a unit."""
    return f"{method(settings).replace(', ', '-').replace(' ', '').replace('/', 'of')}-fold{settings['fold']}"


def fingerprint(settings: Mapping) -> str:
    """Of the regions that a unit learns from and is tested on."""
    names = [settings["dataset"], *(settings["sources"].split("+") if settings["sources"] else [])]
    names += [settings["test"]] if settings["test"] else []
    return " ".join(dataset(settings, name).fingerprint for name in names)


def dataset(settings: Mapping, name: str) -> datasets.Dataset:
    """A set as a unit uses it, its regions cut as ``window``, ``millimeters`` and ``stretch`` say."""
    return _load(name, *_place(settings))


def _place(settings: Mapping) -> list:
    scaled = {"millimeters": cutting.AS_ARCHIVED} if settings["variant"].endswith(SCALED) else {}
    return [(settings | scaled)[key] for key in _PLACE]


def parts(settings: Mapping) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions of the training, validation and test regions; no test region if the merger is learned from for MIAS.

    One fold, or the official test part, is tested on; of the rest, a fifth decides when to stop. That fifth is not
    learned from either where the test part decides in its place.
    """
    found = dataset(settings, settings["dataset"])
    together = sides(found.table, settings["by"])
    rest, test = np.arange(len(found.table)), np.arange(0)
    if settings["by"] == "official":
        testing = (found.table["split"] == "test").to_numpy()
        rest, test = np.flatnonzero(~testing), np.flatnonzero(testing)
    elif not (settings["test"] and settings["dataset"] == MERGED):
        divided = splits.folds(found.labels, together, settings["folds"], "patient", settings["seed"])
        rest, test = list(divided)[settings["fold"]]
    if settings["women"]:
        rest = rest[np.isin(found.patients[rest], _fewer(found, rest, settings["women"], settings["seed"]))]
    train, check = splits.two_parts(found.labels[rest], together[rest], 0.2, "patient", settings["seed"])
    return rest[train], test if settings["variant"] == STOPPED else rest[check], test


def sides(table: pd.DataFrame, by: str) -> np.ndarray:
    """Name of what must not stand on two sides of a split, for each region.

    ``image``: the region alone. ``film``: all of one film. ``lesion``: both views of a lesion; its number within the
    breast says which, where the set has one. ``breast``: all of one breast. Anything else: all of one woman.
    """
    if by == "image":
        return table["image_id"].to_numpy(object)
    parts = {"film": ["path"], "lesion": ["patient", "side", "abnormality_id"], "breast": ["patient", "side"]}
    parts = parts.get(by, ["patient"])
    missing = [name for name in parts if name not in table]
    if missing:
        raise ValueError(f"by={by!r}: the set has no column {', '.join(missing)}; found {', '.join(table)}")
    return table[parts].astype(str).agg(" ".join, axis=1).to_numpy(object)


def _fewer(found: datasets.Dataset, rest: np.ndarray, count: int, seed: int) -> np.ndarray:
    """So many women, half of them with a malignant region, drawn so that fewer are always among more."""
    women = pd.Series(found.labels[rest]).groupby(found.patients[rest]).max().sample(frac=1, random_state=seed)
    return women.groupby(women).cumcount().sort_values(kind="stable").index[:count].to_numpy(object)


def train(network, backbone, settings: Mapping, head, images, labels, validation):
    """Train the head on the frozen backbone; or, from where that ended, the last blocks and the head together.

    Parameters
    ----------
    network, backbone
        From `untrained`; trained in place.
    settings
        Of a unit.
    head
        ``"first"``: the head alone learns. Otherwise the network of that first stage, from which every number of blocks
        starts; or None, if there was no first stage, as with random weights.
    images, labels
        Of the training part, uint8 (N, H, W, 3) and (N,).
    validation
        Images and labels that decide when the rate falls and when the second stage ends; its best weights are kept.

    Returns
    -------
    training.Fit
        Its history has the validation cross-entropy too, which is the validation loss without the penalty on weights.
    """
    import keras

    from histolib import models, training
    from studybook.papers.mammography_finetuning import stopping

    alone = isinstance(head, str)
    models.unfreeze(backbone, 0 if alone else freed(settings))
    if settings.get("blocks") == STATISTICS:
        stopping.normalize_by_batch(backbone)
    watched = stopping.CrossEntropy()
    by = {"monitor": watched.NAME, "mode": "min"}
    lower = keras.callbacks.ReduceLROnPlateau(factor=0.1, patience=PLATEAU, **by)
    stop = keras.callbacks.EarlyStopping(
        patience=settings["patience"], restore_best_weights=True, **by
    )  # fmt: skip
    optimizer, callbacks = keras.optimizers.Adam(0.001), [watched]
    if not alone:
        optimizer = keras.optimizers.SGD(_rate(settings), momentum=MOMENTUM)
        callbacks = [watched, lower, stop]
        network.set_weights((head or network).get_weights())
    return watched.joined(training.fit(
        network, images, labels, validation, _epochs(settings, head),
        settings["batch_size"], "categorical_crossentropy", optimizer,
        _chance(settings) + (not alone), say=None, callbacks=callbacks,
        reuse=_architecture(settings, alone),
        execution=training.Execution(settings["precision"]),
    ))  # fmt: skip


def _rate(settings: Mapping) -> float:
    """Learning rate at which blocks begin."""
    return settings["learning_rate_random" if settings["weights"] in RANDOM else "learning_rate"]


def _epochs(settings: Mapping, head) -> int:
    """Passes of a stage, at most; without a first stage those of both."""
    first, second = settings["epochs_head"], settings["epochs_tuning"]
    return first if isinstance(head, str) else second if head else first + second


def freed(settings: Mapping) -> int | str:
    """How many blocks learn in the second stage."""
    return {CONTROL: 0, AT_ONCE: 2, STATISTICS: 2}.get(settings["blocks"], settings["blocks"])


def _chance(settings: Mapping) -> int:
    """Seed of a training's initial weights and order; folds and parts keep the chapter's seed."""
    return settings["seed"] + 1000 * settings["training"]


def compute(settings: Mapping) -> Result:
    """Train one network with one setting and predict its test part."""
    if not is_trained(settings):
        return _fitted(settings)
    from histolib import models, training

    found = dataset(settings, settings["dataset"])
    tested = dataset(settings, settings["test"]) if settings["test"] else found
    rows = np.arange(len(tested.table)) if settings["test"] else parts(settings)[2]
    fit, backbone, seconds = _trained(**{name: value for name, value in settings.items() if name != "test"},
                                      whole=bool(settings["test"]) and settings["dataset"] == MERGED)  # fmt: skip
    size = SMALL_SIDE if settings["blocks"] == SMALL else settings["size"]
    given = training.predict(fit.model, tested.images(size)[rows])
    table = predicted(settings, tested.table.iloc[rows], given)
    facts = {"training seconds": round(seconds, 2), "epochs": len(fit.history),
             "layers trained": len(models.trainable_layers(backbone)) if backbone else 0,
             "regions": len(parts(settings)[0]), "validation": float(fit.history[_WATCHED].min())}  # fmt: skip
    writers = []
    if settings["test"]:
        check = parts(settings)[1]
        held = predicted(settings, found.table.iloc[check], training.predict(fit.model, found.images(size)[check]))
        writers = [partial(_save, fit.model, found, table, held, settings)]
    return Result(table, {"history": fit.history}, facts, writers)


_WATCHED = "val_cross_entropy"


def predicted(settings: Mapping, tested: pd.DataFrame, given: np.ndarray) -> pd.DataFrame:
    """Predictions of a unit, with what a region is and how dense its breast: kept runs have no films to look it up."""
    from histolib.metrics import predictions

    told = {
        "kind": tested.get("abnormality", "mass"),
        "density": tested.get("tissue", tested.get("density", "not told")),
    }
    table = predictions.table(method(settings), tested, given, settings["fold"])
    return table.assign(**{name: np.asarray(values, object).astype(str) for name, values in told.items()})


@lru_cache(maxsize=1)
def _trained(whole: bool, **settings):
    """The trained network, its backbone and the seconds of both stages; once for all sets that it is tested on."""
    settings["test"] = UNSEEN if whole else ""
    if settings["blocks"] == SMALL:
        fit = _from_scratch(settings)
        return fit, None, fit.seconds
    network, backbone = untrained(settings)
    if settings["blocks"] == AT_ONCE or settings["weights"] in RANDOM:
        fit = train(network, backbone, settings, None, *_learned_from(settings))
        return fit, backbone, fit.seconds
    if settings["blocks"] == STATISTICS:
        first, frozen = train(*untrained(settings), settings, "first", *_learned_from(settings)), None
    else:
        same = {"variant": "" if settings["variant"] == STOPPED else settings["variant"]}
        first, frozen = _head(**{name: value for name, value in (settings | same).items() if name != "blocks"})
    history = first.history.assign(stage="head")
    if settings["blocks"] == 0:
        return replace(first, history=history), frozen, first.seconds
    fit = train(network, backbone, settings, first.model, *_learned_from(settings))
    history = pd.concat([history, fit.history.assign(stage="tuning")], ignore_index=True)
    history.index = pd.RangeIndex(1, len(history) + 1, name="epoch")
    return replace(fit, history=history), backbone, first.seconds + fit.seconds


def _from_scratch(settings: Mapping):
    """A small network (`models.baseline_cnn`) on small regions, from random weights, its best epoch kept."""
    import keras

    from histolib import models, reproducibility, training
    from histolib.training import augmentation
    from studybook.papers.mammography_finetuning import stopping

    reproducibility.seed(_chance(settings) + settings["fold"])
    found, (learned, check, _) = dataset(settings, settings["dataset"]), parts(settings)
    images = found.images(SMALL_SIDE)
    augment = augmentation.RandomAffine(40, 0.25, SHEAR, (0.5, 1.5), flip=True, seed=_chance(settings))
    network = models.baseline_cnn((SMALL_SIDE, SMALL_SIDE, 3), augment=augment)
    watched = stopping.CrossEntropy()
    best = keras.callbacks.EarlyStopping(watched.NAME, patience=settings["epochs_small"], mode="min",
                                         restore_best_weights=True)  # fmt: skip
    fit = training.fit(network, images[learned], found.labels[learned], (images[check], found.labels[check]),
                       settings["epochs_small"], settings["batch_size"], seed=_chance(settings), say=None,
                       callbacks=[watched, best], reuse="mammography, small",
                       execution=training.Execution(settings["precision"]))  # fmt: skip
    return watched.joined(fit)


def _save(network, found: datasets.Dataset, table: pd.DataFrame, held: pd.DataFrame, settings: Mapping, folder: Path):
    """Save a network for the screening program, with what is known of it on its card."""
    from studybook import screening

    train_rows, check, _ = parts(settings)
    known = screening.describe(found)
    known["data"] |= {"images": len(train_rows), "patients": len(set(found.patients[train_rows])),
                      "images that decided when to stop": len(check)}  # fmt: skip
    scores = card_scores(table, held, settings["test"], settings["seed"])
    screening.save(network, folder / "model", **known, metrics=scores)


def card_scores(unseen: pd.DataFrame, held: pd.DataFrame, name: str, seed: int) -> dict[str, float | list[float]]:
    """Scores for the card: AUC and accuracy; the two rates at a threshold of its own; how far probabilities are off.

    Parameters
    ----------
    unseen, held
        Predictions on the set `name` that the network has not seen, and on the part that decided when to stop, on which
        the threshold is chosen: the highest that finds nine of ten malignant regions there.
    name, seed
        Of the set; of the bootstrap.

    Returns
    -------
    dict
        Scores with their 95 % intervals as ``[value, low, high]``. ``probabilities too high by``: their mean less the
        share of malignant regions.
    """
    from histolib import metrics

    malignant = held.loc[held["y_true"] == 1, "p_1"]
    threshold = float(np.quantile(malignant, 0.1, method="lower"))
    half, own = (metrics.summary(unseen, CARD_DRAWS, seed, at).droplevel("method") for at in (0.5, threshold))
    chosen = {"auc": half.loc["auc"], "accuracy": half.loc["accuracy"]}
    chosen |= {f"{rate} at {threshold:.3g}": own.loc[rate] for rate in ("sensitivity", "specificity")}
    off = float((unseen["p_1"] - unseen["y_true"]).mean())
    told = {f"{what} on {name}": row.round(3).tolist() for what, row in chosen.items()}
    return told | {f"probabilities on {name} too high by": round(off, 3)}


def _fitted(settings: Mapping) -> Result:
    """A constant, or a logistic regression on the box, on drawn traits, or on pooled maps of the frozen network."""
    from histolib.descriptors import classifiers

    found, (train_rows, check, test) = dataset(settings, settings["dataset"]), parts(settings)
    rows, facts = np.sort(np.concatenate([train_rows, check])), {}  # no validation part is needed
    tested, seed = found.table.iloc[test], settings["seed"]
    if settings["blocks"] == CONSTANT:
        given = np.full(len(test), found.labels[rows].mean())
    elif settings["blocks"] == TRAITS:
        given = ceiling.ceiling(found, rows, test, seed)
    else:
        learned, known, tested, shown = _pooled(settings) if settings["sources"] and settings["variant"] else (
            _described(settings, found.name)[rows], found.table.iloc[rows], tested,
            _described(settings, found.name)[test])  # fmt: skip
        if settings["variant"] == AWAY:
            # Shown with and without their lesions, as in a study that labels every view of a case.
            elsewhere, there = _elsewhere(settings)
            learned = np.concatenate([learned, elsewhere[rows][there[rows]]])
            known = pd.concat([known, known[there[rows]]])
            tested, shown = tested[there[test]], elsewhere[test][there[test]]
        labels, patients = known["label"].to_numpy(), known["patient"].to_numpy(object)
        facts = {"regions": len(labels)}
        if settings["variant"] == PENALTY:
            model = leaks.chosen_on_test(learned, labels, shown, tested["label"].to_numpy(), seed)
        else:
            model = classifiers.fit("logistic", learned, labels, patients, seed)
        given, facts = model.predict_proba(shown), facts | {"chosen": f"C={model.best_['C']}"}
    return Result(predicted(settings, tested, given), {}, {"layers trained": 0, "regions": len(rows)} | facts)


def _pooled(settings: Mapping) -> tuple[np.ndarray, pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Numbers and rows to learn from and to be tested on, of several sets; which set is the label where that is asked.

    Tested are the regions of the unit's fold by woman. Sets that are not tested are learned from whole.
    """
    own, names = settings["dataset"], settings["sources"].split("+")
    tables = {name: dataset(settings, name).table for name in names}
    folds = {name: parts(settings | {"dataset": name}) for name in names}
    which = settings["variant"].startswith(WHICH)
    whole = {name: np.arange(len(table)) for name, table in tables.items()}
    rest = {name: np.sort(np.concatenate(folds[name][:2])) for name in names}
    others = {name: (rest if which else whole)[name] for name in names if name != own}
    learn = others if settings["variant"].startswith(OTHER_SETS) else {own: rest[own]} | others
    test = {name: folds[name][2] for name in names if which or name == own}
    known, tested = leaks.joined(tables, learn), leaks.joined(tables, test)
    if which:
        known, tested = (table.assign(label=(table["source"] == own).astype(int)) for table in (known, tested))
    else:
        tested = tables[own].iloc[test[own]]
    numbers = {name: _described(settings, name) for name in names}
    learned, shown = (np.concatenate([numbers[name][rows] for name, rows in one.items()]) for one in (learn, test))
    return learned, known, tested, shown


def _described(settings: Mapping, name: str) -> np.ndarray:
    """Numbers of each region of a set, (N, D), that a logistic regression learns from."""
    found = dataset(settings, name)
    if settings["blocks"] == BOX:
        return mammograms.log_sides(found.table)
    if settings["blocks"] == ACQUISITION:
        return leaks.acquisition(found.images(settings["size"]))
    return _frozen(name, *_place(settings), *(settings[key] for key in _FROZEN))[0]


def _elsewhere(settings: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """The same numbers of a region of the same film without a lesion, and which rows have such a region."""
    names = (settings[key] for key in _FROZEN)
    return _frozen(settings["dataset"], *_place(settings), *names, moved=True, seed=settings["seed"])


_PLACE = ("data", "patients", "data_seed", "difficulty", "damaged", "window", "millimeters", "stretch")
_FROZEN = ("network", "width", "weights", "size")


@lru_cache(maxsize=8)
def _frozen(*place, moved: bool = False, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Means of the last activations of the frozen network's last four blocks, for all regions of a set.

    `place`: name, `_PLACE`, `_FROZEN`. With `moved`, of regions without a lesion; which there are comes second.
    """
    from histolib import models, training
    from histolib.models import features

    *place, network, width, weights, size = place
    shape = (size, size, 3)
    backbone = models.backbone(network, width, weights, shape)
    found = _load(*place)
    found, there = cutting.away(found, seed) if moved else (found, np.ones(len(found.table), bool))
    return training.predict(features.extractor(backbone, shape, "blocks"), found.images(size)), there


@lru_cache(maxsize=1)
def _head(**settings):
    """The trained head on the frozen backbone, and the backbone: the same for every number of blocks."""
    network, backbone = untrained(settings)
    return train(network, backbone, settings, "first", *_learned_from(settings)), backbone


def _architecture(settings: Mapping, alone: bool) -> tuple:
    """What networks must have in common so that one can be compiled for all."""
    stage = "head" if alone else f"tuning {freed(settings)}"
    stage += " by batch" if settings.get("blocks") == STATISTICS else ""
    changed = settings["variant"] if settings["variant"].startswith("without") else ""
    return ("mammography", stage, changed, *(settings[name] for name in ("network", "width", "size", "dropout", "l2")))


def untrained(settings: Mapping):
    """Network and the backbone inside, untrained; the same at every call."""
    from histolib import models, reproducibility
    from histolib.training import augmentation

    reproducibility.seed(_chance(settings) + settings["fold"])
    size = settings["size"]
    learned = None if settings["weights"] in RANDOM else settings["weights"]
    backbone = models.backbone(settings["network"], settings["width"], learned, (size, size, 3))
    if settings["weights"] == "gaussian":
        _gaussian(backbone, np.random.default_rng(_chance(settings)))
    augment = augmentation.RandomAffine(40, 0.25, SHEAR, (0.5, 1.5), flip=True, seed=_chance(settings))
    augment = None if settings["variant"] == WITHOUT["augmentation"] else augment
    normalize = None if settings["variant"] == WITHOUT["contrast"] else models.GlobalContrast()
    top = models.deep_head(backbone.output_shape[1:], dropout=settings["dropout"], l2=settings["l2"])
    return models.transfer(backbone, top, (size, size, 3), augment, normalize), backbone


def _gaussian(backbone, rng: np.random.Generator) -> None:
    """Kernels from 0 to 0.05 (section 3.1 of the paper): the positive half of a Gaussian, cut at two deviations."""
    for layer in backbone.layers:
        if getattr(layer, "kernel", None) is not None:
            drawn = np.abs(rng.normal(0, 0.025, layer.kernel.shape))
            layer.kernel.assign(np.minimum(drawn, 0.05).astype(np.float32))


def _learned_from(settings: Mapping) -> tuple:
    """Images and labels of the training part, and both of the validation part."""
    found = dataset(settings, settings["dataset"])
    images, (learned, check, _) = found.images(settings["size"]), parts(settings)
    return images[learned], found.labels[learned], (images[check], found.labels[check])


@lru_cache
def _load(
    name: str, data, patients, seed: int, difficulty: float, damaged: str, window: float, millimeters: float, stretch
) -> datasets.Dataset:
    root = data or twins.folder(name, patients or None, seed, difficulty)
    found = datasets.load(name, root, (data and patients) or None, seed, damaged)
    return cutting.cut(found, window, millimeters, stretch)
