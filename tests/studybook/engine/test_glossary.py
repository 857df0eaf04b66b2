"""studybook.engine.glossary: the first use of a term is a link, whatever stands around it."""

import pytest

from studybook.engine import glossary

PAGE = """# Glossary

```{glossary}
accuracy
  A share.

balanced accuracy
  A mean.

data leak
leakage
  A mistake.

H&E
  Dyes.

nucleus
  A part of a cell.

seed
  A number.
```
"""
TERMS = glossary.entries(PAGE)


def test_entries_keep_the_terms_of_one_explanation_together():
    assert TERMS == [["accuracy"], ["balanced accuracy"], ["data leak", "leakage"], ["H&E"], ["nucleus"], ["seed"]]
    assert glossary.entries("# A page without a glossary") == []


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("the accuracy and its accuracy", "the {term}`accuracy` and its accuracy"),
        ("Accuracies, accuracys", "Accuracies, {term}`accuracys <accuracy>`"),
        ("balanced\naccuracy, accuracy", "{term}`balanced\naccuracy <balanced accuracy>`, {term}`accuracy`"),
        ("Nuclei in H&E, not h&e", "{term}`Nuclei <nucleus>` in {term}`H&E`, not h&e"),
        ("no nucleus-like thing, no seed", "no nucleus-like thing, no seed"),
        ("# A nucleus\n\n`nucleus` [a nucleus](x.md) $nucleus$", None),
        ("```python\nnucleus\n```\nnucleus", "```python\nnucleus\n```\n{term}`nucleus`"),
        ("| nucleus | <b title='nucleus'> |", "| {term}`nucleus` | <b title='nucleus'> |"),
        ("a {term}`nucleus`, then nuclei", None),
        ("nuclei before a {term}`nucleus`", "{term}`nuclei <nucleus>` before a {term}`nucleus`"),
        ("a {term}`leak <data leak>`, leakage", None),
        ("{cite:t}`nucleus`", None),
        (
            ":::{note} nucleus\n:class: nucleus\nnucleus\n:::",
            ":::{note} nucleus\n:class: nucleus\n{term}`nucleus`\n:::",
        ),
        (
            "```{tip}\nnucleus\n```\nA seed.\n```\nnucleus\n```",
            "```{tip}\n{term}`nucleus`\n```\nA seed.\n```\nnucleus\n```",
        ),
    ],
)
def test_first_uses_become_links(text, linked):
    found = glossary.link(text, TERMS)
    assert found == (text if linked is None else linked)
    assert glossary.link(found, TERMS) == found
