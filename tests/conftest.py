"""What several tests share: a small twin, and the folder of the real samples where there is one."""

import os
from pathlib import Path

import pytest
from engine import background, pytest_collection_modifyitems, repeated, root, site, smoke  # noqa: F401 - for pytest

# Set before any test module imports Keras or histolib: quiet, on the CPU's repeatable kernels, and with a cache of
# the tests' own.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Tests never touch the user's cache."""
    before = os.environ.get("HISTOLIB_CACHE")
    os.environ["HISTOLIB_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    os.environ.pop("HISTOLIB_CACHE")
    if before is not None:
        os.environ["HISTOLIB_CACHE"] = before


@pytest.fixture(scope="session")
def twin(_own_cache):
    """Ten patients of the IDC twin."""
    from histolib import datasets
    from studybook import twins

    return datasets.load("idc", twins.folder("idc", 10))


@pytest.fixture(scope="session")
def samples() -> Path:
    """Folder of the real samples; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("HISTOLIB_SAMPLES", Path(__file__).parents[2] / "shared" / "data"))
    if not (folder / "idc").is_dir():
        pytest.skip(f"no real samples in {folder}; set HISTOLIB_SAMPLES to their folder")
    return folder
