"""INbreast, full-field digital mammograms, Moreira et al., Academic Radiology 19, 2012.

Outlines are property lists that name each finding. A row is a finding named mass or spiculated region (also written
espiculated); a spiculated region that touches a mass of the same film is taken as that mass's margin, not as a second
lesion. Calcifications, clusters, distortions, asymmetries and unnamed points are left out.

The set's table has no histology: the film's BI-RADS decides, 1 to 3 benign and 4 to 6 malignant, as is usual for this
set. Films have 70 µm per pixel, so that the window of 300 pixels is 21 mm wide.
"""

import csv
import plistlib
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from xml.parsers.expat import ExpatError

import numpy as np
import pandas as pd

from histolib.datasets import films, mammograms

CLASSES = mammograms.CLASSES
LAYOUT = (
    "INbreast Release 1.0/INbreast.csv, AllXML/<film>.xml and "
    "AllDICOMs/<film>_<patient>_MG_<L or R>_<CC or ML>_ANON.dcm"
)
FILMS = "INbreast.csv"
MASSES = ("mass", "spiculated region", "espiculated region")
HEADER = (
    "Patient ID", "Patient age", "Laterality", "View", "Acquisition date", "File Name", "ACR", "Bi-Rads",
)  # fmt: skip
OWN = ("birads", "density", "finding")
_NAME = re.compile(r"^(?P<film>\d+)_(?P<patient>\w+?)_MG_(?P<side>[LR])_(?P<view>CC|MLO?)_ANON\.dcm$")
_BIRADS = re.compile(r"^[0-6][abc]?$")
_BROKEN = (ExpatError, plistlib.InvalidFileException, LookupError, TypeError, AttributeError, ValueError)
_POINT = re.compile(r"^\(\s*(-?[\d.eE+-]+)\s*,\s*(-?[\d.eE+-]+)\s*\)$")


class Finding(NamedTuple):
    """One region of a property list: its place in the file, its name in small letters, its points (N, 2), x and y."""

    part: int
    name: str
    points: np.ndarray


def find(root: Path) -> Path:
    """The folder that holds ``INbreast.csv``, ``AllDICOMs`` and ``AllXML``, at `root` or below it.

    Raises FileNotFoundError if there is none; shows the layout.
    """
    probe = lambda folder: (folder / FILMS).is_file() and (folder / "AllDICOMs").is_dir()  # noqa: E731
    return mammograms.find(root, "INbreast", LAYOUT, probe, ("inbreast", "INbreast", "INbreast Release 1.0"))


def scan(folder: Path) -> pd.DataFrame:
    """Manifest of the masses; `left_out` counts what is not one.

    The patient is the code in the film's name: the table says ``removed``.

    Returns
    -------
    DataFrame
        `mammograms.COLUMNS` and ``birads`` (text: 4a, 4b, 4c occur), ``density`` (ACR, 1 to 4; 0 not told), ``finding``
        (the name in the property list).

    Raises
    ------
    ValueError
        A film that is not named as expected or whose name contradicts the table; a table or property list that can't be
        understood; an outline beside the film.
    """
    return mammograms.manifest(_walk(folder)[0], OWN)


def left_out(folder: Path) -> dict[str, int]:
    """Films and findings that are no row of the manifest: reason and number."""
    return dict(sorted(_walk(folder)[1].items()))


def shape(folder: Path, table: pd.DataFrame) -> tuple[int, int]:
    """Height and width of a region in pixels."""
    return mammograms.SHAPE


def contour(folder: Path, row: NamedTuple) -> np.ndarray:
    """The outline that the property list gives: float (N, 2), column and row of each point."""
    return findings(folder / row.outline)[row.part].points


READER = mammograms.reader(contour)
film = mammograms.film


def findings(path: Path) -> list[Finding]:
    """The regions of one property list.

    Raises ValueError if the file is no such list, or holds fewer regions or points than it says; names it.
    """
    try:
        images = plistlib.loads(path.read_bytes())["Images"]
        listed = images[0]["ROIs"]
        counts = [images[0]["NumberOfROIs"], *(roi["NumberOfPoints"] for roi in listed)]
        found = [Finding(k, roi["Name"].strip().lower(), _points(roi["Point_px"])) for k, roi in enumerate(listed)]
    except _BROKEN as problem:
        raise ValueError(
            f"{path}: not a property list with regions ({type(problem).__name__}: {problem}); expected Images, "
            "ROIs, and for each Name, NumberOfPoints and Point_px, a list of '(x, y)'"
        ) from problem
    if counts != [len(found), *(len(finding.points) for finding in found)]:
        raise ValueError(f"{path}: holds fewer regions or points than it says; fetch it again")
    return found


