import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from histolib import cache


def test_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("HISTOLIB_CACHE", str(tmp_path))
    assert cache.folder("a", "b") == tmp_path / "a" / "b"


def test_atomic_file_replaces_only_on_success(tmp_path):
    file = tmp_path / "deep" / "x.txt"
    with cache.atomic_file(file) as part:
        part.write_text("whole")
    with pytest.raises(KeyboardInterrupt), cache.atomic_file(file) as part:
        part.write_text("ha")
        raise KeyboardInterrupt
    assert file.read_text() == "whole"
    assert os.listdir(file.parent) == ["x.txt"]


def test_atomic_folder_leaves_nothing_behind(tmp_path):
    folder = tmp_path / "twin"
    with pytest.raises(OSError, match="disk full"), cache.atomic_folder(folder) as part:
        (part / "half").write_text("x")
        raise OSError("disk full")
    assert os.listdir(tmp_path) == []
    with cache.atomic_folder(folder) as part:
        (part / "one").write_text("x")
    assert os.listdir(folder) == ["one"]
    with cache.atomic_folder(folder, replace=False) as part:
        (part / "two").write_text("x")
    assert os.listdir(folder) == ["one"] and os.listdir(tmp_path) == ["twin"]
    with cache.atomic_folder(folder) as part:
        (part / "two").write_text("x")
    assert os.listdir(folder) == ["two"]


def test_a_killed_process_leaves_no_file_under_the_final_name(tmp_path):
    code = (
        "import sys, time\nfrom histolib import cache\n"
        f"with cache.atomic_file({str(tmp_path / 'big.npy')!r}) as part:\n"
        "    part.write_bytes(b'0' * 1000)\n    print('writing', flush=True)\n    time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout.readline().strip() == b"writing"
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.1)
    assert not (tmp_path / "big.npy").exists()


def test_only_one_process_at_a_time_makes_a_thing_and_a_killed_one_frees_it(tmp_path):
    code = (
        "import sys, time\nfrom histolib import cache\n"
        f"with cache.alone({str(tmp_path / 'twin')!r}):\n"
        "    print('in', flush=True)\n    time.sleep(float(sys.argv[1]))\n"
    )
    first = subprocess.Popen([sys.executable, "-c", code, "60"], stdout=subprocess.PIPE)
    assert first.stdout.readline().strip() == b"in"
    second = subprocess.Popen([sys.executable, "-c", code, "0"], stdout=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(2)
    with cache.alone(tmp_path / "twin", wait=False) as held:
        assert not held
    first.send_signal(signal.SIGKILL)
    assert second.communicate(timeout=30)[0].strip() == b"in"
    first.wait()
    second.wait()
    with cache.alone(tmp_path / "twin", wait=False) as held:
        assert held


def test_what_is_there_is_not_made_again_nor_waited_for(tmp_path, monkeypatch):
    monkeypatch.setenv("HISTOLIB_CACHE", str(tmp_path / "cache"))
    file, made = tmp_path / "x", []

    def make():
        made.append(1)
        file.write_text("x")

    cache.once(file, make)
    assert made == [1] and (tmp_path / "cache/locks").is_dir()
    shutil.rmtree(tmp_path / "cache")
    cache.once(file, make)
    assert made == [1] and not (tmp_path / "cache").exists()


def test_require_space_names_folder_and_need(tmp_path):
    cache.require_space(tmp_path / "x" / "y.npy", 1)
    with pytest.raises(OSError, match=r"y\.npy: .* MiB are needed and .* MiB are free"):
        cache.require_space(tmp_path / "x" / "y.npy", 2**62)
