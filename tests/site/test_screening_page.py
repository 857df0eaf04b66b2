"""The screening page in a real browser: uploads good and bad, label, heat map, and nothing that leaves the machine."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib import request
from urllib.error import HTTPError

import chromium
import numpy as np
import pytest
import spots
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from histolib import datasets
from studybook import screening, twins
from studybook.screening.prediction import square

pytestmark = chromium.needed
PATIENCE = 60  # seconds
# The upload button's input never joins the page; here it does, so that the driver can hand it a file.
REVEAL = """
document.querySelectorAll("body > input[type=file]").forEach((old) => old.remove());
HTMLInputElement.prototype.click = function () { if (this.type === "file") document.body.appendChild(this); };
document.querySelector("button.widget-upload").click();
const input = document.querySelector("body > input[type=file]");
input.value = "";  // as the button's own click does it
input.style.display = "block";
return input;
"""
GOOD = ("spot.png", "malignant"), ("plain.pgm", "benign"), ("deep.dcm", "malignant")
NOTED = {"alpha.png": "Its transparency was left out.", "deep.png": "keep their depth"}
BAD = {
    "text.png": "text.png is no image that can be read",
    "cut.png": "cut.png is cut short or damaged",
    "huge.png": "huge.png has 400,000,000 pixels; at most 64 million are read.",
    "empty.png": "empty.png is empty.",
    "report.dcm": "report.dcm: a DICOM file without pixel data",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Images good and bad."""
    folder, film = tmp_path_factory.mktemp("uploads"), spots.film(center=(120, 100))
    contents = {
        "spot.png": spots.encoded(film),
        "plain.pgm": spots.encoded(np.full((64, 64), 7, np.uint8), "PPM"),
        "deep.dcm": spots.dicom(film.astype(np.uint16) * 16),
        "alpha.png": spots.encoded(np.dstack([film, film, film, 255 - film])),
        "deep.png": spots.encoded(film.astype(np.uint16) * 16),
        "text.png": b"no image\n" * 99,
        "cut.png": spots.encoded(film)[:3000],
        "huge.png": spots.bomb(),
        "empty.png": b"",
        "report.dcm": spots.dicom(None),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Where the server may write: its home, its temporary folder and its cache."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return spots.saved(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def address(root, home, model):
    """The page, served as `make screen` serves it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    places = {name: str(home / name.lower()) for name in ("HOME", "TMPDIR", "HISTOLIB_CACHE", "MPLCONFIGDIR")}
    for place in places.values():
        Path(place).mkdir()
    command = [sys.executable, "-m", "studybook.screening.serve", "apps", "--model", str(model), "--port", str(port)]
    with open(home / "server.log", "w") as log:
        server = subprocess.Popen(command, cwd=root, env=os.environ | places, stdout=log, stderr=log)
    try:
        wait(lambda: answers(port), lambda: (home / "server.log").read_text())
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


@pytest.fixture(scope="module")
def browser(address, tmp_path_factory):
    driver = chromium.start(tmp_path_factory.mktemp("profile"))
    try:
        driver.set_window_size(1300, 1200)
        driver.get(address)
        wait(lambda: shown(driver, "button.widget-upload"), lambda: driver.page_source[-2000:])
        yield driver
    finally:
        driver.quit()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait(ready, told=lambda: ""):
    """What `ready` gives as soon as it is true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if found := ready():
                return found
        except StaleElementReferenceException:
            pass  # replaced while it was read
        time.sleep(0.05)
    raise AssertionError(f"waited {PATIENCE} s; {told()}")


def shown(browser, selector: str, text: str = ""):
    """The first visible element with that text."""
    found = browser.find_elements(By.CSS_SELECTOR, selector)
    return next((one for one in found if one.is_displayed() and text in one.text), None)


def upload(browser, file: Path) -> str:
    """Hand in a file; returns the message that the page then shows."""
    browser.execute_script("document.querySelector('.screening-message .widget-html-content').innerHTML = ''")
    browser.execute_script(REVEAL).send_keys(str(file))
    return wait(lambda: shown(browser, ".screening-message p", file.name), lambda: message(browser)).text


def message(browser) -> str:
    return browser.find_element(By.CSS_SELECTOR, ".screening-message").text


def classify(browser) -> str:
    """Press the button; returns the label with its probability."""
    shown(browser, "button.jupyter-button", "Classify").click()
    return wait(lambda: shown(browser, ".screening-label"), lambda: message(browser)).text


def listing(*folders: Path) -> dict[str, int]:
    """Files below folders and their sizes, the server's log left out."""
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.name != "server.log"]
    return {str(path): path.stat().st_size for path in found}


def test_the_notice_is_there_before_anything_is_uploaded(browser):
    notice = shown(browser, "[role=note]").text
    assert "For study, not for diagnosis" in notice and "learned from drawn images" in notice
    assert not shown(browser, ".screening-work")


