"""The rendered book: every link, anchor, picture and download that leads inside leads somewhere."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from links import broken, links, pages
from PIL import Image

from studybook.engine import glossary

# What a page shows beside its running text.
NO_PROSE = (
    "h1, h2, h3, h4, h5, figcaption, code, pre, .cell_input, .cell_output, .math, .admonition-title, summary, "
    "script, style, .footer-article"
)
ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
LOCAL = re.compile(r"file://|(?<![\w.~:/$}&;=-])/(?:home|Users|root|work|tmp|private|mnt|opt|usr|var)/[\w.-]")


def test_everything_that_leads_inside_leads_somewhere(site):
    assert broken(site) == []


def test_the_checker_sees_what_is_broken(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html#here">x</a><a href="b.html#gone">x</a><img src="no.png"><a href="c.html">'
    )
    (tmp_path / "b.html").write_text('<p id="here"></p><a href="/root.html"></a><a href="https://example.org"></a>')
    assert [(page, link) for page, link, _ in broken(tmp_path)] == [
        ("a.html", "b.html#gone"),
        ("a.html", "no.png"),
        ("a.html", "c.html"),
        ("b.html", "/root.html"),
    ]


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_launches_from_the_repository_and_can_be_downloaded(site, root, name):
    page = site / "notebooks" / f"{name}.html"
    (binder,) = {link for link in links(page) if "mybinder.org" in link}
    assert (root / binder.partition("urlpath=lab/tree/")[2]).is_file()
    (opened,) = {link for link in links(page) if "colab.research.google.com" in link}
    assert (root / opened.partition("/blob/main/")[2]).is_file() and opened.endswith(f"notebooks/{name}.ipynb")
    (download,) = {link for link in links(page) if link.endswith(".ipynb") and "://" not in link}
    notebook = json.loads((page.parent / download).read_text("utf8"))
    assert any(cell.get("outputs") for cell in notebook["cells"])
    needs = "".join(notebook["cells"][0]["source"])
    assert "`histolib`" in needs and "git clone" in needs and f"notebooks/{name}.ipynb" in needs


def test_launch_buttons_lead_to_one_repository(site):
    launched = {
        link.partition("/v2/")[2].partition("?")[0]
        for page in pages(site)
        for link in links(page)
        if "mybinder" in link
    }
    assert len(launched) == 1 and re.fullmatch(r"gh/[\w.-]+/[\w.-]+/main", launched.pop())


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_shows_tables_and_figures_and_no_error(site, name):
    soup = BeautifulSoup((site / "notebooks" / f"{name}.html").read_text("utf8"), "html.parser")
    article = soup.select_one("article")
    assert article.select("table") and article.select(".cell_output img")
    assert not article.select(".output.traceback, .output.stderr")


def test_the_side_bar_has_chapters_with_their_papers_below_and_no_title_twice(site):
    soup = BeautifulSoup((site / "book/intro.html").read_text("utf8"), "html.parser")
    entries = soup.select("nav.bd-links li > a")
    titles = [entry.get_text().strip() for entry in entries]
    assert sorted(titles) == sorted(set(titles))
    outer = [entry["href"] for entry in soup.select("nav.bd-links li.toctree-l1 > a")]
    assert [name for name in CHAPTERS if f"../notebooks/{name}.html" not in outer] == []
    assert not [link for link in outer if link.startswith("papers/")]
    assert set(titles) >= {link.get_text() for link in soup.select("article a[href^='../notebooks/']")}


def running_text(page: Path) -> tuple[str, dict[str, int]]:
    """A page's text without links, code, headings, outputs; where in it each entry of the glossary is linked first."""
    article = BeautifulSoup(page.read_text("utf8"), "html.parser").select_one("article")
    for other in article.select(NO_PROSE):
        other.decompose()
    text, linked = "", {}
    for node in article.find_all(string=True):
        link = node.find_parent("a")
        if link and "glossary.html#term-" in link.get("href", ""):
            linked.setdefault(link["href"].partition("#term-")[2].lower(), len(text))
        text += " " if link else node
    return text, linked


def test_the_first_use_of_a_term_is_a_link(site):
    entries = glossary.entries((ROOT / "book/glossary.md").read_text("utf8"))
    terms = sorted(((term, entry) for entry in entries for term in entry), key=lambda pair: -len(pair[0]))
    missing = []
    for page in pages(site):
        if page.parent == site or page.stem in ("glossary", "provenance", "bibliography"):
            continue
        text, linked = running_text(page)
        for term, entry in terms:
            anchors = {re.sub(r"[^a-z0-9]+", "-", one.lower()).strip("-") for one in entry}
            place = min((linked[one] for one in anchors & linked.keys()), default=len(text))
            found = glossary.pattern(term).search(text)
            if found and found.start() < place and term not in glossary.EVERYDAY:
                missing.append(f"{page.name}: {text[max(0, found.start() - 40) : found.end() + 20]!r}")
            text = glossary.pattern(term).sub(lambda use: " " * len(use[0]), text)
    assert not missing


def test_no_picture_is_blank(site):
    found = sorted((site / "_images").glob("*.png"))
    assert found
    for path in found:
        with Image.open(path) as image:
            assert np.asarray(image.convert("L"), float).std() > 2, f"{path.name} is blank"


def test_nothing_of_the_machine_is_shown(site):
    files = [*pages(site), *(site / "_sources").rglob("*.*"), site / "searchindex.js"]
    found = [(path.name, match[0]) for path in files for match in LOCAL.finditer(path.read_text("utf8"))]
    assert not found


def test_every_page_takes_the_books_own_style(site):
    without = [page.name for page in pages(site) if not any("book.css" in one for one in links(page, "link"))]
    assert without == ["index.html"]  # leads to the first page, nothing else


def test_nothing_is_fetched_from_elsewhere_but_formulas(site):
    remote = {
        link
        for page in pages(site)
        for link in links(page, "script[src], link[rel=stylesheet], img[src]")
        if "://" in link
    }
    assert not [link for link in remote if "mathjax" not in link]


def test_provenance_names_every_chapter(site):
    linked = links(site / "book/provenance.html", "article a")
    assert [name for name in CHAPTERS if f"../notebooks/{name}.html" not in linked] == []
