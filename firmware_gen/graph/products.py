# SPDX-License-Identifier: Apache-2.0
"""TRANSPOSE and RESHAPE around a BATCH_MATMUL become its addressing: attention without copies.

What they move is read where it lies, and results are written where they belong. A tensor between blocks, which other
modes must find, stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from dataclasses import replace

from dimmer.firmware_gen.graph.options import BatchMatMul
from dimmer.firmware_gen.graph.types import DType, Graph, Operator, Reshape, Transpose
from dimmer.firmware_gen.graph.views import Layout, View, layout, plain, reshaped, transposed

Chain = tuple[Operator, ...]


def fold_moves(graph: Graph, keep: Set[int]) -> Graph:
    """Every BATCH_MATMUL with its layout; the moves that it makes needless lose their reader, or are left out.

    Args:
        keep: tensors that must go on being computed.
    """
    fixed = keep | {state.tensor for state in graph.states} | {graph.output}
    for product in (o for o in graph.operators if isinstance(o.options, BatchMatMul)):
        # One after the other: what one writes in another place, the next one reads there.
        made_by = {operator.output: operator for operator in graph.operators}
        readers = Counter(index for operator in graph.operators for index in operator.inputs)
        read_by = {index: operator for operator in graph.operators for index in operator.inputs if readers[index] == 1}
        before = [_before(graph, made_by, index, fixed) for index in product.inputs]
        folded, left_out = _folded(graph, product, before, _behind(graph, read_by, product.output, fixed))
        gone = {move.output for move in left_out}
        operators = [folded if o is product else o for o in graph.operators]
        graph = replace(graph, operators=tuple(o for o in operators if o is folded or o.output not in gone))
    return graph


def _before(graph: Graph, made_by: dict[int, Operator], index: int, fixed: Set[int]) -> Chain:
    """The moves that end in a tensor, the first one first."""
    chain: list[Operator] = []
    while index not in fixed and (move := made_by.get(index)) is not None and _moves(graph, move):
        chain.insert(0, move)
        index = move.inputs[0]
    return tuple(chain)


def _behind(graph: Graph, read_by: dict[int, Operator], index: int, fixed: Set[int]) -> Chain:
    """The moves that begin with a tensor, which nothing else reads."""
    chain: list[Operator] = []
    while index not in fixed and (move := read_by.get(index)) is not None and _moves(graph, move):
        chain.append(move)
        index = move.output
    return tuple(chain)


def _moves(graph: Graph, operator: Operator) -> bool:
    if not isinstance(operator.options, Transpose | Reshape):
        return False
    source, made = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    # TFLite's RESHAPE takes the codes as they are, whatever the scales; a product reads its operands' scales.
    same = source.quantisation == made.quantisation
    return same and made.dtype is DType.INT8 and not source.constant


def _folded(graph: Graph, operator: Operator, before: list[Chain], behind: Chain) -> tuple[Operator, Chain]:
    """The product with as many moves as its addressing takes, and those behind it that are left out."""
    options = operator.options
    assert isinstance(options, BatchMatMul)
    sources, target = list(operator.inputs), operator.output
    left_out: Chain = ()
    views = [operand_view(graph, options, operator, place) for place in (0, 1)]
    made = plain(graph.tensors[operator.output].shape)
    shape = graph.tensors[operator.output].shape
    found = layout(views[0], views[1], made, shape)
    for place, chain in enumerate(before):
        for length in range(len(chain), 0, -1):
            source = chain[-length].inputs[0]
            view = _through(graph, plain(graph.tensors[source].shape), chain[-length:])
            if view is None:
                continue
            tried = list(views)
            tried[place] = _matrix(view, place, options)
            better = layout(tried[0], tried[1], made, shape)
            if better is not None:
                views, found, sources[place] = tried, better, source
                break
    for length in range(len(behind), 0, -1):
        back = _back(graph, behind[:length])
        better = None if back is None else layout(views[0], views[1], back, shape)
        if better is not None:
            found, target, left_out = better, behind[length - 1].output, behind[:length]
            break
    return (
        replace(operator, inputs=tuple(sources), output=target, options=replace(options, layout=found)),
        left_out,
    )


def operand_view(graph: Graph, options: BatchMatMul, operator: Operator, place: int) -> View:
    """An operand as it lies, with axes rows and depth, or depth and columns, last."""
    return _matrix(plain(graph.tensors[operator.inputs[place]].shape), place, options)


def _matrix(view: View, place: int, options: BatchMatMul) -> View:
    turned = (options.transposed1, options.transposed2)[place]
    return (*view[:-2], view[-1], view[-2]) if turned else view


def _through(graph: Graph, view: View, chain: Chain) -> View | None:
    """What a view becomes by moves."""
    for move in chain:
        found: View | None
        if isinstance(move.options, Transpose):
            found = transposed(view, move.options.permutation)
        else:
            found = reshaped(view, graph.tensors[move.output].shape)
        if found is None:
            return None
        view = found
    return view


def _back(graph: Graph, chain: Chain) -> View | None:
    """Where the elements of what enters moves lie in what they make."""
    view = plain(graph.tensors[chain[-1].output].shape)
    for move in reversed(chain):
        found: View | None
        if isinstance(move.options, Transpose):
            order = sorted(range(len(view)), key=move.options.permutation.__getitem__)
            found = transposed(view, order)
        else:
            found = reshaped(view, graph.tensors[move.inputs[0]].shape)
        if found is None:
            return None
        view = found
    return view


def own_layout(graph: Graph, operator: Operator) -> Layout:
    """Of a product with nothing folded into it."""
    options = operator.options
    assert isinstance(options, BatchMatMul)
    shape = graph.tensors[operator.output].shape
    views = [operand_view(graph, options, operator, place) for place in (0, 1)]
    found = layout(views[0], views[1], plain(shape), shape)
    assert found is not None, "axes as they lie have one run"
    return found
