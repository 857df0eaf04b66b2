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
from pathlib import Path
from typing import NamedTuple
from xml.parsers.expat import ExpatError

import numpy as np
import pandas as pd

from histolib.datasets import films, locating, mammograms

CLASSES, SHAPE = mammograms.CLASSES, mammograms.SHAPE
LAYOUT = (
    "INbreast Release 1.0/INbreast.csv (or .xls), AllXML/<film>.xml and "
    "AllDICOMs/<film>_<patient>_MG_<L or R>_<CC or ML>_ANON.dcm"
)
FILMS = "INbreast.csv"
MASSES = ("mass", "spiculated region", "espiculated region")
HEADER = (
    "Patient ID", "Patient age", "Laterality", "View", "Acquisition date", "File Name", "ACR", "Bi-Rads",
)  # fmt: skip
OWN = ("birads", "density", "finding")
_NAME = re.compile(r"^(?P<film>\d+)_(?P<patient>\w+?)_MG_(?P<side>[LR])_(?P<view>CC|MLO?)_ANON$")
_BIRADS = re.compile(r"^[0-6][abc]?$")
_BROKEN = (ExpatError, plistlib.InvalidFileException, LookupError, TypeError, AttributeError, ValueError)
_POINT = re.compile(r"^\(\s*(-?[\d.eE+-]+)\s*,\s*(-?[\d.eE+-]+)\s*\)$")


class Finding(NamedTuple):
    """One region of a property list: its place in the file, its name in small letters, its points (N, 2), x and y."""

    part: int
    name: str
    points: np.ndarray


def find(root: Path) -> Path:
    """The folder that holds ``INbreast.csv`` (or ``.xls``), ``AllDICOMs`` and ``AllXML``, at `root` or below it."""
    probe = lambda folder: _table(folder).is_file() and locating.named(folder, "AllDICOMs").is_dir()  # noqa: E731
    return mammograms.find(root, "INbreast", LAYOUT, probe, ("inbreast", "INbreast", "INbreast Release 1.0"))


def scan(folder: Path, notes: locating.Notes) -> pd.DataFrame:
    """Manifest of the masses; `notes` takes what is none.

    The patient is the code in the film's name: the table says ``removed``.

    Columns: `mammograms.COLUMNS` and ``birads`` (text: 4a, 4b, 4c occur), ``density`` (ACR, 1 to 4; 0 not told),
    ``finding`` (the name in the property list).

    Raises ValueError: a film that is not named as expected or whose name contradicts the table; a table or property
    list that can't be understood; an outline beside the film.
    """
    listed = _listed(_table(folder))
    rows = []
    outlines = {path.stem: path for path in locating.files(locating.named(folder, "AllXML"), (".xml",))}
    for path in locating.files(locating.named(folder, "AllDICOMs"), (".dcm",)):
        facts = _facts(path, listed)
        outline = outlines.get(facts["film"])
        if notes.count(_reason(facts, outline), facts["film"]):
            name = outline.relative_to(folder).as_posix()
            for found in notes.tried(name, findings, outline):
                kept, left = _masses(found)
                notes.left_out.update(left)
                for one in kept:
                    rows += notes.tried(f"{name}, region {one.part + 1}", _row, folder, path, outline, facts, one)
    for name in listed:  # `_facts` has taken those that are there
        notes.count("film not there", name)
    return mammograms.manifest(rows, OWN)


def contour(folder: Path, row: NamedTuple) -> np.ndarray:
    """The outline that the property list gives: float (N, 2), column and row of each point."""
    return findings(folder / row.outline)[row.part].points


READER = mammograms.reader(contour)


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


def _reason(facts: dict[str, str], outline: Path | None) -> str:
    """Why a film has no row; empty if it may have some."""
    if facts["birads"].startswith("0"):
        return "film not assessed (BI-RADS 0)"
    if outline is None:
        # The release has a list for every film but those of BI-RADS 1, which show nothing.
        return "film without findings" if facts["birads"] == "1" else "findings not there (AllXML/<film>.xml)"
    return ""


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


def _table(folder: Path) -> Path:
    """The list of films; the spreadsheet that it was exported from serves where it is absent."""
    csv_file, spreadsheet = locating.named(folder, FILMS), locating.named(folder, "INbreast.xls")
    return spreadsheet if spreadsheet.is_file() and not csv_file.is_file() else csv_file


def _lines(path: Path) -> list[list[str]]:
    """Lines of the list as text, the header first."""
    if path.suffix.lower() == ".csv":
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            return [line or [""] for line in csv.reader(file, delimiter=";")]
    try:
        import xlrd  # no dependency of this library: most releases have the list as text

        cells = [row for sheet in xlrd.open_workbook(path).sheets()[:1] for row in sheet.get_rows()]
    except ImportError as problem:
        raise ValueError(f"{path}: install xlrd to read it, or save it as {FILMS}, with semicolons") from problem
    except Exception as problem:  # xlrd has many exceptions of its own
        raise ValueError(f"{path}: not a spreadsheet that can be read ({problem}); fetch it again") from problem
    return [[f"{cell.value:.15g}" if cell.ctype == 2 else str(cell.value) for cell in row] for row in cells]


def _listed(path: Path) -> dict[str, dict[str, str]]:
    """Lines of the table by film; empty lines are passed over."""
    header, *lines = [[value.strip() for value in line] for line in _lines(path)] or [[]]
    missing = set(HEADER) - set(header)
    if missing:
        names = "; ".join(HEADER)
        raise ValueError(f"{path}: no column {', '.join(sorted(missing))}; expected, with semicolons, {names}")
    listed = {}
    for number, values in enumerate(lines, start=2):
        line = dict.fromkeys(header, "") | dict(zip(header, values, strict=False))
        if not line["File Name"]:
            continue
        if not _BIRADS.match(line["Bi-Rads"]):
            where = f"{path}, line {number}"
            raise ValueError(f"{where}: Bi-Rads {line['Bi-Rads']!r}; expected 0 to 6, with a, b or c after 4")
        listed[line["File Name"]] = line
    return listed


def _facts(path: Path, listed: dict[str, dict[str, str]]) -> dict[str, str]:
    """What name and table tell of a film; takes its line from `listed`."""
    match = _NAME.match(path.stem)
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
