"""The page's logic; a browser reads it in tests/site/test_screening_page.py."""

import base64
import io
from datetime import datetime

import numpy as np
import pytest
import spots
from PIL import Image

from studybook.screening import cards, drawing, text
from studybook.screening.page import Page


@pytest.fixture
def page(file):
    return Page(file)


def upload(page, name, content):
    page.upload.value = ({"name": name, "type": "", "size": len(content), "content": memoryview(content),
                          "last_modified": datetime(2026, 1, 1)},)  # fmt: skip


def test_an_upload_is_shown_with_a_frame_and_classified(page):
    upload(page, "spot.png", spots.encoded(spots.film()))
    assert "spot.png: 200 x 240 pixels." in page.message.value and page.upload.value == ()
    assert page.work.layout.display == "" and 'alt="The uploaded image spot.png"' in page.picture.value
    assert page.region == (72, 52, 168, 148)
    assert "top: 30.000%; left: 26.000%; height: 40.000%; width: 48.000%" in page.frame.value
    page.y.value, page.x.value = 60, 140
    page.classify.click()
    assert "The model says <strong>malignant</strong>" in page.answer.value and page.answer.value.count("<img") == 2
    page.x.value = 20
    assert page.answer.value == "", "the answer was about another region"


def test_a_small_image_is_shown_whole(page):
    upload(page, "small.png", spots.encoded(spots.film(150, 180)))
    assert page.whole.value and page.region is None and page.frame.value == "" and page.size.disabled
    page.whole.value = False
    assert not page.size.disabled and page.region == (27, 42, 123, 138)


@pytest.mark.parametrize("name", spots.BAD)
def test_a_bad_upload_gets_a_message_and_the_page_lives_on(page, name):
    upload(page, "spot.png", spots.encoded(spots.film()))
    upload(page, name, spots.BAD[name][0])
    assert 'role="alert"' in page.message.value and page.work.layout.display == "none" and page.film is None
    upload(page, "spot.png", spots.encoded(spots.film()))
    assert 'role="status"' in page.message.value and page.work.layout.display == ""


def test_controls_follow_images_of_any_size(page):
    for height, width in ((240, 200), (2000, 60), (16, 16), (900, 1200)):
        upload(page, "a.png", spots.encoded(spots.film(height, width, None)))
        assert (page.x.max, page.y.max, page.size.max) == (width, height, min(height, width))
        assert page.x.value == width // 2 and page.y.value == height // 2
        assert page.size.min <= page.size.value <= page.size.max


def test_an_unforeseen_failure_appears_on_the_page(page, monkeypatch):
    upload(page, "spot.png", spots.encoded(spots.film()))
    monkeypatch.setattr("studybook.screening.page.predict", lambda *a: 1 / 0)
    page.classify.click()
    assert "Something went wrong (ZeroDivisionError" in page.message.value and not page.classify.disabled


def test_a_model_that_cannot_be_loaded_is_told_on_the_page(tmp_path):
    file = spots.saved(tmp_path)
    file.write_bytes(file.read_bytes()[:500])
    spots.changed(file, sha256=cards.digest(file))
    page = Page(file)
    upload(page, "spot.png", spots.encoded(spots.film()))
    page.classify.click()
    assert "can&#x27;t load this model" in page.message.value and page.answer.value == ""
    assert not page.classify.disabled


def test_names_from_outside_are_escaped(page):
    upload(page, "<img src=x onerror=alert(1)>.png", b"text")
    assert "<img src=x" not in page.message.value and "&lt;img" in page.message.value
    upload(page, '"><script>.png', spots.encoded(spots.film()))
    assert "<script>" not in page.message.value + page.picture.value
    card = cards.Card("m.keras", "0" * 64, ("<b>", "c"), (8, 8, 3), {"twin": False, "name": "<i>"})
    assert "<b>" not in text.facts(card) and "<i>" not in text.facts(card)


def test_the_page_says_what_it_is_not_and_what_the_model_is(screener):
    said = text.notice(screener.card) + text.facts(screener.card)
    for part in (
        "not for diagnosis",
        "learned from drawn images",
        "AUC 0.9 [0.8, 0.95]",
        "0123abc",
        "squares of 96 pixels",
    ):
        assert part in said
    real = cards.Card("m.keras", "0" * 64, ("a", "b"), (8, 8, 3), {"twin": False})
    assert "drawn" not in text.notice(real)


def test_a_picture_is_bounded_and_an_overlay_colors_what_is_hot():
    found = drawing.picture(spots.film(3000, 1000, None).astype(np.uint16) * 9, "a film", 300)
    with Image.open(io.BytesIO(base64.b64decode(found.split("base64,")[1][:-2]))) as image:
        assert image.size == (100, 300)
    heat = np.zeros((64, 64), np.float32)
    heat[:32] = 1
    drawn = drawing.overlay(spots.film(64, 64, None), heat).astype(int)
    assert np.ptp(drawn[:28], axis=2).min() > 10 and np.ptp(drawn[36:], axis=2).max() == 0
