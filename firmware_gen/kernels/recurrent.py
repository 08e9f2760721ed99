# SPDX-License-Identifier: Apache-2.0
"""Kernels in portable C99 of layers that keep something from one inference to the next."""

from __future__ import annotations

from dimmer.firmware_gen.kernels.record import i8, i16, i32, kernel, u8, u16, u32

LSTM = kernel(
    "dimmer_lstm_s8",
    """
    UNIDIRECTIONAL_SEQUENCE_LSTM: input int8[steps,inputs], output int8[steps,cells]; output_state int8[cells] and
    cell_state int16[cells] are read, and left as after the last step. Gates are in the order input, forget, cell,
    output: input_weights int8[cells,4,inputs], recurrent_weights int8[cells,4,cells], biases int32[cells,4] with the
    zero points folded in as in CONV_2D. A gate is in Q3.12 before its sigmoid or tanh, in Q0.15 after it.

    input_shifts and recurrent_shifts are -31..30, hidden_shift -31..0. cell_bits: integer bits of the cell's state, 0
    to 6. cell_clip: no absolute value of it is larger; 0 where nothing is cut.
    """,
    *u32("input", "output", "output_state", "cell_state"),
    *u32("input_weights", "recurrent_weights", "input_bias", "recurrent_bias"),
    *i32("input_multipliers", "recurrent_multipliers", count=4),
    *i32("hidden_multiplier"),
    *u16("steps", "inputs", "cells"),
    *i16("cell_clip"),
    *i8("input_shifts", "recurrent_shifts", count=4),
    *i8("hidden_shift", "hidden_zero_point"),
    *u8("cell_bits", "reserved"),
)
SVDF = kernel(
    "dimmer_svdf_s8",
    """
    SVDF: input int8[inputs], feature_weights int8[units * rank,inputs], time_weights int16[units * rank,memory] within
    weights, output int8[units]. state int16[units * rank,memory] moves by one place, and its last one is what the
    features make of the input. feature_bias int32[units * rank] has the input's zero point folded in; bias is
    int32[units]. The shifts are -31..30.
    """,
    *u32("input", "output", "state", "feature_weights", "time_weights", "feature_bias", "bias"),
    *i32("feature_multiplier", "time_multiplier"),
    *u16("inputs", "units", "rank", "memory"),
    *i8("feature_shift", "time_shift", "output_zero_point"),
    *u8("reserved"),
)

KERNELS = (LSTM, SVDF)
