"""Fetching and checking data sets, against a server that misbehaves, archives that attack, and folders that lack."""

import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from histolib import datasets
from histolib.datasets import __main__ as command
from histolib.datasets import fetching

QUICK = dict(stall=0.3, tries=2, wait=0.01)
ABOUT = dict(most_gigabytes=0.01, most_files=50)


def zipped(files):
    """A zip archive of names and contents."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(*members, mode="w:gz"):
    """A tar.gz archive of members: name and content, or a ready TarInfo."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return out.getvalue()


NOISE = np.random.default_rng(0).bytes(300_000)
GOOD = zipped({"Photos/a.txt": b"one", "Photos/b.bin": NOISE})


class Server:
    """What a test wants of a server: the body, what goes wrong with each request, and what it was asked."""

    def __init__(self):
        self.body, self.faults, self.asked, self.ranges, self.etag = GOOD, [], [], True, '"one"'
        handler = type(
            "Handler", (BaseHTTPRequestHandler,), {"do_GET": lambda h: self.answer(h), "log_message": _quiet}
        )
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/set.zip"

    def answer(self, h):
        wanted = h.headers.get("Range")
        self.asked.append(wanted)
        fault, body = (self.faults.pop(0) if self.faults else None), self.body
        if isinstance(fault, int):
            h.send_error(fault)
            return
        if fault == "page":
            h.send_response(200)
            h.send_header("Content-Type", "text/html")
            h.end_headers()
            h.wfile.write(b"<html>please log in</html>")
            return
        start = int(re.findall(r"\d+", wanted)[0]) if wanted and self.ranges else 0
        if h.headers.get("If-Range", self.etag) != self.etag:
            start = 0
        if start >= len(body):
            h.send_error(416)
            return
        h.send_response(206 if start else 200)
        shift = 7 if fault == "elsewhere" else 0
        if start:
            h.send_header("Content-Range", f"bytes {start + shift}-{len(body) - 1}/{len(body)}")
        if self.etag:
            h.send_header("ETag", self.etag)
        claimed = len(body) - start
        claimed = {"claims more": claimed + 1000, "claims less": claimed - 1000, "claims much": 2**40}.get(
            fault, claimed
        )
        if fault != "no length":
            h.send_header("Content-Length", str(claimed))
        h.end_headers()
        sent = body[start:] if fault not in ("breaks", "stalls") else body[start : start + 100_000]
        try:
            h.wfile.write(sent)
            h.wfile.flush()
            if fault == "stalls":
                time.sleep(1)
        except OSError:
            pass
        h.close_connection = True


def _quiet(*_):
    """Log nothing."""


@pytest.fixture
def server():
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def fetch(server, root, checksum=None, **about):
    archive = {"url": server.url} | ({"checksum": checksum} if checksum else {})
    return fetching.fetch("set", ABOUT | {"archives": [archive]} | about, root, **QUICK)


def assert_nothing_counts(root):
    """Nothing that could be taken for a data set or a whole archive."""
    assert not (root / "set").exists() and not (root / "set.zip").exists() and not (root / "checksums.json").exists()
    assert not [path for path in root.rglob("*") if path.is_dir()]


def test_a_first_fetch_records_its_checksum_and_a_second_is_held_to_it(server, tmp_path, capsys):
    assert fetch(server, tmp_path) == tmp_path / "set"
    assert (tmp_path / "set/Photos/b.bin").read_bytes() == NOISE
    digest = f"sha256:{hashlib.sha256(GOOD).hexdigest()}"
    assert f"{digest} recorded in {tmp_path / 'checksums.json'}; none is published" in capsys.readouterr().out
    assert json.loads((tmp_path / "checksums.json").read_text()) == {"set.zip": digest}
    with pytest.raises(FileExistsError, match="set is there already"):
        fetch(server, tmp_path)
    shutil.rmtree(tmp_path / "set")
    fetch(server, tmp_path)
    assert len(server.asked) == 1 and f"{digest} verified" in capsys.readouterr().out
    shutil.rmtree(tmp_path / "set")
    (tmp_path / "set.zip").unlink()
    server.body = zipped({"Photos/a.txt": b"two"})
    with pytest.raises(ValueError, match=f"checksum sha256:.*; expected {digest}, as recorded in .*checksums.json"):
        fetch(server, tmp_path)
    assert not (tmp_path / "set").exists() and not (tmp_path / "set.zip").exists()


