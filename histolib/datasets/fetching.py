"""Archives of data sets: fetched with resuming, verified, and unpacked safely."""

import gzip
import hashlib
import http.client
import json
import stat
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from histolib import cache

CHECKSUMS = "checksums.json"  # of archives that were fetched and unpacked once, beside them
_BLOCK = 2**18
_CONFLICTS = (FileExistsError, IsADirectoryError, NotADirectoryError)
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, RuntimeError, *_CONFLICTS)


def fetch(name: str, about: dict, root: Path, **patience) -> Path:
    """Fetch a data set's archives to `root`, verify them, and unpack all of them to ``<root>/<name>``, or nothing.

    Archives stay, and what arrived of one is kept: a next call goes on from there. Prints what was verified.

    `about` is the data set's entry in ``catalog.yaml``, `patience` that of `download`. Raises ValueError: an archive
    that is not what was published or fetched before, is not whole, or must not be unpacked; OSError: the server ceases
    to answer, or the data set's folder is there already.
    """
    target, sums = root / name, root / CHECKSUMS
    if target.exists():
        raise FileExistsError(f"{target} is there already; check it, or move it away to fetch it anew")
    root.mkdir(parents=True, exist_ok=True)
    known = json.loads(sums.read_text()) if sums.exists() else {}
    most = about["most_gigabytes"] * 2**30
    with cache.atomic_folder(target, replace=False) as part:
        for archive in about["archives"]:
            file = root / archive["url"].rsplit("/", 1)[-1]
            expected = archive.get("checksum") or known.get(file.name)
            if not file.exists():
                download(archive["url"], file, most, **patience)
            algorithm = (expected or "sha256:").partition(":")[0]
            with file.open("rb") as stream:
                found = f"{algorithm}:{hashlib.file_digest(stream, algorithm).hexdigest()}"
            try:
                if expected and found != expected:
                    source = "as the catalog has it" if "checksum" in archive else f"as recorded in {sums}"
                    raise ValueError(f"{file.name}: checksum {found}; expected {expected}, {source}")
                unpack(file, part, most, about["most_files"])
            except ValueError:
                file.unlink()
                raise
            known.setdefault(file.name, found)
            print(f"{file.name}: {found}", "verified" if expected else f"recorded in {sums}; none is published")
    with cache.atomic_file(sums) as written:
        written.write_text(json.dumps(known, indent=1) + "\n")
    return target


def download(url: str, file: Path, most: int, stall: float = 60, tries: int = 5, wait: float = 5) -> None:
    """Fetch `url` to `file`, with a bar; what arrives is kept in ``<file>.part`` until it is whole.

    A connection is given up after `stall` seconds without a byte and tried again after `wait` seconds; up to `tries` in
    a row may bring nothing new. Raises ValueError (a page instead of an archive, more than `most` bytes, not allowed)
    and OSError, as `fetch`.
    """
    part, best, failed = file.with_name(f"{file.name}.part"), 0, 0
    while True:
        try:
            have, total = _piece(url, part, most, stall)
            if total in (None, have):
                break
            problem = f"{have:,} of {total:,} bytes arrived"
        except (OSError, http.client.HTTPException) as trouble:
            problem, code = str(trouble) or type(trouble).__name__, getattr(trouble, "code", 500)
            if code == 416:  # there is no such part: the file has changed
                part.unlink(missing_ok=True)
            elif code < 500 and code not in (408, 429):
                raise ValueError(f"{url}: {problem}") from trouble
            have = part.stat().st_size if part.exists() else 0
        best, failed = max(best, have), 0 if have > best else failed + 1
        if failed >= tries:
            raise OSError(f"{url}: {problem}; {tries} tries brought nothing new. What arrived is kept; fetch it again")
        time.sleep(wait)
    part.replace(file)
    part.with_suffix(".version").unlink()


def _piece(url: str, part: Path, most: int, stall: float) -> tuple[int, int | None]:
    """Go on with a download where it ended; bytes that are there now, and that there are to be if the server tells."""
    version = part.with_suffix(".version")  # the server's mark of what `part` is of: two versions' pieces make no file
    mark = version.read_text() if version.exists() else ""
    have = part.stat().st_size if mark and part.exists() else 0
    headers = {"User-Agent": "histolib", "Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": mark}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=stall) as answer:
        kind, length = answer.headers.get_content_type(), answer.headers.get("Content-Length")
        if "html" in kind:
            raise ValueError(f"{url}: a page ({kind}) came instead of an archive")
        if answer.status != 206:
            have = 0
        elif not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            part.unlink()
            raise OSError("the server sent another part than was asked for")
        total = have + int(length) if length else None
        mark = answer.headers.get("ETag", "W/")
        version.write_text(answer.headers.get("Last-Modified", "") if mark.startswith("W/") else mark)
        bar = tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=part.stem)
        with bar, part.open("ab" if have else "wb") as out:
            while max(have, total or 0) <= most and (block := answer.read1(_BLOCK)):
                have += out.write(block)
                bar.update(len(block))
    if max(have, total or 0) > most:
        raise ValueError(f"{url}: {max(have, total or 0):,} bytes or more; expected at most {most:,}")
    return have, total


def unpack(file: Path, folder: Path, most: int, most_files: int) -> None:
    """Unpack a zip or tar.gz archive whole into `folder`.

    Raises ValueError: no whole archive, more than `most` bytes or `most_files` entries, a place outside of `folder`,
    what is neither file nor folder (links, devices) or is encrypted.
    """
    try:
        with zipfile.ZipFile(file) if zipfile.is_zipfile(file) else tarfile.open(file, "r:gz") as archive:
            size, zipped = 0, isinstance(archive, zipfile.ZipFile)
            for count, entry in enumerate(archive.infolist() if zipped else archive, start=1):
                name = PurePosixPath((entry.filename if zipped else entry.name).replace("\\", "/"))
                kind = stat.S_IFMT(entry.external_attr >> 16) if zipped else 0
                plain = entry.isdir() or entry.isreg() if not zipped else kind in (0, stat.S_IFREG, stat.S_IFDIR)
                size += entry.file_size if zipped else entry.size  # neither module reads more than is announced
                if not plain or name.is_absolute() or ".." in name.parts or ":" in str(name):
                    raise ValueError(f"{file.name}: {name} is a link or a device, or lies outside of the folder")
                if count > most_files or size > most:
                    raise ValueError(f"{file.name}: more than {most_files:,} entries or {most:,} bytes unpacked")
                archive.extract(entry, folder, **({} if zipped else {"filter": "data"}))
            while not zipped and archive.fileobj.tell() < most and archive.fileobj.read(_BLOCK):
                continue  # the checksum of a tar.gz is at its very end
    except _BROKEN as problem:
        raise ValueError(f"{file.name}: not a whole zip or tar.gz archive ({problem})") from problem
