"""What the firmware stage leaves: firmware.elf (.hex, .bin), the generated C, and `firmware.json`.

model, target                        names
flash     weights, tables, code, total, single_mode_total, runtime_code         bytes
ram       arena, scratch, stack, total, single_mode_arena, lower_bound, arena_without_scratch      bytes
switch    instructions, bytes_of_flash_per_extra_mode
gates     instructions of all gates in one inference, share_of_top_mode; null without gates
modes     [{name, macs, instructions, verify}]; verify is {samples, mismatches, backend} or null
policy    [{mode, min_charge_permille, min_millivolts, hysteresis_permille, dwell_s}]
buffers   [{mode, name, offset, size, first_step, last_step}]
layers    [{layer, bytes, modes}]
steps     [{mode, layer, kernel, macs, instructions}], in the order in which they run
choices   [{layer, chosen, allowed, others}]: kernels of layers that have a choice, each {kernel, scratch,
instructions}, the last as the cost model expects them; others are faster or need less scratch
left_out  [{mode, instructions, reason}]: published modes that are not worth running on this target
notes     place of a null -> why
"""

from __future__ import annotations

import json
from pathlib import Path

RESULT = "firmware.json"


def firmware_folder(build: Path, target: str) -> Path:
    """Where `run` leaves firmware.elf and firmware.json."""
    return build / target / "firmware"


def firmware_modes(build: Path, target: str) -> tuple[str, ...]:
    """Names of the modes in a target's firmware, in the order of their ids."""
    figures = json.loads((firmware_folder(build, target) / RESULT).read_text())
    return tuple(mode["name"] for mode in figures["modes"])
