# SPDX-License-Identifier: Apache-2.0
"""Calls through pointers in the library's C: where they stand, and which functions they can be.

Whoever proves how much stack a program takes needs both. What is in no line here is proven of no program: a call that
nobody lists has no bound, and a function whose address is taken must be in some line.
"""

from __future__ import annotations

from dataclasses import dataclass

MODEL_KERNELS = "<model>_kernels"
"""Stands for the generated table of kernels."""

HOOK = "<hook>"
"""Stands for the function that the application gave to `dimmer_on_block`, whose stack is the application's own."""


@dataclass(frozen=True)
class PointerCalls:
    """Calls through pointers in one C file.

    Attributes:
        file: its name.
        callers: functions that have such a call, and those that a compiler may put them into.
        targets: functions, or constant objects whose pointers are functions.
    """

    file: str
    callers: tuple[str, ...]
    targets: tuple[str, ...]


_RELU = ("", "_relu")
_TILES = tuple(
    f"dimmer_tile_{name}{relu}"
    for name in ("run", "short", "block", "columns", "odd_columns", "slice", "odd_slice")
    for relu in _RELU
)
_ENTRY = ("dimmer_helium_entry_scatter", "dimmer_helium_entry_split")
_WINDOWS = tuple(f"dimmer_window_{name}{relu}" for name in ("pairs", "singles") for relu in _RELU)
_RESULTS = tuple(
    f"{name}_{bits}{many}" for name in ("wide", "left", "clamped") for bits in (4, 2) for many in ("", "_many")
)
_NARROW_ROWS = ("dimmer_narrow_row_4", "dimmer_narrow_row_2")
_NARROW_WORDS = ("three_inputs", "four_inputs", "own_weights", "narrower_weights")

POINTERS = (
    PointerCalls("check.c", ("dimmer_check_model", "tables_hold"), ("holds",)),
    PointerCalls("check.c", ("dimmer_check_model", "dimmer_check", "go_on", "part_of"), ("gate_part",)),
    PointerCalls("check.c", ("dimmer_next_block",), ("next_block",)),
    PointerCalls("invoke.c", ("dimmer_invoke",), (MODEL_KERNELS, HOOK)),
    # A device's own functions: its flash, its verifier.
    PointerCalls("slot.c", ("dimmer_slot_check", "begin", "tried"), (HOOK,)),
    PointerCalls("slot_log.c", ("dimmer_flash_erase", "dimmer_flash_program"), (HOOK,)),
    PointerCalls("settings.c", ("dimmer_settings_check",), (HOOK,)),
    PointerCalls("report.c", ("dimmer_report_battery",), ("dimmer_governor_report",)),
    PointerCalls("narrow_dsp.c", (*_NARROW_ROWS, "dimmer_narrow_tile"), _RESULTS),
    PointerCalls(
        "narrow_layer_dsp.c",
        ("dimmer_narrow_layer", "one_pass", "fill_panel", "fill_channel", "fill_pixels", "fill_row", "two_rows"),
        (*_NARROW_ROWS, *_NARROW_WORDS),
    ),
    PointerCalls("helium_layer_mve.c", ("compute", "compute_some", "compute_columns"), _TILES),
    PointerCalls("helium_layer_mve.c", ("strips", "in_place", "columns", "fill_strip", "split"), (*_TILES, *_ENTRY)),
    PointerCalls(
        "helium_layer_mve.c",
        ("dimmer_helium_layer",),
        ("strips", "in_place", "columns", *_TILES, *_ENTRY, "dimmer_helium_entry_prepare"),
    ),
    PointerCalls("dimmer_depthwise_conv2d_s8_mve.c", ("turns", "dimmer_depthwise_conv2d_s8_mve"), _WINDOWS),
)
