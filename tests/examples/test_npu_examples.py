# SPDX-License-Identifier: Apache-2.0
"""The examples for boards with an NPU compile for Cortex-M55, against what their SDKs declare, as we write it down."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import INCLUDE, engine_sources, npu_sources
from dimmer.pipeline.core.closure import ROOT
from dimmer.targets import load_target
from tests.firmware_gen.harness import WARNINGS
from tests.firmware_gen.runtime.test_ethos_u import model_of

EXAMPLES = ROOT / "examples" / "npu"
HEADERS = Path(__file__).with_name("npu_headers")
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/README.md"))
BOARD = re.compile(r"\b(?:dimmer_board_\w+|ethosu_address_remap)\b")


@pytest.mark.slow
@pytest.mark.board("ethos-u55-128")
@pytest.mark.parametrize("name", NAMES)
def test_an_example_compiles_and_lacks_only_what_the_sdk_has(name: str, tmp_path: Path) -> None:
    model = model_of(tmp_path)
    target = load_target("ethos-u55-128")
    folders = [EXAMPLES, HEADERS / "common", HEADERS / name, INCLUDE, tmp_path]
    sources = [
        EXAMPLES / name / "main.c",
        EXAMPLES / "known_answers.c",
        *model.sources,
        *engine_sources(),
        *npu_sources(),
    ]
    whole = tmp_path / "whole.o"
    compiler = target.toolchain.compilers[0]
    command = [compiler, *target.toolchain.flags, "-std=c99", *WARNINGS, "-DDIMMER_ETHOSU_DRIVER", "-nostdlib", "-r"]
    command += [f"-I{folder}" for folder in folders]
    subprocess.run([*command, *map(str, sources), "-o", str(whole)], check=True)
    said = subprocess.run(["arm-none-eabi-nm", "-u", str(whole)], check=True, capture_output=True, text=True).stdout
    lacking = set(said.split()) - {"U"}
    declared = " ".join(path.read_text() for folder in ("common", name) for path in (HEADERS / folder).glob("*.h"))
    assert {symbol for symbol in lacking if symbol in declared} >= {"ethosu_init", "ethosu_invoke_async", "ethosu_wait"}
    rest = {symbol for symbol in lacking if symbol not in declared and not symbol.startswith("__aeabi_")}
    assert rest <= {"memcpy", "memmove", "memset", "memcmp", "printf", "puts"}
    defined = subprocess.run(["arm-none-eabi-nm", str(whole)], check=True, capture_output=True, text=True).stdout
    assert BOARD.search(defined)


def test_every_example_says_that_nobody_has_run_it() -> None:
    assert NAMES == ["alif_ensemble", "grove_vision_ai_v2"]
    listed = (ROOT / "examples" / "README.md").read_text()
    for name in NAMES:
        assert "**Nobody has run it**" in (EXAMPLES / name / "README.md").read_text()
        assert f"(npu/{name}/README.md)" in listed
