"""Tables that sort and search, in a real browser, opened from disk, without a network."""

import json

import chromium
import pandas as pd
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from studybook.engine import show

pytestmark = chromium.needed


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = chromium.start(tmp_path_factory.mktemp("profile"))
    driver.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, root, tmp_path):
    frame = pd.DataFrame({
        "method": ["forest", "baseline CNN", "frozen Lite0", "constant"],
        "AUC": ["0.85 [0.80, 0.90]", "0.9 [0.8, 1.0]", "0.70 [0.6, 0.8]", "–"],
        "less": ["-0.10", "+0.20", "+0.03", "–"],
        "weights": ["1,234", "999", "12,345", "1"],
    })  # fmt: skip
    script = (root / "book/_static/tables.js").as_uri()
    html = f"<!doctype html><meta charset=utf-8><script src='{script}'></script>"
    html += show.table(frame, index=False, searchable=True).to_html() + show.table(frame.iloc[:1]).to_html()
    (tmp_path / "page.html").write_text(html, "utf8")
    browser.get((tmp_path / "page.html").as_uri())
    return browser


def shown(browser, column: int = 0) -> list[str]:
    script = "return [...document.querySelectorAll('table.searchable tbody tr:not([hidden])')].map(" \
             "(row) => row.cells[arguments[0]].textContent.replace(/\\u00a0/g, ' '))"  # fmt: skip
    return browser.execute_script(script, column)


def head(browser, k: int):
    return browser.find_elements(By.CSS_SELECTOR, "table.searchable thead th button")[k]


def test_a_search_keeps_the_rows_that_hold_all_words(page):
    field = page.find_element(By.CSS_SELECTOR, ".table-search input[type=search]")
    field.send_keys("lite0 0.7")
    assert shown(page) == ["frozen Lite0"]
    assert page.find_element(By.CSS_SELECTOR, ".table-search output").text == "1 of 4 rows"
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(Keys.DELETE)
    assert len(shown(page)) == 4


def test_a_head_sorts_numbers_as_numbers_and_what_is_empty_last(page):
    head(page, 1).click()
    assert shown(page) == ["frozen Lite0", "forest", "baseline CNN", "constant"]
    head(page, 1).click()
    assert shown(page) == ["baseline CNN", "forest", "frozen Lite0", "constant"]
    head(page, 2).click()
    assert shown(page, 2) == ["-0.10", "+0.03", "+0.20", "–"]
    head(page, 3).click()
    assert shown(page, 3) == ["1", "999", "1,234", "12,345"]
    sorts = [one.get_attribute("aria-sort") for one in page.find_elements(By.CSS_SELECTOR, "table.searchable th")]
    assert sorts == [None, None, None, "ascending"]


def test_a_head_sorts_by_keyboard(page):
    head(page, 0).send_keys(Keys.ENTER)
    assert shown(page) == ["baseline CNN", "constant", "forest", "frozen Lite0"]


def test_other_tables_stay_as_they_are_and_nothing_is_fetched(page):
    assert len(page.find_elements(By.CSS_SELECTOR, ".table-search")) == 1
    asked = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    urls = [one["params"]["request"]["url"] for one in asked if one["method"] == "Network.requestWillBeSent"]
    # The browser's own first page is no request of this one.
    assert not [url for url in urls if not url.startswith(("file://", "chrome://", "data:"))]
    assert not [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"]


def test_the_built_page_has_such_tables(browser, site):
    browser.get((site / "notebooks/comparison.html").as_uri())
    fields = browser.find_elements(By.CSS_SELECTOR, ".table-search input[type=search]")
    rows = len(shown(browser))
    assert len(fields) >= 3 and rows > 4
    fields[0].send_keys("no row has this")
    assert shown(browser) != rows and browser.find_element(By.CSS_SELECTOR, ".table-search output").text[0] == "0"
    fields[0].clear()
    head(browser, 3).click()
    assert browser.find_element(By.CSS_SELECTOR, "table.searchable th[aria-sort]").text.startswith("AUC")
