"""studybook.engine.chapters: parameters are settled and checked before anything runs."""

import json
import subprocess
import sys

import pytest
import tiny
import yaml

from studybook.engine import chapters
from studybook.engine.parameters import ParameterError


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tiny.repository(tmp_path / "a repository"))
    return tmp_path / "a repository"


def written(project, name="good"):
    return yaml.safe_load((project / "runs/demo" / name / "parameters.yaml").read_text())


def test_profile_and_paths_are_written_relative_to_the_notebooks(project):
    chapters.prepare("demo")
    assert written(project) == {"data": None, "output": "../runs/demo/good", "seed": 2, "rate": 1e-4}
    assert list(written(project)) == ["data", "output", "seed", "rate"]


def test_a_file_is_written_only_when_its_content_changes(project):
    (path,) = chapters.prepare("demo", ["good"])
    before = path.stat().st_mtime_ns
    chapters.prepare("demo", ["good"])
    assert path.stat().st_mtime_ns == before
    chapters.prepare("demo", ["good"], settings={"seed": "3"})
    assert path.stat().st_mtime_ns > before and written(project)["seed"] == 3


def test_a_folder_that_can_not_be_written_is_named(project):
    (project / "runs/demo").mkdir(parents=True)
    (project / "runs/demo/good").write_text("a file")
    with pytest.raises(ParameterError, match="runs/demo/good/parameters.yaml can't be written: .*make that folder"):
        chapters.prepare("demo", ["good"])


def declare(project, *needed):
    path = project / "notebooks/good.ipynb"
    book = json.loads(path.read_text())
    book["metadata"]["studybook"] = {"datasets": needed}
    path.write_text(json.dumps(book))


def test_a_chapter_whose_data_are_not_there_draws_its_twin_and_says_so(project, capsys):
    (project.parent / "elsewhere").mkdir()
    declare(project, "idc")
    chapters.prepare("demo", data="../elsewhere")
    assert written(project)["data"] is None
    assert "holds no data set; good needs idc; it draws its twin instead" in capsys.readouterr().err


def test_a_chapter_that_is_asked_for_by_name_does_not(project):
    (project.parent / "elsewhere").mkdir()
    declare(project, "idc", "bach")
    with pytest.raises(ParameterError, match="elsewhere.*good needs idc or bach"):
        chapters.prepare("demo", ["good"], data="../elsewhere")


def test_one_of_the_data_sets_is_enough(project):
    patch = project.parent / "real/IDC_regular_ps50_idx5/8863/0/8863_idx5_x1_y1_class0.png"
    patch.parent.mkdir(parents=True)
    patch.touch()
    declare(project, "bach", "idc")
    chapters.prepare("demo", ["good"], data="../real")
    assert written(project)["data"] == "../../real"


def test_a_data_folder_may_have_spaces_and_be_a_link(project):
    (project.parent / "real data").mkdir()
    (project.parent / "link").symlink_to(project.parent / "real data")
    for folder in ("../real data", "../link", str(project.parent / "real data")):
        chapters.prepare("demo", data=folder)
        assert written(project)["data"] == "../../real data"
    chapters.prepare("demo", data="")
    assert written(project)["data"] is None


def test_settings_are_read_as_the_chapter_declares_them(project):
    chapters.prepare("demo", ["good"], settings={"rate": "1e-5", "split": "no", "fail": "true", "seed": "7"})
    values = written(project)
    assert (values["rate"], values["split"], values["fail"], values["seed"]) == (1e-5, "no", True, 7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"settings": {"sed": "3"}}, "'sed'.*'seed'"),
        ({"settings": {"seed": "three"}}, r"'seed' is 'three' \(str\); expected int"),
        ({"settings": {"output": "here"}}, "'output'.*--set"),
        ({"data": "nowhere"}, "data folder 'nowhere'"),
        ({"names": ["god"]}, "'god'.*bad, good"),
        ({"profile": "dmo"}, "dmo.*profiles demo"),
    ],
)
def test_a_mistake_stops_before_anything_is_written(project, arguments, message):
    with pytest.raises(ParameterError, match=message):
        chapters.prepare(**{"profile": "demo"} | arguments)
    assert not (project / "runs").exists()


def test_one_bad_profile_writes_no_file_for_any_chapter(project):
    (project / "profiles/demo/good.yaml").write_text("epochs: 3\n")
    with pytest.raises(ParameterError, match="good: .*'epochs'"):
        chapters.prepare("demo")
    assert not (project / "runs").exists()


def test_the_command_says_what_is_wrong_and_stays_quick_without_keras(project, capsys):
    assert chapters.main(["prepare", "good", "--set", "seed=3", "rate=1"]) == 0
    assert chapters.main(["prepare", "--set", "seed"]) == 2
    assert "expected name=value" in capsys.readouterr().err
    heavy = "import sys, studybook.engine.chapters; print({'keras', 'tensorflow', 'papermill'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
