# SPDX-License-Identifier: Apache-2.0
"""The records of a mode on the NPU, as `runtime/include/dimmer_ethos_u.h` has them."""

from __future__ import annotations

from dimmer.firmware_gen.kernels.record import kernel, u8, u32

ETHOS_U = kernel(
    "dimmer_ethos_u",
    "One inference of one mode on Ethos-U.",
    *u32("stream", "stream_size", "constants", "constants_size", "scratch", "scratch_size", "input", "output"),
    *u32("packed", "unpacked", "packed_count"),
    *u8("constants_region", "scratch_region", "packed_region", "packed_shift", "place"),
    *u8("reserved", count=3),
)
ETHOS_U_END = kernel(
    "dimmer_ethos_u_end",
    "The output of a mode that the core runs parts of; zeros where one of its streams failed.",
    *u32("source", "target", "size"),
)
WHOLE, FIRST, LATER = range(3)
"""Place of a stream in its mode: it is the mode; the mode's first, and one behind it, of a mode with several parts."""
