# SPDX-License-Identifier: Apache-2.0
"""Files with several signatures."""

from __future__ import annotations

from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as schema

from dimmer.errors import DimmerError
from dimmer.firmware_gen.read.tflite import parse_tflite
from dimmer.pipeline.conversion.signatures import stem_with_signature, with_signature
from tests.firmware_gen.networks import tiny_resnet, tiny_state
from tests.firmware_gen.read.damaged import refusal
from tests.firmware_gen.tflite_builder import Layers, pack


def two_signatures(names: tuple[str, str] = ("embed", "classify"), last: int = 1) -> bytes:
    """`embed`, one layer, and `classify`, a residual network, each a subgraph; `last` is that of the second."""
    net = Layers(0)
    x = net.activation([1, 4])
    small = net.model([x], [net.operator("RELU", [x], net.activation([1, 4], name="y"))])
    model = schema.ModelT.InitFromPackedBuf(tiny_resnet(), 0)
    # The other subgraph's operator and buffers stand behind those of the network.
    small.subgraphs[0].operators[0].opcodeIndex = len(model.operatorCodes)
    model.operatorCodes += small.operatorCodes
    model.subgraphs = [small.subgraphs[0], model.subgraphs[0]]
    model.signatureDefs = []
    for index, key in zip((0, last), names, strict=True):
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = key, index
        signature.inputs, signature.outputs = [], []
        model.signatureDefs.append(signature)
    return pack(model)


def test_a_signature_is_a_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "two.tflite"
    path.write_bytes(two_signatures())
    classify = with_signature(path, "classify", tmp_path / "made")
    assert classify == tmp_path / "made" / "two-classify.tflite"
    expected = parse_tflite(tiny_resnet(), "net.tflite")
    assert parse_tflite(classify.read_bytes(), "net.tflite") == expected
    embed = with_signature(path, "embed", tmp_path / "made")
    assert [operator.kind for operator in parse_tflite(embed.read_bytes(), "net.tflite").operators] == ["RELU"]


def test_what_sets_variables_goes_along(tmp_path: Path) -> None:
    model = schema.ModelT.InitFromPackedBuf(tiny_state(), 0)
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex, signature.inputs, signature.outputs = "run", 0, [], []
    model.signatureDefs = [signature]
    path = tmp_path / "state.tflite"
    path.write_bytes(pack(model))
    made = with_signature(path, "run", tmp_path)
    assert parse_tflite(made.read_bytes(), "net.tflite") == parse_tflite(tiny_state(), "net.tflite")


@pytest.mark.parametrize("name", ["serving/default", "../x", "/x", "..", "a b\n", "l" * 200, "Größe"])
def test_any_name_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / "two.tflite"
    path.write_bytes(two_signatures((name, name.replace("/", "_") + "_")))
    made = with_signature(path, name, tmp_path / "made")
    other = with_signature(path, name.replace("/", "_") + "_", tmp_path / "made")
    assert sorted((tmp_path / "made").iterdir()) == sorted([made, other])
    assert made.stem == stem_with_signature(path, name)


def test_a_subgraph_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "two.tflite"
    path.write_bytes(two_signatures(last=9))
    told = r"^two\.tflite: a signature runs subgraph 9, and the file has 2; convert the model again$"
    with pytest.raises(DimmerError, match=told):
        with_signature(path, "classify", tmp_path)
    model = schema.ModelT.InitFromPackedBuf(tiny_state(), 0)
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex, signature.inputs, signature.outputs = "run", 0, [], []
    model.signatureDefs = [signature]
    options = [operator.builtinOptions for operator in model.subgraphs[0].operators]
    (once,) = (option for option in options if isinstance(option, schema.CallOnceOptionsT))
    once.initSubgraphIndex = -1
    path.write_bytes(pack(model))
    with pytest.raises(DimmerError, match=r"a signature runs subgraph -1, and the file has 2"):
        with_signature(path, "run", tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_subgraph_is_one_line(tmp_path: Path) -> None:
    """Beyond those that are read for their operators."""
    model = schema.ModelT.InitFromPackedBuf(two_signatures(last=5), 0)
    model.subgraphs += [model.subgraphs[0]] * 4
    model.subgraphs[5] = schema.SubGraphT()
    path = tmp_path / "two.tflite"
    path.write_bytes(pack(model))
    with pytest.raises(DimmerError, match=r"^two\.tflite: damaged where signature classify lies; convert the model ag"):
        with_signature(path, "classify", tmp_path)


def test_the_signatures_are_named_where_none_was_chosen() -> None:
    assert refusal(two_signatures()) == (
        "net.tflite: has the signatures embed, classify, a firmware runs one; choose it: "
        "dimmer firmware --tflite net.tflite --signature embed"
    )


def test_another_signature_is_told(tmp_path: Path) -> None:
    path = tmp_path / "two.tflite"
    path.write_bytes(two_signatures())
    with pytest.raises(DimmerError, match=r"two.tflite: has no signature run; it has: embed, classify"):
        with_signature(path, "run", tmp_path)