def test_a_published_checksum_is_verified(server, tmp_path, capsys):
    digest = f"md5:{hashlib.md5(GOOD).hexdigest()}"
    with pytest.raises(ValueError, match=f"checksum {digest}; expected md5:0, as the catalog has it"):
        fetch(server, tmp_path, "md5:0")
    assert_nothing_counts(tmp_path)
    fetch(server, tmp_path, digest)
    assert f"set.zip: {digest} verified" in capsys.readouterr().out


@pytest.mark.parametrize("fault", ["breaks", "stalls"])
def test_a_download_goes_on_where_it_ended(fault, server, tmp_path):
    server.faults = [fault, fault]
    fetch(server, tmp_path)
    assert server.asked == [None, "bytes=100000-", "bytes=200000-"]
    assert (tmp_path / "set.zip").read_bytes() == GOOD
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checksums.json", "set", "set.zip"]


@pytest.mark.parametrize("fault", ["breaks", "stalls"])
def test_the_next_call_goes_on_too(fault, server, tmp_path):
    server.faults = [fault, 503, 503]
    with pytest.raises(OSError, match="503.*; 2 tries brought nothing new. What arrived is kept; fetch it again"):
        fetch(server, tmp_path)
    assert_nothing_counts(tmp_path)
    fetch(server, tmp_path)
    assert server.asked[-1] == "bytes=100000-" and (tmp_path / "set.zip").read_bytes() == GOOD


def test_pieces_of_two_versions_make_no_file(server, tmp_path):
    server.faults = ["breaks", 503, 503]
    with pytest.raises(OSError, match="503"):
        fetch(server, tmp_path)
    server.body, server.etag = zipped({"Photos/a.txt": b"two", "n": NOISE[::-1]}), '"two"'
    fetch(server, tmp_path)
    assert (tmp_path / "set.zip").read_bytes() == server.body


@pytest.mark.parametrize("etag", ['"one"', "", 'W/"weak"'])
def test_a_server_may_ignore_ranges_or_name_no_version(etag, server, tmp_path):
    server.ranges, server.etag, server.faults = False, etag, ["breaks"]
    fetch(server, tmp_path)
    assert (tmp_path / "set.zip").read_bytes() == GOOD


def test_a_server_that_ignores_ranges_and_always_breaks_is_given_up(server, tmp_path):
    server.ranges, server.faults = False, ["breaks"] * 20
    with pytest.raises(OSError, match=r"100,000 of 3\d\d,\d{3} bytes arrived; 2 tries brought nothing new"):
        fetch(server, tmp_path)
    assert_nothing_counts(tmp_path)


def test_another_part_than_was_asked_for_is_thrown_away(server, tmp_path):
    server.faults = ["breaks", "elsewhere"]
    fetch(server, tmp_path)
    assert (tmp_path / "set.zip").read_bytes() == GOOD and server.asked == [None, "bytes=100000-", None]


def test_a_server_that_claims_more_than_it_sends(server, tmp_path):
    server.faults = ["claims more"] * 20
    with pytest.raises(OSError, match=r"bytes arrived|416"):
        fetch(server, tmp_path)
    assert_nothing_counts(tmp_path)


def test_a_server_that_claims_less_than_there_is(server, tmp_path):
    server.faults = ["claims less"]
    with pytest.raises(ValueError, match=r"set\.zip: not a whole zip or tar\.gz archive"):
        fetch(server, tmp_path)
    assert_nothing_counts(tmp_path)
    fetch(server, tmp_path)
    assert (tmp_path / "set/Photos/b.bin").read_bytes() == NOISE


