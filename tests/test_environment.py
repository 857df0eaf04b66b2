"""environment.yml and Binder install what requirements.lock pins."""

import re
import tomllib

import pytest
import yaml


@pytest.fixture(scope="module")
def lock(root):
    lines = (root / "requirements.lock").read_text().splitlines()
    pins = (re.match(r"([a-z0-9._-]+)==([^\s;]+)", line) for line in lines)
    return {pin[1]: pin[2] for pin in pins if pin}


@pytest.fixture(scope="module")
def declared(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    requirements = [*project["dependencies"], *(line for extra in extras for line in extra)]
    return {re.match(r"[A-Za-z0-9._-]+", line)[0].lower() for line in requirements}


@pytest.fixture(scope="module")
def conda(root):
    return yaml.safe_load((root / "environment.yml").read_text())


def test_every_declared_dependency_is_locked(lock, declared):
    assert declared <= set(lock), f"not in requirements.lock (make lock): {sorted(declared - set(lock))}"


def test_every_locked_package_has_hashes(root, lock):
    blocks = re.split(r"\n(?=[a-z0-9])", (root / "requirements.lock").read_text())
    without = [block.split("==")[0] for block in blocks if "==" in block and "--hash=sha256:" not in block]
    assert not without and len(lock) > 100


def test_conda_pins_the_versions_of_the_lock(conda, lock, declared):
    pip = next(entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict))
    pins = {re.match(r"[a-z0-9-]+", line)[0]: line.partition("==")[2].partition(" ")[0] for line in pip}
    assert pins == {name: lock[name] for name in declared}
    assert f"tensorflow[and-cuda]=={lock['tensorflow']} ; sys_platform == 'linux'" in pip


def test_one_python_for_conda_and_binder_within_the_range(root, conda):
    assert conda["name"] == "histolib" and conda["channels"] == ["conda-forge"]
    (python,) = [line.split("=")[1] for line in conda["dependencies"] if str(line).startswith("python=")]
    assert (root / ".binder/runtime.txt").read_text().strip() == f"python-{python}"
    assert python in {"3.11", "3.12", "3.13"}


def test_binder_installs_the_lock_and_then_the_library(root):
    assert "-r ../requirements.lock" in (root / ".binder/requirements.txt").read_text()
    script = root / ".binder/postBuild"
    assert script.stat().st_mode & 0o100 and "--no-deps" in script.read_text()


def test_citation_file_has_what_the_format_asks_for(root):
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0" and citation["type"] == "software" and citation["license"] == "MIT"
    assert citation["title"] and citation["message"] and citation["authors"]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert str(citation["version"]) == project["version"]
