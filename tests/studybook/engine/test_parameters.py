"""studybook.engine.parameters: what a chapter declares is read without running it, and nothing else can be set."""

import json
from types import SimpleNamespace

import pytest

from studybook.engine import parameters
from studybook.engine.parameters import MARK, ParameterError

SOURCE = f"""{MARK}
data: str = None  # folder of the real data; None draws the twin
epochs: int = 6  # epochs of the baseline
rate: float = 1e-3  # learning rate
shift: float = -0.2  # how far, in widths
augment: bool = True  # whether to augment
blocks: list = [1, 2]  # blocks to train
names: list[str] = []  # methods
"""


@pytest.fixture
def known():
    return parameters.declared(SOURCE)


def test_declarations_are_read_in_order_with_type_and_help(known):
    assert list(known) == ["data", "epochs", "rate", "shift", "augment", "blocks", "names"]
    assert known["epochs"] == (6, int, "epochs of the baseline")
    assert known["data"] == (None, str, "folder of the real data; None draws the twin")
    assert known["shift"].default == -0.2
    assert known["blocks"].type == list[int]
    assert known["names"].type == list[str]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("epochs = 6", "expected `name: type = value"),
        ("epochs: int = 2 * 3", "no literal"),
        ("epochs: int = 6.5", "the default is not int"),
        ("epochs: int", "expected `name: type = value"),
        ("epochs: Path = 'x'", "type 'Path' is not known"),
        ("print('hello')", "line 1"),
    ],
)
def test_anything_but_annotated_literals_is_an_error(source, message):
    with pytest.raises(ParameterError, match=message):
        parameters.declared(source)


@pytest.mark.parametrize(
    "values",
    [
        {"epochs": 1},
        {"rate": 1},
        {"rate": 0.5},
        {"data": None},
        {"data": "x"},
        {"blocks": []},
        {"names": ["a"]},
    ],
)
def test_good_values_pass(known, values):
    parameters.check(values, known, "chapter")


def test_an_undeclared_name_is_named_with_the_closest_one(known):
    with pytest.raises(ParameterError, match=r"idc: .*'epoch'.*'epochs'") as caught:
        parameters.check({"epoch": 3}, known, "idc")
    assert "data, epochs, rate" in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": "3"}, r"'epochs' is '3' \(str\); expected int"),
        ({"epochs": True}, r"'epochs' is True \(bool\); expected int"),
        ({"epochs": 3.0}, r"'epochs' is 3.0 \(float\)"),
        ({"rate": False}, r"'rate' is False \(bool\); expected float"),
        ({"rate": None}, r"'rate' is None"),
        ({"augment": 1}, r"'augment' is 1 \(int\); expected bool"),
        ({"data": 5}, r"'data' is 5 \(int\); expected str or None"),
        ({"blocks": [1, "2"]}, r"expected list\[int\]"),
        ({"blocks": 1}, r"expected list\[int\]"),
        ({"names": [1]}, r"expected list\[str\]"),
    ],
)
def test_a_wrong_type_is_named_with_what_would_be_right(known, values, message):
    with pytest.raises(ParameterError, match=message):
        parameters.check(values, known, "chapter")


def test_how_none_is_written_is_told():
    declared = parameters.declared("patients: int = None  # how many")
    with pytest.raises(ParameterError, match=r"'patients' is 'None' \(str\); .* \(None is written patients=null\)"):
        parameters.check({"patients": "None"}, declared, "chapter")


def test_all_mistakes_are_told_at_once(known):
    with pytest.raises(ParameterError) as caught:
        parameters.check({"epoch": 3, "rate": "fast", "epochs": 2}, known, "chapter")
    assert len(str(caught.value).splitlines()) == 2


def test_verify_returns_the_values_in_force_in_declared_order():
    history = ["", "import os", SOURCE, "# Parameters\nrate = 0.5\nepochs = 2\n", "parameters.verify(In)"]
    values = parameters.verify(history)
    assert list(values) == list(parameters.declared(SOURCE))
    assert (values["epochs"], values["rate"], values["augment"]) == (2, 0.5, True)


def test_verify_takes_the_cell_that_was_run_last():
    edited = SOURCE.replace("epochs: int = 6", "epochs: int = 9")
    assert parameters.verify([SOURCE, "# Parameters\nepochs = 2", edited])["epochs"] == 9
    assert parameters.verify([SOURCE, "# Parameters of the model\nprint(1)"])["epochs"] == 6


@pytest.mark.parametrize(
    ("history", "message"),
    [
        (["x = 1"], "run the parameters cell first"),
        ([SOURCE, "# Parameters\nepoch = 2"], "'epoch'.*'epochs'"),
        ([SOURCE, "# Parameters\nepochs = float('nan')"], "expected int"),
    ],
)
def test_verify_stops_a_notebook_with_a_mistake(history, message):
    with pytest.raises(ParameterError, match=message):
        parameters.verify(history)


def test_verify_without_a_history_returns_the_annotated_names(monkeypatch):
    shell = SimpleNamespace(user_ns={"__annotations__": {"seed": int}, "seed": 4, "other": 5})
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    assert parameters.verify([""]) == {"seed": 4}


@pytest.mark.parametrize("count", [0, 2])
def test_a_notebook_has_exactly_one_parameters_cell(tmp_path, count):
    cell = {"cell_type": "code", "source": [SOURCE], "metadata": {"tags": ["parameters"]}}
    path = tmp_path / "chapter.ipynb"
    path.write_text(json.dumps({"cells": [cell] * count}))
    with pytest.raises(ParameterError, match=f"chapter.ipynb: {count} cells"):
        parameters.of_notebook(path)


def test_a_value_set_in_a_cell_of_ones_own_is_the_one_in_force(monkeypatch):
    class Shell:
        user_ns = {"epochs": 3, "rate": 0.25, "other": 1}

    monkeypatch.setattr("IPython.get_ipython", Shell)
    values = parameters.verify([SOURCE, "# Parameters\nrate = 0.5"])
    assert values["epochs"] == 3 and values["rate"] == 0.25 and "other" not in values
    Shell.user_ns["epochs"] = "many"
    with pytest.raises(ParameterError, match="'epochs' is 'many'"):
        parameters.verify([SOURCE])


def test_choices_and_smallest_values_are_named():
    values = {"split": "patiens", "draws": 0}
    with pytest.raises(ParameterError, match="split='patiens'.*'patient', 'patch'"):
        parameters.one_of(values, split=("patient", "patch"))
    with pytest.raises(ParameterError, match="draws=0.* 1"):
        parameters.at_least(values, draws=1)
    parameters.one_of(values, split=["patiens"])
    parameters.at_least(values, draws=0)
