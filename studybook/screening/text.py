"""What the page says, as HTML. Names of files and classes come from outside and are escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING

from studybook.screening.cards import NOTICE, Card

if TYPE_CHECKING:
    from histolib.datasets.regions import Box
    from studybook.screening.prediction import Prediction

TWIN = (
    "This model learned from drawn images, not from patients: it shows how the page works. "
    "What it says about a real film means nothing."
)

HINT = "<p>The frame is what the model will be shown; all numbers are pixels of the image.</p>"


def notice(card: Card) -> str:
    """What this is not, and whether the model has ever seen a real film."""
    drawn = f"<p>{TWIN}</p>" if card.data["twin"] else ""
    return f'<div role="note" class="screening-notice"><p><strong>{NOTICE}</strong></p>{drawn}</div>'


def facts(card: Card) -> str:
    """The card as a list of what is known of the model, folded away at first."""
    window = f"squares of {card.window} pixels of a film" if card.window else "whole images"
    data, kind = card.data, "drawn" if card.data["twin"] else "real"
    rows = {
        "File": card.model,
        "Classes": ", ".join(card.classes),
        "Learned from": f"{data.get('name', 'unnamed')} ({kind} images), {_named(data, ('name', 'twin'))}",
        "Input": f"{window}, scaled by their own range to {card.input_shape[0]} x {card.input_shape[1]} pixels",
        "Scores": _named(card.metrics) or "none on the card",
        "Commit": card.revision or "unknown",
        "Versions": f"histolib {card.histolib}, Keras {card.keras}",
        "SHA-256": card.sha256,
    }
    lines = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows.items())
    return f'<details class="screening-card"><summary>About this model</summary><dl>{lines}</dl></details>'


def frame(region: Box | None, shape: tuple[int, int]) -> str:
    """A frame over a picture of the film, placed in per cent of it; nothing for the whole film."""
    if region is None:
        return ""
    top, left, bottom, right = region
    height, width = shape
    place = {
        "top": top / height,
        "left": left / width,
        "height": (bottom - top) / height,
        "width": (right - left) / width,
    }
    style = "; ".join(f"{name}: {share:.3%}" for name, share in place.items())
    said = f"Region of {right - left} pixels: rows {top} to {bottom - 1}, columns {left} to {right - 1}"
    return f'<div role="img" aria-label="{said}" title="{said}" style="{style}"></div>'


def working(loaded: bool) -> str:
    """What stands in the place of the answer until it is there."""
    waiting = "" if loaded else " The model is still being loaded; that takes a few seconds, once."
    return f'<p role="status" class="screening-note">Working ...{waiting}</p>'


def answer(prediction: Prediction, card: Card, figures: Iterable[tuple[str, str]]) -> str:
    """Label, probabilities as numbers and bars, what was shown, and pictures.

    Parameters
    ----------
    prediction, card
        Of the model.
    figures
        Pictures and captions, as HTML.
    """
    p = prediction.probabilities[prediction.label]
    bars = "".join(_bar(name, value) for name, value in prediction.probabilities.items())
    shown = "".join(f"<figure>{picture}<figcaption>{caption}</figcaption></figure>" for picture, caption in figures)
    return (
        f'<div role="status"><p class="screening-label">The model says <strong>{escape(prediction.label)}</strong> '
        f"<span>with probability {_share(p)}</span></p>"
        f'<table class="screening-bars"><caption>Probability of each class</caption>{bars}</table>'
        f"<p>{escape(said(prediction, card))}</p></div>"
        f'<div class="screening-figures">{shown}</div>'
        '<p class="screening-small">The heat map: a gray square covers one place of the region after the other, and a '
        "place is the brighter the more that weakens the answer. It shows what the model used, not where a "
        "lesion is.</p>"
    )


def said(prediction: Prediction, card: Card) -> str:
    """Which part of the film was shown, and whether the model has learned from such parts."""
    top, left, bottom, right = prediction.region
    part = f"Shown to the model: rows {top} to {bottom - 1}, columns {left} to {right - 1}."
    if card.window and max(bottom - top, right - left) > 2 * card.window:
        part += f" It learned from squares of {card.window} pixels; in a part as large as this, a lesion is small."
    return part


def _bar(name: str, value: float) -> str:
    return (
        f'<tr><th scope="row">{escape(name)}</th><td>{_share(value)}</td>'
        f'<td class="screening-bar" aria-hidden="true"><span style="width: {value:.1%}"></span></td></tr>'
    )


def _share(p: float) -> str:
    """A probability in per cent; no rounding makes it certain."""
    return "&gt; 99.9%" if 0.9995 <= p < 1 else "&lt; 0.1%" if 0 < p < 0.0005 else f"{p:.1%}"


def _named(values: Mapping, hidden: tuple[str, ...] = ()) -> str:
    """Names and values in a line; a fingerprint's first digits are enough to tell it."""
    shown = {name: value for name, value in values.items() if name not in hidden and value not in ([], {}, None)}
    return ", ".join(f"{name} {_value(value)}" for name, value in shown.items())


def _value(value) -> str:
    if isinstance(value, list | tuple) and len(value) == 3:  # a score with its interval
        return f"{_value(value[0])} [{_value(value[1])}, {_value(value[2])}]"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list | tuple):
        return " ".join(map(_value, value))
    return f"{value[:12]} ..." if isinstance(value, str) and len(value) == 64 else str(value)
