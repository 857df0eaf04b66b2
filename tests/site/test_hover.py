"""A map of images in a real browser, opened from disk without a network: pointing at a mark shows its image."""

import json

import chromium
import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from studybook.engine import hover

pytestmark = chromium.needed


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    rng = np.random.default_rng(0)
    images = np.arange(12, dtype=np.uint8)[:, None, None, None] * np.full((1, 8, 8, 3), 20, np.uint8)
    maps = {name: rng.normal(size=(12, 2)) for name in ("one <map>", "another")}
    shown = hover.embedding(
        maps, [0, 1] * 6, ["benign", "malignant"], images, [f"image {k}" for k in range(12)], "Maps"
    )
    path = tmp_path_factory.mktemp("hover") / "page.html"
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8><body>{shown.data}</body>", "utf8")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory, page):
    driver = chromium.start(tmp_path_factory.mktemp("profile"))
    driver.execute_cdp_cmd("Network.enable", {})
    limits = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", limits)
    driver.get(page.as_uri())
    yield driver
    driver.quit()


def test_pointing_shows_the_image_and_marks_it_on_every_map(browser):
    card = browser.find_element(By.CLASS_NAME, "hover-card")
    assert card.value_of_css_property("visibility") == "hidden"
    seen = set()
    for k in (0, 7):
        ActionChains(browser).move_to_element(browser.find_element(By.CSS_SELECTOR, f'[data-k="{k}"]')).perform()
        thumb, text = card.find_elements(By.XPATH, "./*")
        assert card.value_of_css_property("visibility") == "visible" and text.text == f"image {k}"
        marked = browser.find_elements(By.CSS_SELECTOR, "[stroke=black]")
        assert [one.get_attribute("data-k") for one in marked] == [str(k)] * 2
        assert thumb.value_of_css_property("background-image").startswith('url("data:image/jpeg;base64,')
        seen.add(thumb.value_of_css_property("background-position"))
    assert len(seen) == 2
    ActionChains(browser).move_to_element(browser.find_element(By.CSS_SELECTOR, ".hover-maps strong")).perform()
    assert card.value_of_css_property("visibility") == "hidden"


def test_nothing_is_asked_of_any_host_and_no_script_complains(browser):
    events = [json.loads(line["message"])["message"] for line in browser.get_log("performance")]
    asked = [one["params"]["request"]["url"] for one in events if one["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if url.startswith("data:")]
    assert not [url for url in asked if not url.startswith(("file:", "data:", "chrome:"))]  # the empty tab's own
    assert browser.get_log("browser") == []


def test_lengths_that_differ_are_an_error():
    with pytest.raises(ValueError, match="2 images, 1 labels, 2 captions"):
        hover.embedding({"m": np.zeros((2, 2))}, [0], ["a"], np.zeros((2, 4, 4, 3), np.uint8), ["x", "y"], "t")
