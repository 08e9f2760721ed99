# SPDX-License-Identifier: Apache-2.0
"""What TVM compiles for."""

from __future__ import annotations

import platform

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.tvm.dot import ARM, PLAIN, dot_of
from dimmer.pipeline.tvm.targets import TARGETS, tvm_target
from dimmer.targets import load_target, target_names


def test_every_target_whose_engine_is_tvm_is_known() -> None:
    engines = {name for name in target_names() if load_target(name).engine == "tvm"}
    assert engines == set(TARGETS) - {"host"}


def test_only_this_machine_s_code_is_native() -> None:
    assert tvm_target("host").is_native
    assert tvm_target("jetson").is_native == (platform.machine() == "aarch64")


def test_another_target_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        DimmerError, match="TVM compiles nothing for mps2-an386: name one of host, jetson, linux-aarch64"
    ):
        tvm_target("mps2-an386")


def test_processors() -> None:
    pytest.importorskip("tvm", reason="needs apache-tvm")
    assert TARGETS["jetson"].processor().attrs["mcpu"] == "cortex-a78ae"
    assert dot_of(TARGETS["jetson"].processor()) == ARM
    assert dot_of(TARGETS["linux-aarch64"].processor()) == PLAIN
    assert TARGETS["host"].processor().attrs["mcpu"], "the host's code is for the processor that it has"
