"""Make the weights that come with the library: ``python -m studybook.pretraining``."""

import argparse
from pathlib import Path

from histolib import models, reproducibility
from histolib.models.backbones import PHANTOM
from studybook.engine import records
from studybook.pretraining import recipe


def main() -> None:
    """Pre-train the networks that are asked for, one after the other; one that is finished is not made again."""
    parser = argparse.ArgumentParser(prog="python -m studybook.pretraining", description=__doc__)
    parser.add_argument(
        "--network", nargs="+", choices=models.APPLICATIONS, default=list(models.APPLICATIONS), help="default: all"
    )
    parser.add_argument("--folder", type=Path, default=PHANTOM, help="where the weights go (default: into the library)")
    parser.add_argument("--images", type=int, help="patches to draw (default: the recipe's)")
    parser.add_argument("--epochs", type=int, help="passes over them (default: the recipe's)")
    parser.add_argument("--seed", type=int, default=0, help="of drawing, initial weights and order (default: 0)")
    parser.add_argument("--again", action="store_true", help="make them again although they are there")
    chosen = parser.parse_args()
    records.revision()  # before the first network's weights change the repository
    for network in chosen.network:
        one = recipe.of(network, images=chosen.images, epochs=chosen.epochs, seed=chosen.seed)
        if not chosen.again and recipe.finished(one, chosen.folder):
            print(f"{network}: already there, made by the same recipe")
            continue
        reproducibility.seed(chosen.seed)
        print(f"{network}: {recipe.make(one, chosen.folder)}")


if __name__ == "__main__":
    main()
