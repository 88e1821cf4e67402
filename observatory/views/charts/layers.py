"""Places for the nodes of a graph: layer by layer from left to right, in the direction of its edges.

After Sugiyama, Tagawa and Toda, Methods for Visual Understanding of Hierarchical System Structures (1981),
doi:10.1109/TSMC.1981.4308636: circles are opened, layers are longest paths, few edges cross as each node goes to the
middle of its neighbours, and then nodes move as near to these as their own neighbours in the layer let them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Place = tuple[float, float]
"""Layer, from 0 on the left, and row: nodes of a layer are one apart at least."""
Edge = tuple[int, int]

SWEEPS = 12
"""Times that layers are put in order, from the left and from the right in turn."""
SHIFTS = 10
"""Times that nodes move towards their neighbours."""
MOST_BENDS = 3000
"""Edges over several layers get a place in each of them, unless there would be more of these than that."""
MOST_LAYERS = 16
BEND = 0.5
"""Room for an edge that passes a layer, where a node has 1."""


@dataclass
class Layers:
    """The items of each layer in order: nodes, and the places where edges pass.

    Items are numbers: first those of the nodes, then those of the bends.
    """

    columns: list[list[int]]
    left: list[list[int]]
    right: list[list[int]]
    nodes: int
    routes: dict[Edge, list[int]] = field(default_factory=dict)

    def room(self, above: int, below: int) -> float:
        """Least distance of two items that follow each other."""
        return sum(0.5 if item < self.nodes else BEND / 2 for item in (above, below))


def arrange(count: int, edges: Iterable[Edge]) -> tuple[list[Place], dict[Edge, list[Place]]]:
    """Places of `count` nodes, and of the bends of edges that pass other layers, from left to right.

    The same graph always gets the same places.
    """
    given = [(a, b) for a, b in dict.fromkeys(edges) if a != b]
    forward = _without_circles(count, given)
    layer = _layers(count, forward)
    if max(layer, default=0) >= MOST_LAYERS:  # as after opening circles of very many
        layer = _distances(count, given)
        forward = [(a, b) for a, b in given if layer[a] < layer[b]]
    layers = _with_bends(count, forward, layer)
    _order(layers)
    rows = _rows(layers)
    top = min(rows, default=0.0)
    column = {item: number for number, items in enumerate(layers.columns) for item in items}
    places = [(float(column[item]), rows[item] - top) for item in range(len(rows))]
    routes = {edge: [places[bend] for bend in bends] for edge, bends in layers.routes.items()}
    return places[:count], routes


def _without_circles(count: int, edges: Sequence[Edge]) -> list[Edge]:
    """The edges, of which those that would close a circle are turned round."""
    following: list[list[int]] = [[] for _ in range(count)]
    reached = set()
    for a, b in edges:
        following[a].append(b)
        reached.add(b)
    done, open_, turned = set[int](), set[int](), set[Edge]()
    for start in sorted(range(count), key=lambda node: (node in reached, node)):  # from where nothing leads to
        stack = [] if start in done else [(start, iter(following[start]))]
        open_.update(node for node, _ in stack)
        while stack:
            node, rest = stack[-1]
            other = next(rest, None)
            if other is None:
                stack.pop()
                open_.remove(node)
                done.add(node)
            elif other in open_:
                turned.add((node, other))
            elif other not in done:
                open_.add(other)
                stack.append((other, iter(following[other])))
    return list(dict.fromkeys((b, a) if (a, b) in turned else (a, b) for a, b in edges))


def _layers(count: int, forward: Sequence[Edge]) -> list[int]:
    """The longest path to each node; where nothing leads to stands just before what it leads to."""
    following: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for a, b in forward:
        following[a].append(b)
        waiting[b] += 1
    first = [node for node in range(count) if not waiting[node]]
    layer, ready = [0] * count, list(first)
    while ready:
        node = ready.pop()
        for other in following[node]:
            layer[other] = max(layer[other], layer[node] + 1)
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    for node in first:
        if following[node]:
            layer[node] = min(layer[other] for other in following[node]) - 1
    return layer


def _distances(count: int, edges: Sequence[Edge]) -> list[int]:
    """How many edges there are to each node from where nothing leads to, or else from the nodes that lead to most."""
    following: list[list[int]] = [[] for _ in range(count)]
    reached = set()
    for a, b in edges:
        following[a].append(b)
        reached.add(b)
    starts = sorted(range(count), key=lambda node: (node in reached, -len(following[node]), node))
    layer = [-1] * count
    first = [node for node in starts if node not in reached]
    for beginning in [first, *([start] for start in starts)]:
        front, distance = [node for node in beginning if layer[node] < 0], 0
        while front:
            for node in front:
                layer[node] = distance
            distance += 1
            front = list(dict.fromkeys(b for a in front for b in following[a] if layer[b] < 0))
    return [min(found, MOST_LAYERS) for found in layer]


def _with_bends(count: int, forward: Sequence[Edge], layer: Sequence[int]) -> Layers:
    columns: list[list[int]] = [[] for _ in range(max(layer, default=-1) + 1)]
    for node in range(count):
        columns[layer[node]].append(node)
    made = Layers(columns, [[] for _ in range(count)], [[] for _ in range(count)], count)
    bends = sum(layer[b] - layer[a] - 1 for a, b in forward) <= MOST_BENDS
    for a, b in forward:
        before = a
        for column in range(layer[a] + 1, layer[b]) if bends else ():
            bend = len(made.left)
            made.left.append([before])
            made.right.append([])
            made.right[before].append(bend)
            columns[column].append(bend)
            made.routes.setdefault((a, b), []).append(bend)
            before = bend
        made.right[before].append(b)
        made.left[b].append(before)
    return made


def _order(layers: Layers) -> None:
    """Have each item in the middle of its neighbours; of all orders tried, the one with the fewest crossings stays."""
    best, fewest = [list(column) for column in layers.columns], _crossings(layers)
    for sweep in range(SWEEPS):
        to_right = sweep % 2 == 0
        columns = layers.columns if to_right else layers.columns[::-1]
        neighbours = layers.left if to_right else layers.right
        position = {item: place for items in layers.columns for place, item in enumerate(items)}
        for items in columns[1:]:
            middle = {item: _mean([position[other] for other in neighbours[item]], position[item]) for item in items}
            items.sort(key=lambda item: (middle[item], position[item]))
            position.update({item: place for place, item in enumerate(items)})
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(column) for column in layers.columns], crossings
        if not fewest:
            break
    layers.columns = best


def _crossings(layers: Layers) -> int:
    """How many pairs of edges between two layers next to each other cross, counted with a tree of sums."""
    total = 0
    position = {item: place for items in layers.columns for place, item in enumerate(items)}
    for items, following in pairwise(layers.columns):
        inside = set(following)
        tree, seen = [0] * (len(following) + 1), 0
        for item in items:
            ends = sorted(position[other] for other in layers.right[item] if other in inside)
            for end in ends:
                total += seen - _sum(tree, end + 1)
            for end in ends:
                seen += 1
                place = end + 1
                while place < len(tree):
                    tree[place] += 1
                    place += place & -place
    return total


def _sum(tree: Sequence[int], place: int) -> int:
    found = 0
    while place > 0:
        found += tree[place]
        place -= place & -place
    return found


def _rows(layers: Layers) -> list[float]:
    """Rows: those of a layer keep their order and their distance, and are near their neighbours."""
    rows = [0.0] * len(layers.left)
    tallest = max((_height(layers, items) for items in layers.columns), default=0.0)
    for items in layers.columns:
        start = (tallest - _height(layers, items)) / 2
        for place, item in enumerate(items):
            start += layers.room(items[place - 1], item) if place else 0.0
            rows[item] = start
    for shift in range(SHIFTS):
        for items in layers.columns if shift % 2 == 0 else layers.columns[::-1]:
            wanted = [_mean([rows[o] for o in (*layers.left[item], *layers.right[item])], rows[item]) for item in items]
            for item, row in zip(items, _apart(layers, items, wanted), strict=True):
                rows[item] = row
    return rows


def _height(layers: Layers, items: Sequence[int]) -> float:
    return sum(layers.room(above, below) for above, below in pairwise(items))


def _apart(layers: Layers, items: Sequence[int], wanted: Sequence[float]) -> list[float]:
    """Rows nearest to those wanted with room between them: items that get in each other's way move as one block."""
    offset, offsets = 0.0, []
    for place, item in enumerate(items):
        offset += layers.room(items[place - 1], item) if place else 0.0
        offsets.append(offset)
    blocks: list[tuple[float, int]] = []  # sum of what is wanted without the room, and how many
    for want, room in zip(wanted, offsets, strict=True):
        total, size = want - room, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / size:
            above = blocks.pop()
            total, size = total + above[0], size + above[1]
        blocks.append((total, size))
    starts = [total / size for total, size in blocks for _ in range(size)]
    return [start + room for start, room in zip(starts, offsets, strict=True)]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
