"""Files of weights in PyTorch's old format: read without PyTorch, nothing in them run."""

import io
import pickle
import struct
from collections import OrderedDict

import numpy as np
import pytest

from histolib.models import torch_files

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001


class Named:
    """Pickled as a call of a function that need not exist here."""

    def __init__(self, module, name, *arguments):
        self.module, self.name, self.arguments = module, name, arguments


class Reference(tuple):
    """Pickled as a reference to something outside of the pickle."""


class Writer(pickle._Pickler):
    """Writes the names of functions as they are given."""

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Named) and not obj.arguments:
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Named):
            self.save(Named(obj.module, obj.name))
            super().save(obj.arguments)
            self.write(pickle.REDUCE)
        elif isinstance(obj, Reference):
            super().save(tuple(obj), save_persistent_id=False)
            self.write(pickle.BINPERSID)
        else:
            super().save(obj, save_persistent_id)


def dumped(obj) -> bytes:
    stream = io.BytesIO()
    Writer(stream, 2).dump(obj)
    return stream.getvalue()


def tensor(key, numbers, shape, strides, offset=0, kind="FloatStorage"):
    storage = Reference(("storage", Named("torch", kind), key, "cpu", len(numbers), None))
    return Named("torch._utils", "_rebuild_tensor_v2", storage, offset, shape, strides, False, OrderedDict())


def content(named, storages, magic=MAGIC, version=VERSION) -> bytes:
    head = b"".join(dumped(one) for one in (magic, version, {"little_endian": True}, named, list(storages)))
    return head + b"".join(struct.pack("<q", len(one)) + one.tobytes() for one in storages.values())


NUMBERS = np.arange(6, dtype="<f4")
COUNT = np.array([7], "<i8")


@pytest.fixture
def whole():
    named = OrderedDict()
    named["weight"] = tensor("a", NUMBERS, (2, 3), (3, 1))
    named["turned"] = tensor("a", NUMBERS, (3, 2), (1, 3))
    named["part"] = tensor("a", NUMBERS, (2,), (1,), 4)
    named["count"] = tensor("b", COUNT, (), (), kind="LongStorage")
    return content(named, {"a": NUMBERS, "b": COUNT})


def test_tensors_are_views_of_their_storage(whole, tmp_path):
    file = tmp_path / "weights.pth"
    file.write_bytes(whole)
    found = torch_files.read(file)
    assert found["weight"].tolist() == [[0, 1, 2], [3, 4, 5]] and found["weight"].dtype == np.float32
    assert found["turned"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert found["part"].tolist() == [4, 5] and found["count"] == 7
    assert torch_files.read(file, torch_files.hashlib.sha256(whole).hexdigest())["count"] == 7
    with pytest.raises(ValueError, match="weights.pth: its SHA-256 is .*; expected 00"):
        torch_files.read(file, "00")


def _filled(argument, path):
    return [_filled(one, path) for one in argument] if isinstance(argument, list) else argument.replace("{}", path)


@pytest.mark.parametrize(
    "hostile",
    [
        Named("os", "system", "touch {}"),
        Named("builtins", "eval", "open('{}', 'w')"),
        Named("subprocess", "check_call", ["touch", "{}"]),
        Named("torch", "load", "{}"),
        Named("torch._utils", "_rebuild_tensor"),
        Named("collections", "Counter"),
    ],
    ids=lambda one: f"{one.module}.{one.name}",
)
@pytest.mark.parametrize("place", range(5))
def test_a_hostile_file_runs_nothing(hostile, place, tmp_path):
    trace = tmp_path / "trace"
    arguments = [_filled(one, str(trace)) for one in hostile.arguments]
    parts = [dumped(one) for one in (MAGIC, VERSION, {}, OrderedDict(), [])]
    parts[place] = dumped({"x": Named(hostile.module, hostile.name, *arguments)})
    file = tmp_path / "weights.pth"
    file.write_bytes(b"".join(parts))
    with pytest.raises(ValueError, match=rf"weights.pth: .*names {hostile.module}\.{hostile.name}"):
        torch_files.read(file)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda whole: whole[:-3], "up to byte"),
        (lambda whole: whole[:40], "not a whole file"),
        (lambda whole: b"", "not a whole file"),
        (lambda whole: whole + b"0", "1 bytes are left over"),
        (lambda whole: b"PK\x03\x04" + whole, "not a whole file"),
        (lambda whole: content(OrderedDict(), {}, magic=1), "begins with 1"),
        (lambda whole: content(OrderedDict(), {}, version=1002), "begins with .* 1002"),
        (lambda whole: content({"x": tensor("a", NUMBERS, (7,), (1,))}, {"a": NUMBERS}), "reaches to number 6 of 6"),
        (lambda whole: content({"x": tensor("a", NUMBERS, (2,), (-1,), 1)}, {"a": NUMBERS}), "reaches to"),
        (lambda whole: content({"x": tensor("c", NUMBERS, (2,), (1,))}, {"a": NUMBERS}), "not a whole file"),
    ],
)
def test_a_file_that_is_not_whole_is_named(whole, tmp_path, change, message):
    file = tmp_path / "weights.pth"
    file.write_bytes(change(whole))
    with pytest.raises(ValueError, match=rf"weights.pth: .*{message}"):
        torch_files.read(file)