def test_a_server_may_tell_no_length_but_not_send_without_end(server, tmp_path):
    server.faults = ["no length"]
    assert fetch(server, tmp_path / "one").is_dir()
    server.faults = ["no length"]
    with pytest.raises(ValueError, match=r"bytes or more; expected at most 1,073\."):
        fetch(server, tmp_path / "two", most_gigabytes=1e-6)
    assert_nothing_counts(tmp_path / "two")


def test_a_file_that_is_announced_too_large_is_not_fetched(server, tmp_path):
    server.faults = ["claims much"]
    with pytest.raises(ValueError, match="1,099,511,627,776 bytes or more; expected at most"):
        fetch(server, tmp_path)
    assert (tmp_path / "set.zip.part").stat().st_size == 0


@pytest.mark.parametrize("fault", ["page", 404, 403])
def test_an_error_page_is_no_archive_and_is_not_asked_for_again(fault, server, tmp_path):
    server.faults = [fault] * 5
    with pytest.raises(ValueError, match=r"a page \(text/html\) came instead" if fault == "page" else f"Error {fault}"):
        fetch(server, tmp_path)
    assert len(server.asked) == 1
    assert_nothing_counts(tmp_path)


def test_a_page_that_is_announced_as_a_file_is_no_archive(server, tmp_path):
    server.body = b"<html>please log in</html>"
    with pytest.raises(ValueError, match="not a whole zip or tar.gz archive"):
        fetch(server, tmp_path)
    assert_nothing_counts(tmp_path)


def test_a_server_that_is_not_there_is_told(tmp_path, server):
    server.http.shutdown()
    server.http.server_close()
    with pytest.raises(OSError, match="127.0.0.1.*refused.*; 2 tries brought nothing new"):
        fetch(server, tmp_path)


