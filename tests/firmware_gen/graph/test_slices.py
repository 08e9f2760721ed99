# SPDX-License-Identifier: Apache-2.0
"""INT4 weights that are slices of another mode's int8 weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import tables_of
from dimmer.firmware_gen.graph.slices import resolve_slices, sliced
from dimmer.firmware_gen.graph.types import Graph
from dimmer.firmware_gen.memory.weights import check_shared_weights
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import parse_tflite
from dimmer.pipeline.artifacts.converted import mode_sources
from dimmer.pipeline.conversion.narrow import packed_int4
from dimmer.pipeline.oracle.tflite import pack, unpack
from tests.tiny import TinyBuild


def test_slices_round_half_up_and_saturate() -> None:
    codes = np.array([-127, -121, -120, -8, -7, 7, 8, 23, 24, 119, 120, 127], np.int8)
    assert sliced(codes, 4).tolist() == [-7, -7, -7, 0, 0, 0, 1, 1, 2, 7, 7, 7]
    codes = np.array([-127, -96, -33, -32, 31, 32, 95, 96, 127], np.int8)
    assert sliced(codes, 2).tolist() == [-7, -7, -7, 0, 0, 7, 7, 7, 7]
    assert sliced(codes, 8) is codes


def test_the_steps_of_training_and_of_the_generator_are_the_same() -> None:
    import torch

    from dimmer.calibration.weights import slice_codes

    every = np.arange(-127, 128).astype(np.int8)
    for bits in (8, 4, 2):
        assert slice_codes(torch.from_numpy(every), bits)[0].tolist() == sliced(every, bits).tolist()


def graphs_of(build: TinyBuild) -> dict[str, Graph]:
    sources = mode_sources(build.build / "convert")
    graphs = resolve_slices([parse_tflite(s.path.read_bytes(), s.name) for s in sources])
    return {source.name: graph for source, graph in zip(sources, graphs, strict=True)}


def bits_of(graph: Graph) -> dict[str, int]:
    return {t.name.removesuffix("/weights"): t.weight_bits for t in graph.tensors if t.name.endswith("/weights")}


@pytest.mark.xdist_group("tiny_narrow")
def test_every_narrow_layer_is_found_to_be_a_slice(tiny_narrow: TinyBuild) -> None:
    graphs = graphs_of(tiny_narrow)
    assert set(bits_of(graphs["88.88"]).values()) == {8}
    narrow = bits_of(graphs["44.44"])
    assert narrow.pop("stem") == narrow.pop("logits") == 8
    assert set(narrow.values()) == {4}
    mixed = bits_of(graphs["84.20"])
    assert (mixed["0.0.conv1"], mixed["0.1.conv1"], mixed["1.0.shortcut"]) == (8, 4, 2)


@pytest.mark.xdist_group("tiny_narrow")
def test_narrow_modes_add_no_byte_of_weights(tiny_narrow: TinyBuild) -> None:
    sources = mode_sources(tiny_narrow.build / "convert")

    def weights(modes: list[ModeSource]) -> int:
        return len(tables_of(modes, PolicyConfig()).pool.table("weights"))

    assert weights(sources) == weights(sources[:1])


def changed_weights(path: Path, layer: str, out: Path) -> Path:
    """The file with one INT4 code of a layer turned into another."""
    model: Any = unpack(path.read_bytes())
    tensor = next(t for t in model.subgraphs[0].tensors if t.name.decode() == f"{layer}/weights")
    data = np.array(model.buffers[tensor.buffer].data, np.uint8)
    data[0] ^= 1
    model.buffers[tensor.buffer].data = data
    out.write_bytes(pack(model))
    return out


@pytest.mark.xdist_group("tiny_narrow")
def test_foreign_int4_weights_are_stored_themselves(tiny_narrow: TinyBuild, tmp_path: Path) -> None:
    sources = {s.name: s for s in mode_sources(tiny_narrow.build / "convert")}
    changed = changed_weights(sources["44.44"].path, "0.1.conv2", tmp_path / "changed.tflite")
    graph = resolve_slices([parse_tflite(p.read_bytes(), p.name) for p in (sources["88.88"].path, changed)])[1]
    bits = bits_of(graph)
    assert bits["0.1.conv2"] == 8
    assert bits["0.1.conv1"] == 4
    with pytest.raises(FirmwareGenError, match=r"weights of layer 0\.1\.conv2 differ in"):
        check_shared_weights({"88.88": sources["88.88"].path, "44.44": changed})


def test_packing_and_reading_are_inverse() -> None:
    codes = np.random.default_rng(0).integers(-8, 8, 33).astype(np.int8)
    packed = packed_int4(codes)
    nibbles = np.stack([packed & 15, packed >> 4], 1).reshape(-1)[:33]
    assert ((nibbles.astype(np.int8) ^ 8) - 8).tolist() == codes.tolist()
