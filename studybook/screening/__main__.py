"""Ask a saved model about images: ``python -m studybook.screening MODEL IMAGE...``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from histolib import cache
from histolib.datasets.regions import Box
from studybook.screening import Film, Prediction, Screener, drawing, load, predict, read
from studybook.screening.cards import NOTICE
from studybook.screening.text import TWIN, said


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 0, 1 if an image could not be classified, 2 if the model can't be loaded."""
    parser = argparse.ArgumentParser(
        prog="python -m studybook.screening",
        description=__doc__,
        epilog=f"Without a region the whole image is shown. {NOTICE}",
    )
    parser.add_argument("model", type=Path, help="a saved model, ending in .keras")
    parser.add_argument("images", type=Path, nargs="+", metavar="image", help="PNG, JPEG, TIFF, PGM or DICOM")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--region", type=_numbers(4), metavar="T,L,B,R", help="top, left, bottom, right in pixels")
    place.add_argument("--center", type=_numbers(2), metavar="ROW,COLUMN",
                       help="middle of a square of the size that the model learned from")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--heat-maps", type=Path, metavar="FOLDER", help="also write a picture with the heat map there")
    chosen = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what TensorFlow says when it starts is not the answer
    try:
        screener = load(chosen.model)
    except (OSError, ValueError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    found = [_asked(screener, path, chosen) for path in chosen.images]
    print(json.dumps(found, indent=1) if chosen.json else _table(found, screener))
    for line in (NOTICE, *([TWIN] if screener.card.data["twin"] else [])):
        print(line, file=sys.stderr)
    return 1 if any("error" in one for one in found) else 0


def _asked(screener: Screener, path: Path, chosen: argparse.Namespace) -> dict:
    """The answer about one file, or the error that its name gives."""
    try:
        film = read(path)
        side = screener.card.window or min(film.pixels.shape) if chosen.center else None
        prediction = predict(screener, film.pixels, _region(film, chosen), side, bool(chosen.heat_maps))
        if chosen.heat_maps:
            _draw(film, prediction, chosen.heat_maps / f"{path.stem}.png")
    except (OSError, ValueError) as problem:
        message = str(problem) if str(path) in str(problem) else f"{path}: {problem}"
        print(f"error: {message}", file=sys.stderr)
        return {"file": str(path), "error": message}
    notes = [*film.notes, said(prediction, screener.card)]
    return {
        "file": str(path), "label": prediction.label, "probabilities": prediction.probabilities,
        "region": list(prediction.region), "notes": notes,
    }  # fmt: skip


def _region(film: Film, chosen: argparse.Namespace) -> Box | None:
    """The region that was named, or the one pixel in the middle of one."""
    if chosen.center is None:
        return chosen.region
    height, width = film.pixels.shape
    row, column = chosen.center
    if not (0 <= row < height and 0 <= column < width):
        raise ValueError(f"center {row}, {column}: expected a pixel of the image of {height} rows, {width} columns")
    return row, column, row + 1, column + 1


def _draw(film: Film, prediction: Prediction, file: Path) -> None:
    top, left, bottom, right = prediction.region
    drawn: np.ndarray = drawing.overlay(film.pixels[top:bottom, left:right], prediction.heat_map)
    with cache.atomic_file(file) as part:
        Image.fromarray(drawn).save(part)


def _table(found: list[dict], screener: Screener) -> str:
    """Files that gave an answer, one a line, in columns."""
    header = ["file", "label", *screener.card.classes, "top,left,bottom,right"]
    rows = [
        [
            one["file"],
            one["label"],
            *(f"{p:.4f}" for p in one["probabilities"].values()),
            ",".join(map(str, one["region"])),
        ]
        for one in found
        if "error" not in one
    ]
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in [header, *rows])


def _numbers(count: int):
    """A parser of that many integers between commas."""

    def parse(text: str) -> tuple[int, ...]:
        try:
            values = tuple(int(part) for part in text.split(","))
        except ValueError:
            values = ()
        if len(values) != count:
            raise argparse.ArgumentTypeError(f"{text!r}: expected {count} whole numbers with commas between them")
        return values

    return parse


if __name__ == "__main__":
    sys.exit(main())