def _points(texts: list[str]) -> np.ndarray:
    matches = [_POINT.match(text.strip()) for text in texts]
    if None in matches:
        raise ValueError(f"point {texts[matches.index(None)]!r} is not '(x, y)'")
    return np.array([[float(match[1]), float(match[2])] for match in matches]).reshape(-1, 2)


def _walk(folder: Path) -> tuple[list[dict], Counter]:
    """Rows of the manifest, and how many films and findings are none, by reason."""
    listed = _listed(folder / FILMS)
    rows, others = [], Counter()
    for path in sorted((folder / "AllDICOMs").glob("[!.]*.dcm")):
        facts = _facts(path, listed)
        outline = folder / "AllXML" / f"{facts['film']}.xml"
        if not outline.is_file():
            others["film without findings"] += 1
        elif facts["birads"].startswith("0"):
            others["film not assessed (BI-RADS 0)"] += 1
        else:
            kept, left = _masses(findings(outline))
            others.update(left)
            rows += [_row(folder, path, outline, facts, finding) for finding in kept]
    others["film not there"] = len(listed)  # `_facts` has taken those that are
    return rows, +others


def _masses(found: list[Finding]) -> tuple[list[Finding], list[str]]:
    """The masses of one film, and why each other finding is none."""
    kept, left = [], []
    masses = [finding for finding in found if finding.name == MASSES[0] and len(finding.points) >= 3]
    for finding in found:
        if finding.name not in MASSES:
            left.append(f"finding: {finding.name or 'without a name'}")
        elif len(finding.points) < 3:
            left.append(f"{finding.name} of fewer than three points")
        elif finding.name != MASSES[0] and any(_touch(finding.points, mass.points) for mass in masses):
            left.append("spiculated region of a mass")
        else:
            kept.append(finding)
    return kept, left


def _touch(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether the bounding boxes of two outlines overlap."""
    return bool(np.all(one.min(0) <= other.max(0)) and np.all(other.min(0) <= one.max(0)))


def _listed(path: Path) -> dict[str, dict[str, str]]:
    """Lines of the table by film; empty lines are passed over."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.DictReader(file, delimiter=";")
        missing = set(HEADER) - {name.strip() for name in reader.fieldnames or ()}
        if missing:
            names = "; ".join(HEADER)
            raise ValueError(f"{path}: no column {', '.join(sorted(missing))}; expected, with semicolons, {names}")
        listed = {}
        for values in reader:
            line = {(name or "").strip(): (value or "").strip() for name, value in values.items() if name}
            if not line["File Name"]:
                continue
            if not _BIRADS.match(line["Bi-Rads"]):
                where = f"{path}, line {reader.line_num}"
                raise ValueError(f"{where}: Bi-Rads {line['Bi-Rads']!r}; expected 0 to 6, with a, b or c after 4")
            listed[line["File Name"]] = line
    return listed


def _facts(path: Path, listed: dict[str, dict[str, str]]) -> dict[str, str]:
    """What name and table tell of a film; takes its line from `listed`."""
    match = _NAME.match(path.name)
    if not match:
        raise ValueError(f"{path} is not named as expected, {LAYOUT}")
    facts = match.groupdict()
    facts["view"] = "CC" if facts["view"] == "CC" else "MLO"  # names say ML where the table says MLO
    line = listed.pop(facts["film"], None)
    if line is None:
        raise ValueError(f"{path}: film {facts['film']} is not listed in {FILMS}, or is there twice")
    if (line["Laterality"], line["View"]) != (facts["side"], facts["view"]):
        raise ValueError(f"{path}: {FILMS} lists this film as {line['Laterality']} {line['View']}")
    return {**facts, "birads": line["Bi-Rads"], "density": line["ACR"]}


def _row(folder: Path, path: Path, outline: Path, facts: dict[str, str], finding: Finding) -> dict:
    place = mammograms.placed(finding.points, films.size(path), f"{outline}, region {finding.part + 1}")
    return {
        "image_id": f"{facts['film']}_{finding.part + 1}",
        "path": path.relative_to(folder).as_posix(),
        "label": int(facts["birads"][0] > "3"),
        "patient": facts["patient"],
        "view": facts["view"],
        "side": {"L": "left", "R": "right"}[facts["side"]],
        **place,
        "outline": outline.relative_to(folder).as_posix(),
        "part": finding.part,
        "birads": facts["birads"],
        "density": int(facts["density"]) if facts["density"].isdigit() else 0,
        "finding": finding.name,
    }
