"""A chapter shows a kept run beside its own, table by table and in each figure that compares."""

import json
import shutil

import papermill
import yaml


def test_four_classes_show_a_kept_run(root, smoke, tmp_path):
    done, folder = root / "runs" / "smoke" / "bach_boosting", tmp_path / "records" / "made_up"
    assert (done / "record.json").is_file(), smoke.stdout + smoke.stderr
    folder.mkdir(parents=True)
    shutil.copy(done / "predictions.csv.gz", folder)
    record = json.loads((done / "record.json").read_text("utf8"))
    record["data"]["twin"] = False  # as if it had been real tissue
    (folder / "record.json").write_text(json.dumps(record))
    output = tmp_path / "run"
    shutil.copytree(done / "models", output / "models")  # nothing is trained anew
    values = yaml.safe_load((done / "parameters.yaml").read_text("utf8"))
    values |= {"kept": str(folder.parent), "output": str(output)}
    executed = papermill.execute_notebook(
        root / "notebooks" / "bach_boosting.ipynb",
        tmp_path / "executed.ipynb",
        values,
        kernel_name="python3",
        cwd=root / "notebooks",
        progress_bar=False,
    )
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    tables = [text for text in ("".join(output.get("data", {}).get("text/html", "")) for output in outputs) if text]
    named = [text for text in tables if "made_up" in text]
    # Scores with differences, two classes, set points, missed carcinomas, studies, verdicts.
    assert len(named) == 6 and all("drawn" in text for text in named)
    # Real images first: the kept run stands before this one.
    assert all(text.index("made_up") < text.index("this run") for text in named)
    sentences = [
        text for text in ("".join(output.get("data", {}).get("text/markdown", "")) for output in outputs) if text
    ]
    opening = next(text for text in sentences if "made_up" in text)
    assert opening.index("authors") < opening.index("kept: made_up (real tissue)") and "this run" not in opening
    own = json.loads((output / "record.json").read_text("utf8"))
    assert own["results"] == record["results"] and own["data"]["twin"]
