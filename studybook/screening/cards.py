"""The card beside a saved model: what it answers, what it learned from, and which file it belongs to."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from histolib import cache
from histolib.datasets import regions

SCHEMA = 1
NOTICE = "For study, not for diagnosis: this is no medical device, and no answer here says anything about a patient."
PLACE = "runs/*/mammography_finetuning/**/*.keras"  # below the repository's top folder
MAKE = "make chapter CHAPTER=mammography_finetuning"
_TYPES = {"classes": list, "input_shape": list, "data": dict, "metrics": dict, "preprocessing": dict}


@dataclass(frozen=True)
class Card:
    """What is known of a saved model.

    Attributes
    ----------
    model
        Name of the ``.keras`` file, which lies in the card's folder.
    sha256
        SHA-256 of that file in hexadecimal.
    classes
        Names of the classes in the order of the outputs.
    input_shape
        Height, width and channels of an image, pixels in [0, 255].
    data
        What it learned from, as `records.RunRecord.describe` notes it; ``twin`` says whether the images
        were drawn.
    metrics
        Name of a score to its value, or to its value and interval.
    preprocessing
        What is done to a film before the model: ``window`` (side in pixels of the square that it learned from, None
        if it learned from whole images), ``edge`` (see `regions.crop`) and ``out`` (side in pixels that a
        region is first rescaled to); remarks may be added. Everything else is inside the model.
    revision, histolib, keras
        Commit and versions that it was saved with.
    """

    model: str
    sha256: str
    classes: tuple[str, ...]
    input_shape: tuple[int, int, int]
    data: dict
    metrics: dict = field(default_factory=dict)
    preprocessing: dict = field(default_factory=dict)
    revision: str | None = None
    histolib: str = ""
    keras: str = ""

    @property
    def window(self) -> int | None:
        """Side in pixels of the square that the model learned from, None if it learned from whole images."""
        return self.preprocessing.get("window")

    @property
    def edge(self) -> str:
        """What happens where a window sticks out of the film."""
        return self.preprocessing.get("edge", "rescale")

    @property
    def out(self) -> int:
        """Side in pixels that a region is first rescaled to."""
        return self.preprocessing.get("out", self.input_shape[0])


def path_of(model: Path) -> Path:
    """Where the card of a model file lies."""
    return model.with_suffix(".json")


def digest(file: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write(card: Card, file: Path) -> None:
    """Write a card whole or not at all."""
    with cache.atomic_file(file) as part:
        part.write_text(json.dumps({"schema": SCHEMA} | asdict(card), indent=1, allow_nan=False) + "\n", "utf8")


def read(model: Path) -> Card:
    """The card of a model file, checked against that file; loads no network.

    Raises
    ------
    FileNotFoundError
        If the model or its card is not there.
    ValueError
        If the card is not whole, of another schema, or was written with another model file.
    """
    if model.suffix != ".keras":
        raise ValueError(f"{model}: expected a model file that ends in .keras")
    file = path_of(model)
    for needed, what in ((model, "model file"), (file, "card of the model")):
        if not needed.is_file():
            raise FileNotFoundError(f"{needed}: no such {what}; studybook.screening.save writes both")
    card = _parsed(file)
    if card.model != model.name or card.sha256 != digest(model):
        raise ValueError(
            f"{file}: not the card that {model.name} was saved with (name or SHA-256 differs); save it again"
        )
    return card


def _parsed(file: Path) -> Card:
    try:
        values = json.loads(file.read_text("utf8"))
        schema = values.pop("schema")
    except (ValueError, KeyError, AttributeError, TypeError) as problem:
        raise ValueError(f"{file}: not a whole card ({problem}); save the model again") from problem
    if schema != SCHEMA:
        raise ValueError(f"{file}: schema {schema}; this version of histolib reads {SCHEMA}")
    names = {entry.name for entry in fields(Card)}
    wrong = sorted(names ^ set(values)) or [name for name, kind in _TYPES.items() if not isinstance(values[name], kind)]
    if wrong:
        raise ValueError(f"{file}: {wrong[0]!r} is missing, unknown or of the wrong kind; save the model again")
    values |= {"classes": tuple(values["classes"]), "input_shape": tuple(values["input_shape"])}
    check(values["data"], values["preprocessing"], str(file))
    return Card(**values)


def check(data: dict, preprocessing: dict, where: str = "save") -> None:
    """Raise ValueError if `data` doesn't say whether it is drawn, or `preprocessing` can't be carried out."""
    if not isinstance(data.get("twin"), bool):
        raise ValueError(f"{where}: data['twin'] is {data.get('twin')!r}; expected True (drawn images) or False (real)")
    for name in ("window", "out"):
        value = preprocessing.get(name)
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f"{where}: preprocessing[{name!r}] is {value!r}; expected pixels, at least 1")
    edge = preprocessing.get("edge", regions.EDGES[0])
    if edge not in regions.EDGES:
        raise ValueError(f"{where}: preprocessing['edge'] is {edge!r}; expected one of {', '.join(regions.EDGES)}")


def newest(root: Path | str = ".") -> Path:
    """The model that the mammography chapter saved last, below the repository's top folder `root`.

    Raises
    ------
    FileNotFoundError
        If there is none; names the command that makes one.
    """
    # A name that begins with a dot is a file or folder that is being written.
    root = Path(root)
    there = [path for path in root.glob(PLACE) if not any(p[0] == "." for p in path.relative_to(root).parts)]
    found = sorted(there, key=lambda path: (path.stat().st_mtime_ns, str(path)))
    if not found:
        raise FileNotFoundError(
            f"no saved model at {PLACE}: make one with `{MAKE}`, "
            "or name one, as in `make screen MODEL=path/to/model.keras`"
        )
    return found[-1]