def member(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def linked():
    """A zip archive with a symbolic link."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("Photos/link")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "../../outside")
    return out.getvalue()


def locked():
    """A zip archive that says that its entry is encrypted."""
    data = bytearray(zipped({"a": b"x"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


OUTSIDE = "is a link or a device, or lies outside of the folder"
HOSTILE = {
    "zip above": (zipped({"../outside.txt": b"x"}), OUTSIDE),
    "zip absolute": (zipped({"/tmp/outside.txt": b"x"}), OUTSIDE),
    "zip backslashes": (zipped({"..\\outside.txt": b"x"}), OUTSIDE),
    "zip drive": (zipped({"C:/outside.txt": b"x"}), OUTSIDE),
    "zip link": (linked(), OUTSIDE),
    "zip locked": (locked(), "not a whole zip or tar.gz archive .*encrypted"),
    "zip bomb": (zipped({"a": bytes(2**24)}), "more than 50 entries or 10,737,418.24 bytes unpacked"),
    "zip of many": (zipped({f"{k}": b"" for k in range(60)}), "more than 50 entries"),
    "zip cut": (GOOD[:-50_000], "not a whole"),
    "zip changed": (GOOD[:100_000] + b"????" + GOOD[100_004:], "not a whole .*Bad CRC-32"),
    "tar above": (tarred(("ok", b"1"), ("a/../../outside.txt", b"x")), OUTSIDE),
    "tar absolute": (tarred(("/outside.txt", b"x")), OUTSIDE),
    "tar link": (tarred(member("link", tarfile.SYMTYPE, "/etc")), OUTSIDE),
    "tar link inside": (tarred(("a", b"1"), member("link", tarfile.SYMTYPE, "a")), OUTSIDE),
    "tar hard link": (tarred(("a", b"1"), member("link", tarfile.LNKTYPE, "a")), OUTSIDE),
    "tar device": (tarred(member("zero", tarfile.CHRTYPE)), OUTSIDE),
    "tar pipe": (tarred(member("pipe", tarfile.FIFOTYPE)), OUTSIDE),
    "tar bomb": (tarred(("a", bytes(2**24))), "more than 50 entries or"),
    "tar of many": (tarred(*[(f"{k}", b"") for k in range(60)]), "more than 50 entries"),
    "tar cut": (tarred(("a", NOISE))[:-20_000], "not a whole"),
    "tar without its checksum": (tarred(("a", NOISE))[:-8], "not a whole"),
    "tar changed": (tarred(("a", bytes(10_000)))[:-8] + bytes(8), "not a whole .*CRC"),
    "tar of a file that is a folder": (tarred(("a", b"1"), ("a/b", b"2")), "not a whole"),
    "zip of a file that is a folder": (zipped({"a": b"1", "a/b": b"2"}), "not a whole"),
    "plain tar": (tarred(("a", b"x"), mode="w"), "not a whole"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_and_broken_archives_leave_nothing(name, server, tmp_path):
    server.body, message = HOSTILE[name]
    with pytest.raises(ValueError, match=rf"set\.zip: .*{message}"):
        fetch(server, tmp_path / "root")
    assert_nothing_counts(tmp_path / "root")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["root"]


def test_a_full_disk_keeps_the_archive(server, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(zipfile.ZipFile, "extract", full)
        with pytest.raises(OSError, match="No space left"):
            fetch(server, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["set.zip"]
    fetch(server, tmp_path)
    assert len(server.asked) == 1 and (tmp_path / "set/Photos/b.bin").read_bytes() == NOISE


def test_of_several_archives_all_are_unpacked_or_none(server, tmp_path):
    archives = [{"url": server.url}, {"url": server.url.replace("set.zip", "other.zip")}]
    server.faults = [None, 404]
    with pytest.raises(ValueError, match="404"):
        fetch(server, tmp_path, archives=archives)
    assert not (tmp_path / "set").exists()
    server.body = tarred(("Test/c.txt", b"three"))
    fetch(server, tmp_path, archives=archives)
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == ["Photos", "Test"]


def test_a_tar_is_unpacked_as_it_is(tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(tarred(member("BreaKHis_v1", tarfile.DIRTYPE), ("BreaKHis_v1/x.bin", NOISE)))
    fetching.unpack(tmp_path / "a.tar.gz", tmp_path / "out", 10**6, 5)
    assert (tmp_path / "out/BreaKHis_v1/x.bin").read_bytes() == NOISE


def test_what_is_fetched_is_what_the_loader_finds(server, tmp_path, monkeypatch, capsys):
    files = {}
    for name, prefix in {"Normal": "n", "Benign": "b", "InSitu": "is", "Invasive": "iv"}.items():
        out = io.BytesIO()
        Image.fromarray(np.full((12, 16, 3), len(files), np.uint8)).save(out, "TIFF")
        files[f"ICIAR2018_BACH_Challenge/Photos/{name}/{prefix}001.tif"] = out.getvalue()
    server.body = zipped(files)
    monkeypatch.setitem(command.CATALOG["bach"], "archives", [{"url": server.url}])
    assert command.main(["fetch", "bach", "--data", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "licence: CC BY-NC-ND 4.0" in said and "recorded" in said
    assert len(datasets.load("bach", tmp_path).table) == 4


def test_sets_behind_a_form_are_told_what_to_do(tmp_path, capsys):
    assert command.main(["fetch", "inbreast", "--data", str(tmp_path)]) == 1
    assert "Ask the authors for access" in (said := capsys.readouterr().out) and f"below {tmp_path}/inbreast" in said
    assert not any(tmp_path.iterdir())


def test_the_list_names_every_set_with_its_terms():
    result = subprocess.run([sys.executable, "-m", "histolib.datasets", "list"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for name, about in command.CATALOG.items():
        assert f"{name}: {about['title']}" in result.stdout
        assert all(f"{key}: {about[key]}" in result.stdout for key in ("page", "licence", "size", "cite"))
        assert ("archives" in about) != ("how" in about)
    assert {*command.CATALOG} == {*datasets.NAMES} - {"merged"}
    assert "3632035" in command.CATALOG["bach"]["page"] and result.stdout.count("It can be fetched.") == 4


def test_a_command_without_a_name_is_an_error(capsys):
    with pytest.raises(SystemExit):
        command.main(["check"])
    assert "check needs a name: idc, bach" in capsys.readouterr().err


def patch(root, patient, label, x, pixels):
    path = root / f"IDC_regular_ps50_idx5/{patient}/{label}/{patient}_idx5_x{x}_y1_class{label}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)
    return path


def test_check_finds_what_is_off(tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    draw = lambda *shape: rng.integers(0, 256, (*(shape or (50, 50)), 3))  # noqa: E731
    published = {"images": 5, "patients": 2, "label_name": {"IDC negative": 3, "IDC positive": 2}}
    monkeypatch.setitem(command.CATALOG["idc"], "published", published)
    for patient, label, x in [(1, 0, 1), (1, 1, 1), (2, 0, 1), (2, 0, 51), (2, 1, 1)]:
        patch(tmp_path, patient, label, x, draw())
    assert command.main(["check", "idc", "--data", str(tmp_path)]) == 0
    assert "off" not in capsys.readouterr().out.split("\n", 1)[1]
    # Pictures of one color are no duplicates, and a patient may have both classes here.
    white = patch(tmp_path, 1, 0, 101, np.full((50, 50, 3), 255))
    twice = [patch(tmp_path, patient, 1, 151, draw_) for draw_ in [draw()] for patient in (1, 3)]
    patch(tmp_path, 2, 0, 201, np.full((50, 50, 3), 255))
    patch(tmp_path, 2, 0, 251, draw(50, 30))
    broken = patch(tmp_path, 2, 0, 301, draw())
    broken.write_bytes(broken.read_bytes()[:1000])
    counts, names = command.check("idc", tmp_path)
    off = counts[counts["off"]]["found"].to_dict()
    assert off == {
        "images": 10, "patients": 3, "class IDC negative": 6, "class IDC positive": 4, "damaged": 1,
        "same picture in two patients or classes": 1,
    }  # fmt: skip
    assert counts.loc["of another size", "found"] == 1 and not counts.loc["of another size", "off"]
    relative = [str(path.relative_to(tmp_path / "IDC_regular_ps50_idx5")) for path in (*twice, broken)]
    assert names["same picture in two patients or classes"] == [" = ".join(relative[:2])]
    assert names["damaged"] == relative[2:] and white.exists()
    assert command.main(["check", "idc", "--data", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert relative[2] in said and re.search(r"images +5 +10 +off", said)


def test_check_of_a_folder_that_lacks_the_set_or_a_class(tmp_path, capsys):
    assert command.main(["check", "idc", "--data", str(tmp_path)]) == 1
    assert "holds no IDC patches" in capsys.readouterr().err
    patch(tmp_path, 1, 0, 1, np.zeros((50, 50, 3)))
    assert command.main(["check", "idc", "--data", str(tmp_path)]) == 1
    assert "no image of class 1" in capsys.readouterr().err


def test_check_of_the_real_samples_says_what_is_missing(samples, capsys):
    counts, names = command.check("breakhis", samples)
    assert counts.loc[["images", "patients"], "found"].tolist() == [182, 33]
    assert counts.loc["class benign"].tolist() == [2480, 91, True] and counts.loc["magnification 400", "off"]
    gone = names["listed, not there"]
    absent = [int(re.search(r"all (\d+) images", name)[1]) for name in gone if name.startswith("patient ")]
    assert len(absent) == 82 - 33 and sum(absent) + len(gone) - len(absent) == 7909 - 182
    # One slide lies in the folders of two tumor types, and so do its pictures.
    (same,) = names["same picture in two patients or classes"]
    assert "SOB_M_DC-14-13412-100-003.png = " in same and "SOB_M_LC-14-13412-100-003.png" in same
    assert command.main(["check", "mias", "--data", str(samples), "--names", "3"]) == 1
    said = capsys.readouterr().out
    assert re.search(r"images +119 +58 +off", said) and re.search(r"listed, not there +0 +61 +off", said)
    assert "mdb002 (film not there)" in said and "and 58 more (--names)" in said
