"""The book in a real browser, opened from disk: search, wide tables, code, what is folded, at two widths."""

import time

import chromium
import pytest
from links import pages
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = chromium.needed
PATIENCE = 20  # seconds
WIDTHS = (1300, 500)
# Tables and figures that reach beyond the window, but for those in a box that scrolls and says so.
STICKING_OUT = """
const outside = (one) => one.getBoundingClientRect().right > window.innerWidth + 1;
const free = (one) => !one.closest(".wide, mjx-container, details:not([open])");
const found = [...document.querySelectorAll(".bd-article *")].filter((one) => outside(one) && free(one));
return found.map((one) => one.outerHTML.slice(0, 80));
"""
# Characters of code that fit into a line of the first cell.
ROOM = """
const pre = document.querySelector("div.cell_input pre"), ruler = document.createElement("span");
ruler.textContent = "m".repeat(100);
pre.append(ruler);
const one = ruler.getBoundingClientRect().width / 100, style = getComputedStyle(pre);
ruler.remove();
return (pre.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)) / one;
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = chromium.start(tmp_path_factory.mktemp("profile"))
    driver.set_window_size(WIDTHS[0], 1000)
    yield driver
    driver.quit()


def resized(browser, width: int) -> None:
    browser.set_window_size(width, 1000)
    WebDriverWait(browser, PATIENCE).until(lambda _: browser.execute_script("return window.innerWidth") <= width)


def chapters(site):
    return sorted((site / "notebooks").glob("*.html"))


@pytest.mark.parametrize("word", ["leakage", "twin", "magnification"])
def test_the_search_shows_excerpts_from_disk(browser, site, word):
    browser.get((site / "search.html").as_uri() + f"?q={word}")
    items = WebDriverWait(browser, PATIENCE).until(lambda it: it.find_elements(By.CSS_SELECTOR, "#search-results li"))
    WebDriverWait(browser, PATIENCE).until(lambda it: it.find_elements(By.CSS_SELECTOR, "#search-results p.context"))
    excerpts = [one.text.lower() for one in browser.find_elements(By.CSS_SELECTOR, "#search-results p.context")]
    assert items and any(word in excerpt for excerpt in excerpts)


def test_every_page_has_a_text_to_search(browser, site):
    browser.get((site / "search.html").as_uri() + "?q=twin")
    WebDriverWait(browser, PATIENCE).until(lambda it: it.execute_script("return !!window.PAGES"))
    known = browser.execute_script("return Object.keys(window.PAGES)")
    shown = [path.relative_to(site).as_posix() for path in pages(site)]
    assert sorted(known) == [name for name in shown if name.startswith(("book/", "notebooks/"))]


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out_of_a_page(browser, site, width):
    resized(browser, width)
    for path in pages(site):
        if path.name in ("index.html", "genindex.html", "search.html"):
            continue
        browser.get(path.as_uri())
        time.sleep(0.3)  # the observer of the boxes has seen them
        beyond = browser.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
        assert beyond <= 0 and browser.execute_script(STICKING_OUT) == [], path.name


def test_a_line_of_84_characters_of_code_fits(browser, site):
    resized(browser, WIDTHS[0])
    for path in chapters(site):
        browser.get(path.as_uri())
        assert browser.execute_script(ROOM) >= 84


def test_a_wide_table_says_so_and_keeps_its_first_column(browser, site):
    resized(browser, WIDTHS[1])
    browser.get((site / "notebooks/idc_transfer.html").as_uri())
    box = WebDriverWait(browser, PATIENCE).until(
        lambda it: next(one for one in it.find_elements(By.CSS_SELECTOR, ".wide") if one.is_displayed())
    )
    hint = browser.execute_script("return arguments[0].previousElementSibling.textContent", box)
    assert "scroll" in hint and box.get_attribute("tabindex") == "0"
    first = box.find_element(By.CSS_SELECTOR, "tbody th, tbody td")
    before = first.location["x"]
    browser.execute_script("arguments[0].scrollLeft = 60", box)
    assert browser.execute_script("return arguments[0].scrollLeft", box) > 0 and first.location["x"] == before


def test_what_is_folded_says_what_it_is(browser, site):
    said = {"hide-cell": "Show this code and what it prints", "hide-input": "Show the code behind this"}
    found = set()
    for path in chapters(site):
        browser.get(path.as_uri())
        for tag, words in said.items():
            for cell in browser.find_elements(By.CSS_SELECTOR, f".tag_{tag} details > summary .collapsed"):
                assert cell.text == words
                found.add(tag)
    assert found == {*said}