@pytest.mark.parametrize(("name", "label"), GOOD)
def test_an_upload_is_classified(browser, files, name, label):
    assert name in upload(browser, files / name)
    wait(lambda: shown(browser, ".screening-film img"))
    said = classify(browser)
    assert f"The model says {label}" in said and "with probability" in said
    bars = {row.find_element(By.TAG_NAME, "th").text: row.find_element(By.TAG_NAME, "td").text
            for row in browser.find_elements(By.CSS_SELECTOR, ".screening-bars tr")}  # fmt: skip
    assert set(bars) == set(spots.CLASSES) and bars[label] in said
    heat = browser.find_element(By.CSS_SELECTOR, "img[alt^='Heat map']")
    assert browser.execute_script("return arguments[0].naturalWidth", heat) > 60


def test_a_film_of_the_twin_is_classified_as_the_library_does_it(browser, model):
    films = datasets.load("mias", twins.folder("mias", 4))
    film = films.root / films.table["path"][0]
    assert film.name in upload(browser, film)
    wait(lambda: shown(browser, ".screening-film img"))
    said = classify(browser)
    height, width = screening.read(film).pixels.shape
    region = square((height // 2, width // 2), 96, (height, width))
    expected = screening.predict(screening.load(model), film, region, heat_map=False)
    p = expected.probabilities[expected.label]
    assert f"The model says {expected.label}" in said and (f"{p:.1%}" in said or not 0.0005 < p < 0.9995)


@pytest.mark.parametrize("name", BAD)
def test_after_a_bad_upload_the_page_says_why_and_lives_on(browser, files, name):
    assert BAD[name] in upload(browser, files / name)
    assert shown(browser, "[role=alert]") and not shown(browser, ".screening-work")
    upload(browser, files / "spot.png")
    wait(lambda: shown(browser, ".screening-film img"))
    assert "malignant" in classify(browser)


@pytest.mark.parametrize("name", NOTED)
def test_what_was_changed_in_an_image_is_said(browser, files, name):
    assert NOTED[name] in upload(browser, files / name)
    wait(lambda: shown(browser, ".screening-film img"))
    assert "malignant" in classify(browser)


def test_a_click_moves_the_frame_and_takes_away_the_answer_about_another_region(browser, files):
    upload(browser, files / "spot.png")
    image = wait(lambda: shown(browser, ".screening-film img"))
    classify(browser)
    # A quarter of the image to the left of its middle, so far that the frame touches the border.
    ActionChains(browser).move_to_element_with_offset(image, -image.size["width"] // 4, 0).click().perform()
    wait(lambda: shown(browser, ".screening-frame [role=img][title$='columns 2 to 97']"))
    wait(lambda: not shown(browser, ".screening-label"))


def test_nothing_is_kept_on_disk(browser, files, home, root):
    upload(browser, files / "spot.png")
    wait(lambda: shown(browser, ".screening-film img"))
    classify(browser)
    before = listing(home, root / "apps")
    for name in ("deep.dcm", "text.png", "spot.png"):
        upload(browser, files / name)
    wait(lambda: shown(browser, ".screening-film img"))
    classify(browser)
    assert listing(home, root / "apps") == before
    film = spots.film(center=(120, 100)).tobytes()[:2000]
    assert not [path for path in before if film in Path(path).read_bytes()]


def test_no_request_leaves_the_machine_and_no_script_fails(browser, address):
    events = [json.loads(line["message"])["message"] for line in browser.get_log("performance")]
    urls = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    urls += [event["params"]["url"] for event in events if event["method"] == "Network.webSocketCreated"]
    remote = [url for url in urls if url.startswith(("http", "ws")) and address.partition("/")[2] not in url]
    assert len(urls) > 20 and not remote
    assert not [line["message"] for line in browser.get_log("browser") if line["level"] == "SEVERE"]


def test_pictures_and_controls_have_names(browser, files):
    upload(browser, files / "spot.png")
    wait(lambda: shown(browser, ".screening-film img"))
    classify(browser)
    assert all(image.get_attribute("alt") for image in browser.find_elements(By.CSS_SELECTOR, ".screening img"))
    names = [one.accessible_name for one in browser.find_elements(By.CSS_SELECTOR, ".screening [role=slider]")]
    assert names == ["Center, across", "Center, down", "Side"]
    assert "Choose an image" in shown(browser, "button.widget-upload").accessible_name
    assert browser.title == "Breast cancer screening framework"


@pytest.mark.parametrize("width", [1300, 500])
def test_nothing_sticks_out(browser, width):
    browser.set_window_size(width, 1200)
    WebDriverWait(browser, 10).until(lambda _: browser.execute_script("return window.innerWidth") <= width)
    script = "const box = document.querySelector('#rendered_cells'); return box.scrollWidth - box.clientWidth"
    wait(lambda: browser.execute_script(script) <= 0, lambda: browser.execute_script(script))


def test_a_page_of_another_site_cannot_reach_the_server(address):
    with pytest.raises(HTTPError, match="403"):
        request.urlopen(request.Request(address, headers={"Host": "elsewhere.example"}), timeout=PATIENCE)
