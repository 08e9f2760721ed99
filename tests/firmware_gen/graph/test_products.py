# SPDX-License-Identifier: Apache-2.0
"""Which moves around a product of matrices are folded into it, and which stay."""

from __future__ import annotations

from dimmer.firmware_gen.graph.options import BatchMatMul
from dimmer.firmware_gen.graph.passes import prepare
from dimmer.firmware_gen.graph.products import fold_moves, own_layout
from dimmer.firmware_gen.graph.types import Graph, Transpose
from tests.firmware_gen.lower.lowered import read
from tests.firmware_gen.reduction_cases import attention, moved, self_attention
from tests.firmware_gen.tflite_builder import Layers


def kinds(graph: Graph) -> list[str]:
    return [type(operator.options).__name__ for operator in graph.operators]


def test_attention_is_left_with_its_products() -> None:
    for seed in range(6):
        net = Layers(seed)
        graph = prepare(read(net, *attention(net))).graph
        assert kinds(graph) == ["BatchMatMul", "Softmax", "BatchMatMul"], seed


def test_a_product_with_nothing_around_has_its_own_layout() -> None:
    net = Layers(0)
    graph = read(net, *self_attention(net))
    (product,) = fold_moves(graph, frozenset()).operators
    assert isinstance(product.options, BatchMatMul)
    assert product.options.layout == own_layout(graph, product)


def folded(read_twice: bool) -> Graph:
    """Products of an input and its transpose, behind which is a transpose again."""
    net = Layers(1)
    x = net.activation([1, 4, 6, 3])
    turned = moved(net, x, (0, 1, 3, 2))
    scores = net.activation([1, 4, 6, 6], 1.0, name="scores")
    net.operator("BATCH_MATMUL", [x, turned], scores, adjX=False, adjY=False)
    back = moved(net, scores, (0, 2, 3, 1))
    if not read_twice:
        return read(net, x, back)
    both = moved(net, scores, [1, 6, 6, 4])
    return read(net, x, net.same("CONCATENATION", back, [1, 6, 12, 4], [both], axis=2))


def test_a_result_that_others_read_stays_where_it_is() -> None:
    assert kinds(prepare(folded(False)).graph) == ["BatchMatMul"]
    assert "Transpose" in kinds(prepare(folded(True)).graph)


def test_a_tensor_between_blocks_goes_on_being_computed() -> None:
    graph = folded(False)
    (move, _) = [operator for operator in graph.operators if isinstance(operator.options, Transpose)]
    kept = fold_moves(graph, frozenset({move.output}))
    product = next(operator for operator in kept.operators if isinstance(operator.options, BatchMatMul))
    assert product.inputs[1] == move.output
    assert move in kept.operators
