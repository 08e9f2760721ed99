# SPDX-License-Identifier: Apache-2.0
"""What stands beside trained gates."""

import dataclasses
import json

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import load_tensors
from dimmer.pipeline.artifacts.gate_record import GateRecord, GateRunId, load_gate_record
from dimmer.project import MODELS

SHIPPED = MODELS / "cifar10-r14" / "gates.safetensors"


def test_the_shipped_gates_are_read_and_would_be_written_again_as_they_are() -> None:
    record = load_gate_record(SHIPPED)
    assert record.gates.options == (8, 4, 2, 0)
    assert [line.budget for line in record.budgets] == [0.6, 0.4, 0.25, 0.15, 0.1]
    assert record.budgets[0].static.mode == "44.44.84"
    assert sum(record.budgets[0].test.modes.values()) == 10_000
    assert [line.mode for line in record.skipping] == ["88.88.88", "80.88.88", "80.80.88", "80.80.80"]
    assert json.loads(json.dumps(record.to_json())) == load_tensors(SHIPPED)[1]


def test_data_stand_in_a_run_only_where_they_are_known() -> None:
    assert set(GateRunId("tiny", "h", None).to_json()) == {"model", "gates", "backbone"}
    assert GateRunId("tiny", "h", None, "d").to_json()["data"] == "d"


def test_a_file_that_holds_no_gates_is_named() -> None:
    with pytest.raises(DimmerError, match=r"checkpoint\.safetensors holds no trained gates; train them again"):
        load_gate_record(SHIPPED.with_name("checkpoint.safetensors"))


def test_statistics_of_its_own_are_told_of_a_mode_that_has_them() -> None:
    record = load_gate_record(SHIPPED)
    static = dataclasses.replace(record.budgets[0].static, recalibrated=True)
    changed = dataclasses.replace(record, uniform=(static, *record.uniform[1:]))
    written = json.loads(json.dumps(changed.to_json()))
    assert [line.get("recalibrated") for line in written["uniform"][:2]] == [True, None]
    assert GateRecord.of(written) == changed
