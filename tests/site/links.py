"""Links of a folder of HTML pages, and those that lead nowhere."""

from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

LINKING = "[href], [src]"


def pages(site: Path) -> list[Path]:
    """Pages of the book; the theme's own templates in `_static` are none."""
    return sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)


def links(page: Path, selector: str = LINKING) -> list[str]:
    """Addresses on a page, in order."""
    return [element.get("href") or element.get("src") or "" for element in _soup(page).select(selector)]


def broken(site: Path) -> list[tuple[str, str, str]]:
    """Page, address and reason for every internal address that leads nowhere."""
    found = []
    for page in pages(site):
        for link in links(page):
            reason = _reason(site, page, link)
            if reason:
                found.append((page.relative_to(site).as_posix(), link, reason))
    return found


@cache
def _soup(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text("utf8"), "html.parser")


@cache
def _anchors(page: Path) -> frozenset[str]:
    named = _soup(page).select("[id], a[name]")
    return frozenset(element.get("id") or element.get("name") for element in named)


def _reason(site: Path, page: Path, link: str) -> str:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or link == "#":
        return ""
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page.resolve()
    if not target.is_file() or site.resolve() not in target.parents:
        return "no such file in the book"
    if parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in _anchors(target):
        return "no such anchor"
    return ""
