# SPDX-License-Identifier: Apache-2.0
"""The record of a mode on the NPU: `dimmer_ethos_u_t` of `runtime/include/dimmer_ethos_u.h`."""

from __future__ import annotations

from dimmer.firmware_gen.kernels.record import kernel, u8, u32

ETHOS_U = kernel(
    "dimmer_ethos_u",
    "One inference of one mode on Ethos-U.",
    *u32("stream", "stream_size", "constants", "constants_size", "scratch", "scratch_size", "input", "output"),
    *u32("packed", "unpacked", "packed_count"),
    *u8("constants_region", "scratch_region", "packed_region", "packed_shift"),
)
