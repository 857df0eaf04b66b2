"""The page: upload an image, choose a region, read the answer. Everything stays in memory."""

from __future__ import annotations

import html
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from pathlib import Path

import ipywidgets as widgets

from studybook.screening import cards, drawing, text, uploads
from studybook.screening.prediction import Prediction, predict, square
from studybook.screening.saving import load
from studybook.screening.uploads import Film

SHOWN = 360  # pixels of the longer side of a picture beside the answer
ENDINGS = ".png,.jpg,.jpeg,.tif,.tiff,.pgm,.dcm"


def _shown(handler: Callable) -> Callable:
    """A handler whose failures appear on the page: the kernel's log is nothing that a reader sees."""

    @wraps(handler)
    def guarded(self: Page, *arguments) -> None:
        try:
            handler(self, *arguments)
        except (ValueError, OSError) as problem:
            self.say(str(problem), "error")
        except Exception as problem:  # the page must live on whatever happens
            self.say(f"Something went wrong ({type(problem).__name__}: {problem}). Please try another image.", "error")

    return guarded


class Page:
    """Widgets of the page and what they do; show `view`.

    The model is loaded in a thread from the start, so that the page is there at once.

    Parameters
    ----------
    model
        A saved model, see `studybook.screening.save`.

    Raises
    ------
    FileNotFoundError, ValueError
        If the model or its card is missing or they don't belong together.
    """

    def __init__(self, model: Path | str):
        self.card = cards.read(Path(model))
        self.film: Film | None = None
        self.name = ""
        self._loading = ThreadPoolExecutor(1).submit(load, model)
        self._make()
        self.view = self._laid_out()

    def _make(self) -> None:
        self.upload = widgets.FileUpload(accept=ENDINGS, description="Choose an image", tooltip="Choose an image file")
        self.message = _html("screening-message")
        self.picture, self.frame = _html("screening-picture"), _html("screening-frame")
        self.whole = widgets.Checkbox(description="Show the whole image to the model", indent=False)
        self.x, self.y, self.size = (
            widgets.IntSlider(description=name, style={"description_width": "8em"}).add_class(f"screening-{kind}")
            for kind, name in (("across", "Center, across"), ("down", "Center, down"), ("side", "Side"))
        )
        self.hint = _html("screening-hint", text.HINT)
        self.classify = widgets.Button(description="Classify", button_style="primary")
        self.answer = _html("screening-answer")
        self.upload.observe(self._uploaded, "value")
        for control in (self.whole, self.x, self.y, self.size):
            control.observe(self._moved, "value")
        self.classify.on_click(self._classify)

    def _laid_out(self) -> widgets.Widget:
        film = widgets.Box([self.picture, self.frame]).add_class("screening-film")
        controls = widgets.VBox([film, self.hint, self.whole, self.x, self.y, self.size, self.classify])
        self.work = widgets.Box([controls.add_class("screening-column"), self.answer.add_class("screening-column")])
        self.work.layout.display = "none"
        parts = [_html(value=text.notice(self.card)), self.upload, self.message, self.work.add_class("screening-work")]
        return widgets.VBox([*parts, _html(value=text.facts(self.card))]).add_class("screening")

    def say(self, message: str, kind: str = "note") -> None:
        """Show one message in place of the last; `kind` is ``note`` or ``error``."""
        role = "alert" if kind == "error" else "status"
        self.message.value = f'<p role="{role}" class="screening-{kind}">{html.escape(message)}</p>' if message else ""

    @_shown
    def _uploaded(self, change) -> None:
        if not self.upload.value:
            return
        file = self.upload.value[0]
        self.upload.value = ()  # the content is not kept twice
        self.say("")  # so that the same message as before is told again
        self.film, self.answer.value, self.work.layout.display = None, "", "none"
        self.film, self.name = uploads.read(bytes(file["content"]), file["name"]), file["name"]
        height, width = self.film.pixels.shape
        self.say(" ".join([f"{self.name}: {width:,} x {height:,} pixels.", *self.film.notes]))
        self.picture.value = drawing.picture(self.film.pixels, f"The uploaded image {self.name}")
        self._set_controls(height, width)
        self.work.layout.display = ""

    def _set_controls(self, height: int, width: int) -> None:
        """Ranges of the controls for an image; a region of the size that the model knows is proposed."""
        window, least = self.card.window, min(height, width)
        self.whole.value = window is None or max(height, width) <= 2 * window
        for slider, low, high, value in (
            (self.x, 0, width, width // 2),
            (self.y, 0, height, height // 2),
            (self.size, uploads.SMALLEST, least, min(window or least // 2, least)),
        ):
            slider.min, slider.max = min(low, slider.min), max(high, slider.max)  # never the wrong way round
            slider.value = max(value, low)
            slider.min, slider.max = low, high
        self._moved(None)

    @property
    def region(self) -> tuple[int, int, int, int] | None:
        """Top, left, bottom, right of what is shown to the model; None for the whole image."""
        if self.whole.value:
            return None
        return square((self.y.value, self.x.value), self.size.value, self.film.pixels.shape)

    @_shown
    def _moved(self, change) -> None:
        """Draw the frame where the controls say; an answer about another region does not stay."""
        if self.film is None:
            return
        self.answer.value = ""
        for slider in (self.x, self.y, self.size):
            slider.disabled = self.whole.value
        self.frame.value = text.frame(self.region, self.film.pixels.shape)

    @_shown
    def _classify(self, button) -> None:
        if self.film is None:
            return
        self.classify.disabled, self.answer.value = True, text.working(self._loading.done())
        try:
            prediction = predict(self._loading.result(), self.film.pixels, self.region)
            self.answer.value = self._answer(prediction)
        except BaseException:
            self.answer.value = ""
            raise
        finally:
            self.classify.disabled = False

    def _answer(self, prediction: Prediction) -> str:
        """The answer with its pictures, as HTML."""
        top, left, bottom, right = prediction.region
        heat = drawing.overlay(self.film.pixels[top:bottom, left:right], prediction.heat_map, SHOWN)
        where = "Heat map over the region: where covering it weakens the answer most"
        side = len(prediction.shown)
        figures = (
            (drawing.picture(prediction.shown, "The region as the model takes it", SHOWN),
             f"What the model was shown, {side} x {side} pixels"),
            (drawing.picture(heat, where, SHOWN), f"What the answer rests on{drawing.legend()}"),
        )  # fmt: skip
        return text.answer(prediction, self.card, figures)


def _html(name: str = "", value: str = "") -> widgets.HTML:
    return widgets.HTML(value).add_class(name) if name else widgets.HTML(value)
