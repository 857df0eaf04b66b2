"""A full disk while a twin is drawn names the folder and what moves it."""

import errno

import pytest

from studybook import twins


def test_the_folder_and_the_way_out_are_named_and_nothing_is_left(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("HISTOLIB_CACHE", str(tmp_path))
    monkeypatch.setattr(twins, "write", full)
    with pytest.raises(OSError, match="twin of idc was drawn. Make room, or set HISTOLIB_CACHE") as failed:
        twins.folder("idc", 2)
    assert failed.value.errno == errno.ENOSPC and failed.value.filename.startswith(str(tmp_path / "twins/idc-"))
    assert not list((tmp_path / "twins").iterdir())
