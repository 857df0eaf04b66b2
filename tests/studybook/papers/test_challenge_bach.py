"""Answers in the challenge's form."""

import numpy as np
import pytest

from studybook.papers.bach_boosting import challenge

NAMED = ("Normal", "Benign", "InSitu", "Invasive")


def test_challenge_csv_has_no_header_names_the_classes_and_is_sorted_by_number(tmp_path):
    p = np.eye(4)[[3, 0, 2, 1]] * 0.6 + 0.1
    files = ["test10.tif", "test2.tif", "test_0.png", "test099.tif"]
    written = challenge.write(tmp_path / "new" / "answers.csv", files, p, NAMED)
    lines = (tmp_path / "new" / "answers.csv").read_text("utf8").splitlines()
    assert lines == ["test_0.png,InSitu", "test2.tif,Normal", "test10.tif,Invasive", "test099.tif,Benign"]
    assert [",".join(row) for row in written.itertuples(index=False)] == lines
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["answers.csv"]


def test_impossible_challenge_answers(tmp_path):
    file = tmp_path / "answers.csv"
    for name in ("n001.tif", "test2"):
        with pytest.raises(ValueError, match=f"'{name}': expected a name like test7.tif"):
            challenge.write(file, ["test1.tif", name], np.full((2, 4), 0.25), NAMED)
    with pytest.raises(ValueError, match="image 1 comes twice"):
        challenge.write(file, ["test1.tif", "test01.tif"], np.full((2, 4), 0.25), NAMED)
    with pytest.raises(ValueError, match=r"shape \(2, 2\): expected finite ones, \(1 images, 4 classes\)"):
        challenge.write(file, ["test1.tif"], np.full((2, 2), 0.5), NAMED)
    assert not file.exists()
