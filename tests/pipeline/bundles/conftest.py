# SPDX-License-Identifier: Apache-2.0
"""A bundle of toy modes for this machine."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.pipeline.bundles.bundle import make_bundle
from dimmer.pipeline.tvm.runtime import tvm_runtime
from dimmer.targets import load_target
from tests.pipeline.toy_modes import native, toy_modules, toy_self_test

MACHINE = platform.machine()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    modules, runtime = toy_modules(MACHINE, folder / "modules"), tvm_runtime(MACHINE, folder / "cache")
    out = folder / "bundle"
    make_bundle("toy", modules, even_policy(2), toy_self_test(), runtime, native(load_target("jetson")), out)
    return out
