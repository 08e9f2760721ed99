# SPDX-License-Identifier: Apache-2.0
"""What stands beside the weights."""

import json
from pathlib import Path

import pytest
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import GATES, load_tensors, save_tensors
from dimmer.pipeline.artifacts.training_record import Accuracy, RunId, TrainingRecord, is_finished, load_checkpoint
from dimmer.project import MODELS

SHIPPED = MODELS / "cifar10-r14" / "checkpoint.safetensors"
RUN = RunId("tiny", None, "abc")
RECORD = TrainingRecord(RUN, 1, 3, "2.0", ("cpu",), {"super": Accuracy(90.0, 89.0)})


def test_the_shipped_checkpoint_is_read_and_would_be_written_again_as_it_is() -> None:
    _, record = load_checkpoint(SHIPPED)
    results = json.loads(SHIPPED.with_name("results.json").read_text())
    assert record.run.training == results["training_hash"]
    assert record.devices == tuple(results["devices"])
    assert record.accuracy["super-4"] == Accuracy(**results["networks"]["super-4"]["accuracy"])
    assert json.loads(json.dumps(record.to_json())) == load_tensors(SHIPPED)[1]


def test_data_stand_in_a_run_only_where_they_are_known() -> None:
    assert RUN.to_json() == {"model": "tiny", "alone": None, "training": "abc"}
    assert RunId("tiny", None, "abc", "d").to_json()["data"] == "d"
    with_data = TrainingRecord(RunId("tiny", "base", "abc", "d"), 1, 3, "2.0", ("cpu",), {})
    assert TrainingRecord.of(json.loads(json.dumps(with_data.to_json()))) == with_data


def test_a_file_that_holds_something_else_is_named(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"gates\.safetensors is no checkpoint of a finished training"):
        load_checkpoint(SHIPPED.with_name(GATES))
    save_tensors(tmp_path / "state.safetensors", {}, {"run": RUN.to_json(), "history": []})
    with pytest.raises(DimmerError, match="no checkpoint of a finished training; name one, or train again"):
        load_checkpoint(tmp_path / "state.safetensors")


def test_a_training_is_finished_where_its_own_checkpoint_lies(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    assert not is_finished(path, RUN.to_json())
    save_tensors(path, {"w": torch.zeros(1)}, RECORD.to_json())
    assert is_finished(path, RUN.to_json())
    assert not is_finished(path, RunId("tiny", None, "abc", "data").to_json())
    path.write_bytes(b"half")
    with pytest.raises(DimmerError, match="not a Dimmer checkpoint"):
        is_finished(path, RUN.to_json())
