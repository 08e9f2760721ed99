# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from dimmer import processes
from dimmer.errors import DimmerError
from dimmer.pipeline.core.closure import ROOT
from tests.forked import in_processes


def test_alone_everything_is_what_one_process_does() -> None:
    assert (processes.count(), processes.rank(), processes.is_first()) == (1, 0, True)
    assert list(range(5))[processes.own()] == [0, 1, 2, 3, 4]
    assert processes.spread([3, 4], lambda n: n * n) == [9, 16]
    assert processes.agreed(lambda: "seen") == "seen"
    with processes.joined(), processes.once_a_machine():
        processes.wait()
    values = torch.tensor([1.0, 2.0])
    assert processes.averaged(values) is values


def test_one_process_needs_no_torch() -> None:
    code = "import sys; from dimmer import processes as p; assert p.count() == 1; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_parts_of_a_batch_are_averaged() -> None:
    weight = torch.zeros(3, requires_grad=True)
    weight.grad = torch.full((3,), 6.0)
    processes.average_gradients([weight, torch.zeros(1, requires_grad=True)], parts=3)
    assert weight.grad.tolist() == [2.0, 2.0, 2.0]


def _everything() -> dict[str, object]:
    rank = processes.rank()
    one, two = (torch.zeros(2, requires_grad=True) for _ in range(2))
    one.grad = torch.full((2,), 1.0 + rank)
    processes.average_gradients([one, two], parts=2)
    try:
        processes.agreed(lambda: _refuse(rank))
    except DimmerError as error:
        refused = str(error)
    return {
        "own": list(range(5))[processes.own()],
        "spread": processes.spread(range(5), lambda n: (n, rank)),
        "agreed": processes.agreed(lambda: f"said by {rank}"),
        "averaged": processes.averaged(torch.tensor([float(rank)])).item(),
        "gradient": one.grad.tolist(),
        "none": two.grad,
        "refused": refused,
    }


def _refuse(rank: int) -> None:
    raise DimmerError(f"refused by {rank}")


def test_several_share_the_work_and_agree(tmp_path: Path) -> None:
    found = in_processes(tmp_path, 3, _everything)
    assert [each.pop("own") for each in found] == [[0, 3], [1, 4], [2]]
    assert found[0] == found[1] == found[2]
    assert found[0] == {
        "spread": [(0, 0), (1, 1), (2, 2), (3, 0), (4, 1)],
        "agreed": "said by 0",
        "averaged": 1.0,
        "gradient": [1.0, 1.0],
        "none": None,
        "refused": "refused by 0",
    }


def test_processes_that_miss_each_other_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "no such host", "MASTER_PORT": "none"}
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    assert processes.launched()
    with pytest.raises(DimmerError, match="cannot be reached by no such host:none"), processes.joined():
        pass
