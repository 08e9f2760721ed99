# SPDX-License-Identifier: Apache-2.0
"""What a verification leaves."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.verification import (
    RESULT,
    Switches,
    Verified,
    VerifiedBudget,
    VerifiedGates,
    verify_folder,
)
from dimmer.pipeline.networks.gates.agreement import Agreement
from tests.pipeline.artifact_examples import verified

GATES = VerifiedGates(
    100,
    {"host": 0, "mps2-an386": 0},
    0.002,
    (VerifiedBudget(0.5, 0.9, 0.48, Agreement(0.99, 0.97), {"88.88.88": 900, "44.44.44": 100}),),
)


@pytest.mark.parametrize(
    "content", [verified(), replace(verified(), gates=GATES), replace(verified(), switches=Switches(0, None, None))]
)
def test_it_is_read_as_it_was_saved(tmp_path: Path, content: Verified) -> None:
    folder = verify_folder(tmp_path, "mps2-an386")
    content.save(folder)
    assert Verified.load(folder) == content
    document = json.loads((folder / RESULT).read_text())
    assert list(document) == ["target", "backend", "test_images", "modes", "switches", "gates"]
    assert list(document["modes"][0]) == ["name", "accuracy", "accuracy_float", "host", "target", "scores"]


def test_a_mode_that_was_not_verified_is_one_line() -> None:
    assert verified().mode("80.80.80").accuracy == 0.88
    with pytest.raises(DimmerError, match=r"mode 44\.44\.44 was not verified on mps2-an386; build again"):
        verified().mode("44.44.44")


def test_damage_has_a_way_out(tmp_path: Path) -> None:
    (tmp_path / RESULT).write_text('{"target": "host"')
    with pytest.raises(DimmerError, match=r"verify\.json cannot be read \(.*\): remove .* and build again"):
        Verified.load(tmp_path)
