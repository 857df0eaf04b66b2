"""Models on disk, as LightGBM text with a note of what they were made from."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import lightgbm

from histolib import cache


def model(stem: Path, source: dict, make: Callable[[], lightgbm.Booster]) -> tuple[lightgbm.Booster, bool]:
    """The model in ``<stem>.txt`` if ``<stem>.json`` says that it was made from `source`; else a new one, kept there.

    Returns
    -------
    (booster, read)
        `read` tells whether it was read from the file.
    """
    text, note = (stem.with_name(stem.name + ending) for ending in (".txt", ".json"))
    if _noted(note, text) == source:
        return lightgbm.Booster(model_file=text), True
    booster = make()
    with cache.atomic_file(text) as part:
        booster.save_model(part)
    # The note comes last and names the text's digest: a run stopped between the two leaves nothing that counts.
    with cache.atomic_file(note) as part:
        part.write_text(json.dumps(source | {"model": _digest(text)}, indent=1) + "\n")
    return booster, False


def _noted(note: Path, text: Path) -> dict | None:
    """What a note says that a model was made from; None if there is none, or it is not this model's."""
    try:
        found = json.loads(note.read_text())
        whole = found.pop("model") == _digest(text)
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return found if whole else None


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
