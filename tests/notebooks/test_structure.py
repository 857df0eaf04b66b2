"""Every chapter is built the same way, so that a reader who knows one knows all."""

import ast
import json
import re
from pathlib import Path

import pytest

from histolib import datasets
from studybook.engine import chapters, colab, parameters
from studybook.published import reported

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = [
    "The claim",
    "Parameters",
    "The data",
    "The method",
    "Training",
    "Results",
    "A look inside",
    "What would break this",
    "What was found",
    "Exercises",
]
LONGEST = 15  # lines of code in a cell
WIDEST = 84  # characters of a line of code: more would wrap in a page
FOLDED = "hide-input"  # tag of a cell whose code a reader opens: it draws, or lays out a table
OPEN = "method"  # tag of a cell that ends in a picture or a table, and whose code is the method itself


@pytest.fixture(params=sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def cells(path):
    return json.loads(path.read_text("utf8"))["cells"]


def source(cell) -> str:
    return "".join(cell["source"])


def tagged(cells, tag) -> list[int]:
    """Positions among the code cells of those with a tag."""
    return [k for k, cell in enumerate(code(cells)) if tag in cell["metadata"].get("tags", [])]


def code(cells) -> list[dict]:
    """The code cells, but for the one that is for Colab alone and that no page shows."""
    return [cell for cell in cells if cell["cell_type"] == "code" and colab.TAG not in cell["metadata"].get("tags", [])]


def prose(cells) -> str:
    return "\n\n".join(source(cell) for cell in cells if cell["cell_type"] == "markdown")


def test_committed_without_outputs(cells):
    assert not [source(cell) for cell in code(cells) if cell["outputs"] or cell["execution_count"] is not None]


def test_colab_comes_first_with_the_address_of_the_settings(cells):
    # `python -m studybook.engine.colab` writes it.
    assert cells[1] == colab.cell(colab.address(ROOT))
    assert [cell for cell in cells if colab.TAG in cell["metadata"].get("tags", [])] == [cells[1]]


def test_the_metadata_name_the_data_sets(path, cells):
    needed = chapters.needs(path)
    assert needed and set(needed) <= set(datasets.NAMES)
    assert all(f'"{name}"' in "".join(map(source, code(cells))) for name in needed[:1])


def test_one_title_and_the_agreed_sections_in_order(cells):
    text = re.sub(r"^(```|~~~).*?^\1", "", prose(cells), flags=re.S | re.M)
    assert len(re.findall(r"^# ", text, re.M)) == 1
    assert re.findall(r"^## (.+?)\s*$", text, re.M) == SECTIONS


def test_the_first_code_cell_holds_all_imports(cells):
    assert tagged(cells, "imports") == [0]
    later = [source(cell) for cell in code(cells)[1:]]
    assert not [
        text for text in later if any(isinstance(n, ast.Import | ast.ImportFrom) for n in ast.walk(ast.parse(text)))
    ]


def test_parameters_come_next_are_explained_and_are_verified(path, cells):
    assert tagged(cells, "parameters") == [1]
    assert source(code(cells)[1]).startswith(parameters.MARK)
    assert "parameters.verify(In)" in source(code(cells)[2])
    known = parameters.of_notebook(path)
    assert {"data", "output", "kept", "seed"} <= set(known)
    assert [name for name, parameter in known.items() if not parameter.help] == []


def test_code_cells_are_short(cells):
    long = {source(cell) for cell in code(cells) if "parameters" not in cell["metadata"].get("tags", [])}
    assert not [text for text in long if len(text.splitlines()) > LONGEST]


def test_code_does_not_wrap_in_a_page(cells):
    wide = [line for cell in code(cells) for line in source(cell).splitlines() if len(line) > WIDEST]
    # Parameters carry their explanation, for the reader and for `make`, on their own line.
    assert not [line for line in wide if line not in source(code(cells)[1])]
    assert "fmt: skip" not in "".join(map(source, code(cells)))


def test_cells_that_draw_or_lay_out_are_folded(cells):
    for cell in code(cells)[3:]:
        tags, last = set(cell["metadata"].get("tags", [])), ast.unparse(ast.parse(source(cell)).body[-1])
        if last.startswith(("figure =", "show.table(")):
            assert len(tags & {FOLDED, OPEN, "hide-cell"}) == 1, source(cell)


def test_it_ends_with_the_verdicts(path, cells):
    if path.stem in reported.papers():
        text = "".join(source(cell) for cell in code(cells))
        assert f'verdicts.table("{path.stem}"' in text and f'verdicts.sentences("{path.stem}"' in text


def test_what_was_found_is_computed(cells):
    # Of a chapter without a paper too: sentences made from tables, and no code that only prints what somebody typed.
    heading = next(k for k, cell in enumerate(cells) if "## What was found" in source(cell))
    found = [source(cell) for cell in cells[heading:] if cell["cell_type"] == "code"]
    assert any("sentences(" in text for text in found) and not any('Markdown("' in text for text in found)


def test_a_chapter_without_a_paper_shows_no_paper_by_itself(path, cells):
    if path.stem not in reported.papers():
        assert "studybook.papers" not in "".join(map(source, cells))


def test_every_exercise_has_a_place_of_its_own_a_time_and_an_answer(path, cells):
    exercises = re.split(r"^\d+\. ", prose(cells).partition("## Exercises")[2], flags=re.M)[1:]
    assert exercises
    for number, text in enumerate(exercises, start=1):
        assert f"runs/{path.stem}-{number}.ipynb" in text and f"-p output ../runs/{path.stem}-{number}" in text
        assert re.search(r"\btimes? as long|\bminutes?\b", text) and ":::{dropdown} Answer" in text


def test_a_table_is_the_last_thing_of_its_cell(cells):
    # Jupyter shows the value of a cell's last line only, and of none that stands inside an `if` or a loop.
    for cell in code(cells):
        body = ast.parse(source(cell)).body
        hidden = body[:-1] if isinstance(body[-1], ast.Expr) else body
        calls = [node for part in hidden for node in ast.walk(part) if isinstance(node, ast.Call)]
        assert "show.table" not in {ast.unparse(call.func) for call in calls}, source(cell)


def test_no_cell_hides_its_value_with_a_semicolon(cells):
    # IPython obeys it only where it keeps a history; run again by nbval, the cell would print more than before.
    assert not [source(cell) for cell in code(cells) if source(cell).rstrip().endswith(";")]


def test_every_exercise_has_a_command_with_declared_parameters(path, cells):
    exercises = prose(cells).partition("## Exercises")[2]
    commands = re.findall(r"(?:papermill|make \w+) [^`]+", exercises)
    assert commands
    given = [name for line in commands for name in re.findall(r"-[pr]\s+(\w+)", line)]
    for line in commands:
        given += [name for text in re.findall(r"SET=[\"']?([^\"'\n]*)", line) for name in re.findall(r"(\w+)=", text)]
    known = parameters.of_notebook(path)
    assert given and not [name for name in given if name not in known]


def test_damaged_files_are_what_the_parameter_says(path, cells):
    """A chapter that lets a reader leave damaged files out says so to every loader."""
    trees = [ast.parse("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]
    calls = [one for tree in trees for one in ast.walk(tree) if isinstance(one, ast.Call)]
    loads = [one for one in calls if ast.unparse(one.func) == "datasets.load"]
    given = [{ast.unparse(arg) for arg in (*one.args, *(word.value for word in one.keywords))} for one in loads]
    known = "damaged" in parameters.of_notebook(path)
    assert all("damaged" in names for names in given) if known else not any("damaged" in names for names in given)
