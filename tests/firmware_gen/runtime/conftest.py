import ctypes

import pytest

from dimmer.firmware_gen.library import sources
from tests.firmware_gen.runtime.c_library import load_library


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The whole runtime as a shared library that traps on undefined behaviour."""
    return load_library(tmp_path_factory.mktemp("runtime"), sources())
