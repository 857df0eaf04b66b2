"""Repositories of tiny chapters, for tests of the house that need no model."""

import shutil
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parent.parent
PARAMETERS = """# parameters: change them here or with papermill
data: str = None  # folder of the real data; None draws the twin
output: str = "../runs/jupyter/{name}"  # folder of what is written
kept: str = "../records/{name}"  # folder of kept real records
seed: int = 1  # seed of all draws
rate: float = 0.1  # learning rate
split: str = "patient"  # patient or patch
fail: bool = {fail}  # whether to fail"""
RUN = """from studybook.engine import parameters
settings = parameters.verify(In)
print("seed", seed)"""
RECORD = """import json
from pathlib import Path
record = dict(
    title="A | tiny_chapter", parameters=settings, seeds={"seed": seed}, revision="a" * 40 + "-dirty",
    data=dict(name="idc", twin=data is None, fingerprint="ab" * 32, images=1234, patients=12, skipped=["x.png"]),
    started="2026-01-02T03:04:05+00:00", seconds=12.3, stages={"load_data": 1.2},
    python="3.12.1", packages={"numpy": "2"}, backend="tensorflow",
    hardware=dict(cpu="A *fast* CPU", cores=2, memory_gib=23.4, accelerators=[]))
Path(output, "record.json").write_text(json.dumps(record))"""

STUDY_PARAMETERS = """# parameters: change them here or with papermill
data: str = None  # folder of the real data; None draws the twin
output: str = "../runs/jupyter/toy"  # folder of what is written
powers: list = [1, 2]  # of the answers
seed: int = 1  # seed of all draws"""
STUDY = """from studybook.engine import parameters, records, units
from studybook.papers.toy import study
settings = parameters.verify(In)
record = records.RunRecord("toy", "Toy", output, settings, {"name": "toy", "twin": True})
found = units.gather(study, study.plan(settings), output)
means = found.predictions.groupby("method")["p_1"].mean()
results = means.rename("value").to_frame().assign(score="mean", low=0.0, high=1.0)
record.finish(found.predictions, results)"""


def notebook(path: Path, fail: bool = False) -> None:
    """Write one chapter; it fails half-way if `fail`."""
    source = PARAMETERS.format(name=path.stem, fail=fail)
    _write(path, source, RUN, "assert not fail, 'it was to fail'", RECORD)


def _write(path: Path, parameters: str, *code: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [
        new_markdown_cell(f"# Chapter {path.stem}"),
        new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        *map(new_code_cell, code),
    ]
    for k, cell in enumerate(cells):
        cell["id"] = f"cell-{k}"
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)


def repository(folder: Path, names=("bad", "good")) -> Path:
    """Lay out a repository with the real Snakefile and one profile; the chapter `bad` fails."""
    for name in names:
        notebook(folder / "notebooks" / f"{name}.ipynb", fail=name == "bad")
        profile = folder / "profiles" / "demo" / f"{name}.yaml"
        profile.parent.mkdir(parents=True, exist_ok=True)
        profile.write_text("seed: 2\nrate: 1e-4\n")
    shutil.copy(ROOT / "Snakefile", folder)
    return folder


def study(folder: Path) -> Path:
    """Lay out a repository with one chapter, `toy`, whose study is `toy_study`; no process of it loads a backend."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "studybook", folder / "studybook", ignore=ignored)
    (folder / "histolib").mkdir()
    for path in (ROOT / "histolib").iterdir():
        (folder / "histolib" / path.name).symlink_to(path)
    alone = folder / "histolib/reproducibility.py"
    alone.unlink()
    alone.write_text(
        "PRECISIONS = ('float32',)\n\n\ndef backend():\n    return 'none'\n\n\ndef accelerators():\n    return []\n"
    )
    room = folder / "studybook/papers/toy"
    room.mkdir()
    (room / "__init__.py").touch()
    shutil.copy(ROOT / "tests/toy_study.py", room / "study.py")
    _write(folder / "notebooks/toy.ipynb", STUDY_PARAMETERS, STUDY)
    profile = folder / "profiles/smoke/toy.yaml"
    profile.parent.mkdir(parents=True)
    profile.write_text("{}\n")
    shutil.copy(ROOT / "Snakefile", folder)
    return folder
