"""How the shipped weights were made, and the whole of it as one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from histolib import models
from histolib.models.backbones import PHANTOM, PHANTOM_WIDTH
from studybook.pretraining import learning, shipping, source

HELD_OUT = 3000  # patches on which errors are measured


@dataclass(frozen=True)
class Recipe:
    """Settings of one pre-training; `epochs` count passes over `images` drawn patches."""

    network: str
    images: int
    epochs: int
    batch_size: int
    rate: float
    seed: int = 0


_RECIPES = {
    "vgg16": Recipe("vgg16", 45000, 6, 64, 2e-3),
    "resnet50": Recipe("resnet50", 45000, 6, 64, 2e-3),
    "inceptionv3": Recipe("inceptionv3", 45000, 5, 64, 2e-3),
}


def of(network: str, images: int | None = None, epochs: int | None = None, seed: int = 0) -> Recipe:
    """The recipe of a network, with fewer images or epochs where they are given.

    Raises
    ------
    ValueError
        If there is no recipe for `network`.
    """
    if network not in _RECIPES:
        raise ValueError(f"network={network!r}: expected one of {', '.join(_RECIPES)}")
    changes = {name: value for name, value in (("images", images), ("epochs", epochs)) if value is not None}
    return replace(_RECIPES[network], seed=seed, **changes)


def train(recipe: Recipe, say: Callable[[str], None] = print) -> learning.Fit:
    """Draw patches and train a network of width 1/8 on them; `reproducibility.seed` decides its initial weights."""
    patches = source.draw(recipe.images, recipe.seed)
    backbone = models.backbone(recipe.network, PHANTOM_WIDTH, None)
    return learning.fit(backbone, patches, recipe.epochs, recipe.batch_size, recipe.rate, recipe.seed, say)


def make(recipe: Recipe, folder: Path = PHANTOM, say: Callable[[str], None] = print) -> Path:
    """Train, measure the errors on patches held out, and write weights and sidecar; returns the weights' file."""
    fit = train(recipe, say)
    found = shipping.errors(fit.model, fit.scaling, source.draw(HELD_OUT, recipe.seed, "held out"))
    return shipping.write(fit, found, asdict(recipe) | {"seconds": round(fit.seconds)}, folder)


def finished(recipe: Recipe, folder: Path = PHANTOM) -> bool:
    """Whether whole weights made by this very recipe lie in `folder`."""
    try:
        known = shipping.sidecar(recipe.network, folder)
    except (OSError, ValueError):
        return False
    return known["source"] == source.VERSION and asdict(recipe).items() <= known.items()
