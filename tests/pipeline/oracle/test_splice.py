# SPDX-License-Identifier: Apache-2.0
"""The oracle of a switch: one graph of several modes' blocks."""

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.converted import mode_sources
from dimmer.pipeline.oracle.splice import splice
from tests.tiny import TinyBuild

pytestmark = pytest.mark.xdist_group("tiny")


def interpreter(content: bytes):  # type: ignore[no-untyped-def]
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    loaded = Interpreter(model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    loaded.allocate_tensors()
    return loaded


def run(content: bytes, image: np.ndarray) -> np.ndarray:
    loaded = interpreter(content)
    loaded.set_tensor(loaded.get_input_details()[0]["index"], image)
    loaded.invoke()
    return np.asarray(loaded.get_tensor(loaded.get_output_details()[0]["index"])).reshape(-1)


IMAGE = np.random.default_rng(0).integers(-128, 128, (1, 28, 28, 1), dtype=np.int8)


def test_a_splice_of_one_mode_is_that_mode(tiny_converted: TinyBuild) -> None:
    sources = mode_sources(tiny_converted.build / "convert")
    for mode, source in enumerate(sources):
        assert (run(splice(sources, [mode] * 6), IMAGE) == run(source.path.read_bytes(), IMAGE)).all()


def test_a_splice_that_swaps_skipped_positions_is_the_other_mode(tiny_converted: TinyBuild) -> None:
    # Modes 88.88 and 88.80 differ from position 1.0 on: before it either may run.
    sources = mode_sources(tiny_converted.build / "convert")
    stem_and_stage = run(splice(sources, [0, 0, 0, 2, 2, 2]), IMAGE)
    assert stem_and_stage.shape == (10,)
    assert not (stem_and_stage == run(sources[2].path.read_bytes(), IMAGE)).all()


def test_a_wrong_schedule_is_refused(tiny_converted: TinyBuild) -> None:
    with pytest.raises(DimmerError, match="does not fit"):
        splice(mode_sources(tiny_converted.build / "convert"), [0, 1])
