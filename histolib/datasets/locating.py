"""Where a data set lies below the folder that a reader names."""

from collections.abc import Callable, Iterable
from pathlib import Path


def first(root: Path, candidates: Iterable[Path], holds: Callable[[Path], bool], what: str, layout: str) -> Path:
    """The first of the candidates that holds a data set.

    Parameters
    ----------
    root
        The folder that was named.
    candidates
        Folders at `root` or below, the likeliest first; they need not exist. Read only after `root` was found.
    holds
        Whether a folder holds the data set.
    what, layout
        What is looked for, such as ``"IDC patches"``, and its layout: a FileNotFoundError shows them and what is there.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is not a folder. Expected a folder that holds {layout}")
    for folder in candidates:
        if holds(folder):
            return folder
    found = ", ".join(sorted(path.name for path in root.iterdir())[:5]) or "nothing"
    raise FileNotFoundError(f"{root} holds no {what} (found {found}). Expected below it {layout}")
