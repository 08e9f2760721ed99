# SPDX-License-Identifier: Apache-2.0
"""Samples to words: features and network in C, streamed, against the reference's rows in TFLite's interpreter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.features.audio import features
from dimmer.firmware_gen.features.emit import feature_files
from dimmer.firmware_gen.features.presets import MLPERF_KWS
from dimmer.firmware_gen.features.tables import audio_tables
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.library import INCLUDE, engine_sources, feature_sources, kernel_sources
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.targets import load_target
from tests.firmware_gen.features.on_target import TARGETS
from tests.firmware_gen.features.signals import SPEECH, speech
from tests.firmware_gen.runtime.c_library import TRAPPING

NETWORK = SPEECH.parent / "models" / "kws_ref_model.tflite"
PROGRAM = Path(__file__).with_name("keywords_test.c")
WORDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "_silence_", "_unknown_")
"""The order of MLPerf Tiny's outputs."""


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("name", TARGETS)
def test_a_stream_of_clips(tmp_path: Path, name: str) -> None:
    target, tables = load_target(name), audio_tables(MLPERF_KWS)
    clips = speech()[0]
    samples = clips[np.random.default_rng(1).permutation(len(clips))[:20]].ravel()
    model = generate([ModeSource("all", NETWORK)], tmp_path, name="kws", core=target.core)
    for file, text in feature_files("kws", tables).items():
        (tmp_path / file).write_text(text)
    sources = [PROGRAM, *model.sources, tmp_path / "dimmer_kws_features.c", *feature_sources(), *engine_sources()]
    sources += kernel_sources(sorted(model.kernels))
    elf = target.compile(sources, [INCLUDE, tmp_path], tmp_path / "built", TRAPPING)
    (elf.parent / "in").write_bytes(samples.tobytes())
    done = target.run(elf, ["in", "out"], elf.parent)
    assert done.returncode == 0, done.stdout
    rows = features(tables, samples)
    starts = range(0, len(rows) - 48, 25)
    inputs = b"".join(rows[start : start + 49].tobytes() for start in starts)
    said = (elf.parent / "out").read_bytes()
    assert len(said) == 12 * len(starts) >= 12 * 38
    assert said == reference_outputs(NETWORK, inputs)


@pytest.mark.slow
@pytest.mark.shared
def test_words_are_heard() -> None:
    """Nine of ten of 200 clips, each of which its loudest sample scales, as MLPerf's own script has it."""
    clips, classes, _, names = speech()
    chosen = np.random.default_rng(2).permutation(len(clips))[:200]
    tables = audio_tables(MLPERF_KWS)
    inputs = []
    for clip in clips[chosen].astype(np.float64):
        scaled = np.clip(np.round(clip * 32767 / max(1.0, clip.max())), -32768, 32767)
        inputs.append(features(tables, scaled.astype(np.int16)).tobytes())
    scores = np.frombuffer(reference_outputs(NETWORK, b"".join(inputs)), dtype=np.int8).reshape(-1, 12)
    truth = np.array([WORDS.index(names[classes[number]]) for number in chosen])
    assert (scores.argmax(axis=1) == truth).mean() > 0.85
