"""A repository of two tiny chapters, for tests of the house that need no model."""

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


def notebook(path: Path, fail: bool = False) -> None:
    """Write one chapter; it fails half-way if `fail`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    name = path.stem
    source = PARAMETERS.format(name=name, fail=fail)
    cells = [
        new_markdown_cell(f"# Chapter {name}"),
        new_code_cell(source, metadata={"tags": ["parameters"]}),
        new_code_cell(RUN),
        new_code_cell("assert not fail, 'it was to fail'"),
        new_code_cell(RECORD),
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
