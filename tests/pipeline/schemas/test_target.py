# SPDX-License-Identifier: Apache-2.0
"""The schema of targets is what their reader asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.schemas import target as target_module
from dimmer.pipeline.schemas.files import FileKind
from dimmer.pipeline.schemas.target import target_schema
from dimmer.targets import TargetError
from dimmer.targets.kit.schema import Kind
from dimmer.targets.power.constants import CONSTANTS
from dimmer.targets.target import TARGETS, read_target
from tests.pipeline.schemas.mutants import completed, document, mutants, refuses
from tests.pipeline.schemas.test_recipe import descriptions

BY_SHAPE = re.compile(f"unknown key|give it ({'|'.join(kind.value for kind in Kind)})$")


@pytest.mark.parametrize("path", sorted(TARGETS.glob("*/target.toml")), ids=lambda path: path.parent.name)
def test_shipped_targets_are_valid(path: Path) -> None:
    assert not refuses(FileKind.TARGET, tomllib.loads(path.read_text()))


def test_schema_and_reader_agree_on_names_and_types(tmp_path: Path) -> None:
    schema: Any = target_schema()
    text, simulated = (
        (TARGETS / name / "target.toml").read_text().replace('"../', '"dimmer:')
        for name in ("mps2-an386", "ibex-small")
    )
    # No target has every table.
    core = simulated[simulated.index("[runner.rtl]") : simulated.index("[planner]")]
    text = text.replace("[planner]", core + "[planner]").replace('"qemu-system-arm", "-M"', '"{simulator}", "-M"')
    board = (TARGETS / "nrf52840dk" / "target.toml").read_text()
    board = board.replace('[energy]\nboard = "nrf52840dk"\n', "")
    for other in ("pico", "esp32c3", "nucleo-f446re", "nano33ble"):
        ways = (TARGETS / other / "target.toml").read_text()
        board += "".join(
            part for part in re.split(r"(?m)^(?=\[)", ways) if re.match(r"\[flash\.(uf2|esp|st|boss)", part)
        )
    text += board[board.index("[board]") :]
    text = text.replace("[board]", '[board]\ncounter = "dwt"')
    regions = "arena = { origin = 0x40000000, size = 4096 }\nconstants = { origin = 0x50000000, size = 4096 }"
    text = text.replace("[memory]", f"[memory]\n{regions}")
    spoilt = tomllib.loads(text)
    example = {"value": 1, "plus_minus": 0, "source": "a paper", "measured_on": "2026-11-29", "trace": "a.csv"}
    spoilt["energy"] = {"regulator": "linear", "board": "pico", **dict.fromkeys(CONSTANTS, example)}
    whole = completed(spoilt, schema)
    # It does not go with a linear regulator, nor these with a Cortex-M, nor with a port whose registers are named.
    del whole["energy"]["cycle_pj"], whole["flash"]["esptool"], whole["board"]["uart_base"]
    port = {"ready": "0x42000818:8 ? 1", "send": "0x42000828", "received": "0x42000818 ? 4", "receive": "0x42000828"}
    whole["board"] |= {"uart": "registers", **{f"uart_{key}": value for key, value in port.items()}}
    whole["toolchain"]["linker_script"] = "dimmer:board/esp32c3.ld"
    # Weights of their own go with another engine and without a board.
    del whole["memory"]["weights"]
    # [npu] goes with one engine, and names files.
    whole["engine"] = "ethos-u"
    own = {"accelerator": "ethos-u55-128", "system_config": "lamp", "memory_mode": "lamp", "config": "Arm/vela.ini"}
    whole["npu"] |= {**own, "sources": [], "include": []}

    assert agreed(tmp_path, whole) > 200
    text = (TARGETS / "mps3-an547" / "target.toml").read_text().replace('"../', '"dimmer:')
    apart = tomllib.loads(text)
    assert "weights" in apart["memory"]
    assert agreed(tmp_path, apart) > 50


def agreed(folder: Path, whole: dict[str, Any]) -> int:
    """How many files with one thing wrong schema and reader both refuse, where they agree on all."""
    path = folder / "target.toml"

    def refused(table: dict[str, Any]) -> str:
        path.write_text(document(table))
        try:
            read_target(path)
        except TargetError as error:
            return str(error)
        return ""

    assert refused(whole) == ""
    assert not refuses(FileKind.TARGET, whole)
    done = 0
    for what, table in mutants(whole):
        said = refused(table)
        by_schema = refuses(FileKind.TARGET, table)
        assert by_schema or not BY_SHAPE.search(said), f"{what}: only the reader refuses: {said}"
        assert said or not by_schema, f"{what}: only the schema refuses"
        done += by_schema
    return done


def test_every_key_is_described_but_the_planner_s_table() -> None:
    schema: Any = target_schema()
    assert [key for key, told in descriptions(schema) if not told] == ["planner"]


def test_a_table_that_no_target_has_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "host").mkdir()
    text = (TARGETS / "host" / "target.toml").read_text()
    (tmp_path / "host" / "target.toml").write_text(text.replace('"../', '"dimmer:'))
    monkeypatch.setattr(target_module, "TARGETS", tmp_path)
    with pytest.raises(DimmerError, match=r"no target has \[board\]"):
        target_schema()
