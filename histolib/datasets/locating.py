"""Where a data set lies below the folder that a reader names, and which of the files there count."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_JUNK = {"__macosx", "thumbs.db", "desktop.ini"}  # left behind by computers, as are names that begin with a dot


def first(root: Path, candidates: Iterable[Path], holds: Callable[[Path], bool], what: str, layout: str) -> Path:
    """The first of the candidates that holds a data set.

    `candidates` are folders at `root`, the folder that was named, or below, the likeliest first; they need not exist
    and are read only after `root` was found. `holds` tells whether a folder holds the data set. A FileNotFoundError
    shows `what` is looked for, such as ``"IDC patches"``, its `layout`, and what is there.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is not a folder. Expected a folder that holds {layout}")
    for folder in candidates:
        if holds(folder):
            return folder
    found = ", ".join(sorted(path.name for path in root.iterdir())[:5]) or "nothing"
    raise FileNotFoundError(f"{root} holds no {what} (found {found}). Expected below it {layout}")


def files(folder: Path, endings: tuple[str, ...] = (), deep: bool = True) -> list[Path]:
    """Files that count, sorted: the one rule of all data sets.

    Hidden files and folders (``._x.png``, ``.DS_Store``) and other systems' junk (``__MACOSX``, ``Thumbs.db``) don't. A
    folder that is not there holds none. `endings` of names, with the dot, are in small letters here and in any case
    there; all files count if none is given. `deep`: look in the folders below too.
    """
    return sorted(path for path in _walk(folder, deep) if not endings or path.suffix.lower() in endings)


def named(folder: Path, name: str) -> Path:
    """The file or folder `name` in `folder`, written in any case; as it is written here if there is none."""
    if (folder / name).exists() or not folder.is_dir():
        return folder / name
    return next((path for path in sorted(folder.iterdir()) if path.name.lower() == name.lower()), folder / name)


class Notes:
    """What a scan leaves out: counts by reason, and what is damaged.

    Attributes
    ----------
    left_out
        Reason and number.
    missing
        Names of what is listed and not there.
    damaged
        What can't be read, or, an outline, doesn't fit its film. None if such a one is to raise its ValueError.
    """

    def __init__(self, skip: bool = False):
        self.left_out: Counter[str] = Counter()
        self.missing: list[str] = []
        self.damaged: list[str] | None = [] if skip else None

    def count(self, reason: str, name: str = "") -> bool:
        """Count a reason, and tell whether there is none (an empty text); of what is not there keep the name."""
        self.left_out.update([reason] if reason else [])
        self.missing += [f"{name} ({reason})"] if "not there" in reason else []
        return not reason

    def tried(self, name: str, make: Callable, *arguments) -> list:
        """What ``make(*arguments)`` gives, as a list; an empty one if it can't be read and is noted by its `name`."""
        try:
            return [make(*arguments)]
        except ValueError:
            if self.damaged is None:
                raise
            self.damaged.append(name)
            return []

    def others(self, there: Iterable[Path], taken: Iterable[Path], endings: tuple[str, ...]) -> None:
        """Count those of the files that are `there` that are not `taken`: images (by their `endings`) and others."""
        for path in set(there) - set(taken):
            ending = path.suffix.lower()
            self.count("image in another folder" if ending in endings else f"other file ({ending or 'no ending'})")


def _walk(folder: Path, deep: bool) -> Iterator[Path]:
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if deep and counts(name) and not _loops(Path(place, name))]
        yield from (Path(place, name) for name in names if counts(name))


def _loops(folder: Path) -> bool:
    """Whether a folder is a link to one that it lies in."""
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())


def counts(name: str) -> bool:
    """Whether a file or folder of this name counts, as told at `files`."""
    return not name.startswith(".") and name.lower() not in _JUNK
