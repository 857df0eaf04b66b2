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

from histolib.datasets import films, mammograms

CLASSES = mammograms.CLASSES
LAYOUT = "mias/mdb<NNN>.pgm and mias/Info.txt"
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
    """The folder that holds ``Info.txt`` and the films, at `root` or below it.

    Raises FileNotFoundError if there is none; shows the layout.
    """
    probe = lambda folder: (folder / INFO).is_file() and any(folder.glob("mdb*.pgm"))  # noqa: E731
    return mammograms.find(root, "mini-MIAS", LAYOUT, probe, ("mias", "MIAS"))


def scan(folder: Path) -> pd.DataFrame:
    """Manifest of the abnormalities whose film and position are there; `left_out` counts the others.

    Films come in pairs: 2k - 1 and 2k are the right and the left breast of one woman (notes of ``Info.txt``). All are
    MLO views.

    Returns
    -------
    DataFrame
        `mammograms.COLUMNS`, ``abnormality`` (class of the list), ``tissue`` and ``radius`` (pixels).

    Raises
    ------
    ValueError
        A line of ``Info.txt`` that can't be understood (with its number), a film that is no image, a circle beside the
        film.
    """
    rows, counts = [], Counter()
    for part, entry in entries(folder).items():
        if not _reason(folder, entry):
            counts[entry.film] += 1
            rows.append(_row(folder, part, entry, counts[entry.film]))
    return mammograms.manifest(rows, ("abnormality", "tissue", "radius"))


def left_out(folder: Path) -> dict[str, int]:
    """Entries of ``Info.txt`` that are no row of the manifest: reason and number."""
    reasons = Counter(_reason(folder, entry) for entry in entries(folder).values())
    return {reason: count for reason, count in sorted(reasons.items()) if reason}


def shape(folder: Path, table: pd.DataFrame) -> tuple[int, int]:
    """Height and width of a region in pixels."""
    return mammograms.SHAPE


def contour(folder: Path, row: NamedTuple) -> np.ndarray:
    """The circle that the list gives, in pixels of the film: float (96, 2), column and row of each point."""
    x, y, radius = entries(folder / Path(row.outline).parent)[row.part].circle
    return _circle(x, row.film_height - 1 - y, radius)


READER = mammograms.reader(contour)
film = mammograms.film


def entries(folder: Path) -> dict[int, Entry]:
    """The list's entries by the number of their line, from 1."""
    path = folder / INFO
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


def _reason(folder: Path, entry: Entry) -> str:
    """Why an entry is no row; empty if it is one."""
    if entry.label is None:
        return "normal"
    if entry.circle is None:
        return "without a position"
    return "" if (folder / f"{entry.film}.pgm").is_file() else "film not there"


def _row(folder: Path, part: int, entry: Entry, count: int) -> dict:
    path = f"{entry.film}.pgm"
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
