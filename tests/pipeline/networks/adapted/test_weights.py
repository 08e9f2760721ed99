# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.networks.adapted.weights import known_tensors, load_weights, take_weights, weights_of
from tests.pipeline.networks.adapted.nets import Plain, Small, small


def test_weights_come_back_as_they_were(tmp_path: Path) -> None:
    original, path = small(), tmp_path / "original.safetensors"
    path.write_bytes(weights_of(original))
    network = Small()
    load_weights(network, path)
    expected = original.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in network.state_dict().items())
    with pytest.raises(DimmerError, match="weights of another network"):
        load_weights(Plain(), path)


def test_a_classifier_of_other_classes_begins_anew(tmp_path: Path) -> None:
    torch.save(small().state_dict(), tmp_path / "old.pth")
    network = Small(classes=5)
    left = take_weights(network, known_tensors(tmp_path / "old.pth"), "old.pth")
    assert sorted(left) == ["classifier.bias", "classifier.weight"]
    assert torch.equal(network.stem.weight, small().stem.weight)
    network.stem = torch.nn.Conv2d(3, 5, 3)
    with pytest.raises(DimmerError, match="other shapes"):
        take_weights(network, known_tensors(tmp_path / "old.pth"), "old.pth")


def test_what_is_no_state_dict_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    torch.save([1, 2], tmp_path / "list.pt")
    for name, reason in (("broken.safetensors", "cannot be read"), ("list.pt", "no state dict"), ("no.pt", "cannot")):
        with pytest.raises(DimmerError, match=reason):
            known_tensors(tmp_path / name)
