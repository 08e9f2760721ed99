# SPDX-License-Identifier: Apache-2.0
"""Front ends that published models were trained with."""

from __future__ import annotations

from dimmer.firmware_gen.features.spec import AudioSpec, Codes, GainSpec

MLPERF_KWS = AudioSpec(
    rate=16_000,
    window=480,
    step=320,
    fft=512,
    bands=40,
    low_hz=20.0,
    high_hz=4000.0,
    coefficients=10,
    rows=49,
    codes=Codes(0.5847029089927673, 83),
)
"""Of MLPerf Tiny's keyword spotting: 49 rows of 10 MFCC, a row each 20 ms; the codes are those of its int8 model."""

MICROFRONTEND = AudioSpec(
    rate=16_000,
    window=480,
    step=320,
    fft=512,
    bands=40,
    low_hz=125.0,
    high_hz=7500.0,
    spectrum="power",
    shape="centred",
    rows=49,
    root_shift=9,
    log_offset=0.0,
    gain=GainSpec(),
    codes=Codes(666 / (64 * 256), -128),
)
"""Of TFLite-Micro's microfrontend as micro_speech has it: 40 log-mel energies behind noise reduction and PCAN."""

PRESETS = {"mlperf-kws": MLPERF_KWS, "microfrontend": MICROFRONTEND}
