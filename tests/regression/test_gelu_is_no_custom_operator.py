# SPDX-License-Identifier: Apache-2.0
"""With ONNX's opset 17 GELU became Erf, and the .tflite a custom operator that no interpreter here runs.

A network says which opset its operators need; those without GELU keep theirs.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch

from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.families.vit_config import ViTConfig
from tests.pipeline.networks.families import road
from tests.pipeline.networks.families.test_vit import PUBLISHED, SMALL


@pytest.mark.parametrize(("config", "opset"), [(SMALL, 17), (PUBLISHED, 20)], ids=["behind", "before"])
def test_the_exported_graph_has_no_error_function(tmp_path: Path, config: ViTConfig, opset: int) -> None:
    onnx = pytest.importorskip("onnx")
    net = road.network("vit", config)
    deployed = deploy(net, net.base_mode())
    assert deployed.opset == opset
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        arguments = (road.images(config, 1),)
        file = tmp_path / "net.onnx"
        torch.onnx.export(deployed.untapped(), arguments, file, dynamo=False, opset_version=deployed.opset)
    operators = {node.op_type for node in onnx.load(file).graph.node}
    assert "Erf" not in operators
    assert ("Gelu" in operators) == (opset == 20)
    assert "Reciprocal" not in operators
