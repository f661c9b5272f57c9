"""
Giving a converted model's inputs the names of the table's columns again.

The converter makes identifiers of them (``living area (m²)`` becomes ``living_area__m²_``), tells
two that become the same apart by a number, and takes a column's name away when its own output wants
it (``variable``, ``label``). The order of the inputs is that of the columns.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

__all__ = ["name_inputs"]


def name_inputs(graph: Any, names: Sequence[str]) -> None:  # noqa: ANN401 (ONNX's GraphProto)
    """Rename the inputs of a graph to ``names``, and aside what has one of these names within."""
    inputs = [one.name for one in graph.input]
    if len(inputs) != len(names):
        return  # the converter left one out: whose place is whose is not known
    renamed = {old: new for old, new in zip(inputs, names, strict=True) if old != new}
    if not renamed:
        return
    within = set(_names(graph))
    known = within | set(names)
    for name in sorted((within & set(names)) - set(inputs)):
        fresh = next(other for n in count(1) if (other := f"{name}_{n}") not in known)
        known.add(fresh)
        renamed[name] = fresh
    _rename(graph, renamed)


def _names(graph: Any) -> Iterator[str]:  # noqa: ANN401 (see above)
    for holders in (graph.input, graph.output, graph.initializer, graph.value_info):
        yield from (one.name for one in holders)
    for node in graph.node:
        yield from node.input
        yield from node.output
        for inner in _inner_graphs(node):
            yield from _names(inner)


def _rename(graph: Any, renamed: Mapping[str, str]) -> None:  # noqa: ANN401 (see above)
    for holders in (graph.input, graph.output, graph.initializer, graph.value_info):
        for one in holders:
            one.name = renamed.get(one.name, one.name)
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
        for inner in _inner_graphs(node):
            _rename(inner, renamed)


def _inner_graphs(node: Any) -> Iterator[Any]:  # noqa: ANN401 (see above)
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs
