"""A browser without a window, for tests of pages."""

import shutil
from pathlib import Path

import pytest
from selenium import webdriver

_BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_DRIVER = shutil.which("chromedriver")
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip
needed = pytest.mark.skipif(
    not (_BROWSER and _DRIVER), reason="no Chromium with its driver (Debian: apt-get install chromium chromium-driver)"
)


def start(profile: Path) -> webdriver.Chrome:
    """A browser that logs what it requests and what its scripts say; the caller quits it."""
    options = webdriver.ChromeOptions()
    options.binary_location = _BROWSER
    for option in (*_OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(_DRIVER))
