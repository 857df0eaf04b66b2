"""mini-MIAS, digitized film mammograms, Suckling et al., Excerpta Medica International Congress Series 1069, 1994.

Every abnormality of known position is a row: masses, but also calcifications, distortions and asymmetries. The set's
list has 123 entries marked benign or malignant, on 115 films; 119 of these, on 111 films, have a position.

Films have 200 µm per pixel, so that the window of 300 pixels is 60 mm wide and the median abnormality (radius 41
pixels) spans about a quarter of it; two abnormalities are wider than the window.
"""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from histolib.datasets import films, locating, mammograms

CLASSES, SHAPE = mammograms.CLASSES, mammograms.SHAPE
LAYOUT = "mias/mdb<NNN>.pgm and mias/Info.txt, or mias/all-mias/mdb<NNN>.pgm and mias/Info.txt"
INFO = "Info.txt"
TISSUES = {"F": "fatty", "G": "fatty-glandular", "D": "dense-glandular"}
ABNORMALITIES = ("CALC", "CIRC", "SPIC", "MISC", "ARCH", "ASYM")
_FORM = "<mdbNNN> <F, G or D> <class> <B or M> <x> <y> <radius>, or the same with less for films without a position"
_FILM = re.compile(r"^mdb\d{3}$")
_POINTS = 96  # of the circle's outline, a multiple of 4: the ends of both axes are among them


class Entry(NamedTuple):
    """One line of ``Info.txt``; what the line leaves out is None."""

    film: str
    tissue: str
    abnormality: str
    label: int | None = None
    circle: tuple[int, int, int] | None = None
    """x, y (from the bottom) and radius in pixels."""


def find(root: Path) -> Path:
    """The folder that holds ``Info.txt`` and the films, at `root` or below it."""
    probe = lambda folder: locating.named(folder, INFO).is_file() and bool(_films(folder))  # noqa: E731
    return mammograms.find(root, "mini-MIAS", LAYOUT, probe, ("mias", "MIAS"))


def scan(folder: Path, notes: locating.Notes) -> pd.DataFrame:
    """Manifest of the abnormalities whose film and position are there; `notes` takes the others.

    Films come in pairs: 2k - 1 and 2k are the right and the left breast of one woman (notes of ``Info.txt``). All are
    MLO views.

    Columns: `mammograms.COLUMNS`, ``abnormality`` (class of the list), ``tissue`` and ``radius`` (pixels).

    Raises ValueError: a line of ``Info.txt`` that can't be understood (with its number), a film that is no image, a
    circle beside the film.
    """
    rows, counts, there = [], Counter(), _films(folder)
    for part, entry in entries(folder).items():
        if notes.count(_reason(there, entry), entry.film):
            counts[entry.film] += 1
            path = there[entry.film]
            rows += notes.tried(f"{path} ({INFO}, line {part})", _row, folder, path, part, entry, counts[entry.film])
    return mammograms.manifest(rows, ("abnormality", "tissue", "radius"))


def contour(folder: Path, row: NamedTuple) -> np.ndarray:
    """The circle that the list gives, in pixels of the film: float (96, 2), column and row of each point."""
    x, y, radius = entries(folder / Path(row.outline).parent)[row.part].circle
    return _circle(x, row.film_height - 1 - y, radius)


READER = mammograms.reader(contour)


def entries(folder: Path) -> dict[int, Entry]:
    """The list's entries by the number of their line, from 1."""
    path = locating.named(folder, INFO)
    lines = path.read_text("latin-1").splitlines()
    found = {k: _parse(line, path, k) for k, line in enumerate(lines, start=1) if line.startswith("mdb")}
    if not found:
        raise ValueError(f"{path}: no line describes a film; expected {_FORM}")
    return found


def _parse(line: str, path: Path, number: int) -> Entry:
    words = line.split()
    problem = ValueError(f"{path}, line {number}: {line.strip()!r} can't be understood; expected {_FORM}")
    if len(words) < 3 or not _FILM.match(words[0]) or words[1] not in TISSUES:
        raise problem
    if words[2] == "NORM" and len(words) == 3:
        return Entry(*words)
    if len(words) < 4 or words[2] not in ABNORMALITIES or words[3] not in "BM":
        raise problem
    known = Entry(*words[:3], label="BM".index(words[3]))
    # Widely scattered calcifications have no position; the list says "*NOTE 3*" there, or nothing.
    if len(words) == 4 or words[4].startswith("*NOTE"):
        return known
    if len(words) != 7 or not all(word.isdigit() for word in words[4:]):
        raise problem
    return known._replace(circle=tuple(int(word) for word in words[4:]))


def _films(folder: Path) -> dict[str, str]:
    """Path of each film below `folder`, by its name; those in `folder` itself go before those in folders below."""
    found = locating.files(folder, (".pgm",), deep=False) or locating.files(folder, (".pgm",))
    named = {path.stem.lower(): path.relative_to(folder).as_posix() for path in found}
    return {name: path for name, path in named.items() if _FILM.match(name)}


def _reason(there: dict[str, str], entry: Entry) -> str:
    """Why an entry is no row; empty if it is one."""
    if entry.label is None:
        return "normal"
    if entry.circle is None:
        return "without a position"
    return "" if entry.film in there else "film not there"


def _row(folder: Path, path: str, part: int, entry: Entry, count: int) -> dict:
    size = films.size(folder / path)
    x, y, radius = entry.circle
    number = int(entry.film[3:])
    return {
        "image_id": f"{entry.film}_{count}",
        "path": path,
        "label": entry.label,
        "patient": f"{(number + 1) // 2:03d}",
        "view": "MLO",
        "side": "right" if number % 2 else "left",
        # The list counts y from the bottom.
        **mammograms.placed(_circle(x, size[0] - 1 - y, radius), size, f"{folder / INFO}, line {part}"),
        "outline": INFO,
        "part": part,
        "abnormality": entry.abnormality,
        "tissue": TISSUES[entry.tissue],
        "radius": radius,
    }


def _circle(x: float, row: float, radius: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, _POINTS, endpoint=False)
    return np.stack([x + radius * np.cos(angle), row + radius * np.sin(angle)], axis=1).round(6)
