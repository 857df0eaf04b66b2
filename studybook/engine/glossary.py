"""Links the first use of each term of the glossary, on every page, when the book is made.

Whoever writes a page or a chapter links by hand what deserves it; the rest is done here, so that a new entry of the
glossary reaches every page.
"""

from __future__ import annotations

import re

# Words that most often mean what they mean to everybody; these are linked by hand alone.
EVERYDAY = frozenset(
    ["ceiling", "margin", "mask", "profile", "record", "regression", "sample", "seed", "stain", "view"]
)
_LINK = re.compile(r"{term}`(?:[^`<]*<)?([^`>]+)>?`")
# A directive whose body is running text; its fences are none.
_NOTE = re.compile(r"^( *```+{(?:note|warning|tip|admonition|dropdown)}[^\n]*\n)(.*?)(^ *```+ *$)", re.M | re.S)
# Nor are blocks of code, fences and options, headings, formulas, code and roles, links with their addresses, tags.
_NO_PROSE = re.compile(
    r"^ *(```+|~~~+).*?^ *\1\s*?$|^ *:::.*?$|^ *:[a-z-]+:.*?$|^#.*?$|\$\$.*?\$\$|\$[^$\n]+\$|`[^`]*`"
    r"|\[[^\]]*\]\([^)]*\)|<[^>\n]+>",
    re.M | re.S,
)
_PLURAL = {"nucleus": "nuclei"}


def entries(page: str) -> list[list[str]]:
    """Terms of each entry of the glossary, from its page in Markdown; terms of one entry share its explanation."""
    body = page.partition("```{glossary}\n")[2].rpartition("```")[0]
    blocks = body.strip("\n").split("\n\n") if body else []
    return [[line for line in block.splitlines() if not line.startswith(" ")] for block in blocks]


def pattern(term: str) -> re.Pattern:
    """Matches a term as whole words, in the plural too; capitals count only in terms that have them."""
    words = r"\s+".join(map(re.escape, term.split()))
    forms = "|".join(filter(None, [f"{words}s?", _PLURAL.get(term)]))
    return re.compile(rf"(?<![\w-])(?:{forms})(?![\w-])", re.I if term.islower() else 0)


def link(text: str, glossary: list[list[str]]) -> str:
    """Markdown in which the first use of each term that the text uses is a link to the glossary.

    Parameters
    ----------
    text
        A page, or all text of a notebook, whose first uses may be links already.
    glossary
        From `entries`.
    """

    def blank(found: re.Match) -> str:
        return " " * len(found[0])

    linked: dict[str, int] = {}
    for found in _LINK.finditer(text):
        linked.setdefault(" ".join(found[1].split()).lower(), found.start())
    plain = _NOTE.sub(lambda found: " " * len(found[1]) + found[2] + " " * len(found[3]), _LINK.sub(blank, text))
    plain = _NO_PROSE.sub(blank, plain)
    uses: dict[int, tuple[int, int, str]] = {}
    # Longer terms first: "balanced accuracy" is no use of "accuracy".
    for term, entry in sorted(((term, k) for k, one in enumerate(glossary) for term in one), key=lambda t: -len(t[0])):
        found = pattern(term).search(plain)
        if found and term not in EVERYDAY and (entry not in uses or found.start() < uses[entry][0]):
            uses[entry] = (*found.span(), term)
        plain = pattern(term).sub(blank, plain)
    for entry, (start, end, term) in sorted(uses.items(), key=lambda use: -use[1][0]):
        if start < min((linked[name.lower()] for name in glossary[entry] if name.lower() in linked), default=len(text)):
            word = text[start:end]
            role = f"{{term}}`{word}`" if word == term else f"{{term}}`{word} <{term}>`"
            text = text[:start] + role + text[end:]
    return text
