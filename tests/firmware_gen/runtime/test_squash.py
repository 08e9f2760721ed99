# SPDX-License-Identifier: Apache-2.0
"""Sigmoid and tanh of 16 bits: every value that there is, against what gemmlowp's own header gives."""

from __future__ import annotations

import ctypes
import zlib
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.library import RUNTIME
from tests.firmware_gen.runtime.c_library import compile_c

# CRC-32 of the results for -32768 to 32767 as int16, little-endian.
SIGMOID = 0x89B3F38E
TANH = (0xA348DAF8, 0xC979DD1D, 0x742F59B7, 0x70B28DFE, 0x215077B2, 0x3A695108, 0x32E074AE)
"""By integer bits, 0 to 6."""

SOURCE = """
#include "squash.h"
void all(int bits, int16_t *results);
void all(int bits, int16_t *results) {
    int32_t x;

    for (x = INT16_MIN; x <= INT16_MAX; ++x) {
        *results++ = (int16_t)(bits < 0 ? dimmer_sigmoid_16(x) : dimmer_tanh_16(x, bits));
    }
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder: Path = tmp_path_factory.mktemp("squash")
    source, home = folder / "shim.c", RUNTIME / "kernels" / "portable"
    source.write_text(SOURCE)
    flags = ("-shared", "-fPIC", f"-I{home}")
    return ctypes.CDLL(str(compile_c("gcc", [source, home / "squash.c"], folder / "shim.so", *flags)))


@pytest.mark.parametrize(("bits", "crc"), [(-1, SIGMOID), *enumerate(TANH)])
def test_all_values(library: ctypes.CDLL, bits: int, crc: int) -> None:
    results = np.zeros(1 << 16, "<i2")
    library.all(bits, results.ctypes.data_as(ctypes.c_void_p))
    assert zlib.crc32(results.tobytes()) == crc
