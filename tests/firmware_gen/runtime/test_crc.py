# SPDX-License-Identifier: Apache-2.0
import ctypes
import zlib

import numpy as np
import pytest


@pytest.mark.parametrize("size", [0, 1, 3, 4, 255, 4096])
def test_crc_is_that_of_zlib(library: ctypes.CDLL, size: int) -> None:
    data = np.random.default_rng(size).bytes(size)
    library.dimmer_crc32.restype = ctypes.c_uint32
    assert library.dimmer_crc32(0, data, ctypes.c_size_t(size)) == zlib.crc32(data)


def test_crc_goes_on_where_it_stopped(library: ctypes.CDLL) -> None:
    library.dimmer_crc32.restype = ctypes.c_uint32
    first = library.dimmer_crc32(0, b"one lamp, ", ctypes.c_size_t(10))
    assert library.dimmer_crc32(ctypes.c_uint32(first), b"dimmed", ctypes.c_size_t(6)) == zlib.crc32(
        b"one lamp, dimmed"
    )
