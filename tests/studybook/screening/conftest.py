"""A saved model with a known answer, as the tests of the screening share it."""

import pytest
import spots

from studybook import screening


@pytest.fixture(scope="package")
def file(tmp_path_factory):
    return spots.saved(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="package")
def screener(file):
    return screening.load(file)
