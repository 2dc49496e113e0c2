"""What each column adds to what a booster answers: path-dependent Shapley values of its trees.

The values that LightGBM gives with ``pred_contrib`` (Lundberg, Erion, Lee 2018, arXiv:1802.03888),
several times faster, since what-ifs explain a fortnight of every zone while somebody waits. A leaf
counts for its value, times the share of the training questions that a column would have let through
where the column is not known. Of the columns on its way, those that the question satisfies multiply
to the polynomial of (share + x); one column's part is that polynomial without it, its coefficients
weighted as Shapley says; and columns that the question fails all have one part in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from forecast.features.kernels import compiled

Array = npt.NDArray[Any]

_KEPT = 10
"""Columns of a leaf up to which the parts of every combination are kept: 1,024 of them."""
_MISSING = {"None": 0, "Zero": 1, "NaN": 2}


@dataclass(frozen=True)
class Shapley:
    """The trees of one booster, flat: nodes, and for each leaf the columns on its way.

    A node has a column, a threshold, a kind of missing value, the side on which a missing value
    goes, and for a categorical one the categories that go left. A leaf has a value and ways: a
    node, the side to take there, and the leaf's column it belongs to. A leaf's column has a column
    of the table and a share.
    """

    columns: int
    mean: float
    nodes: tuple[Array, ...]
    leaves: tuple[Array, ...]

    @classmethod
    def of(cls, booster: lgb.Booster) -> Self:
        """Read the trees of a booster."""
        told = booster.dump_model()
        trees = _Trees()
        for tree in told["tree_info"]:
            trees.add(tree["tree_structure"])
        return cls(booster.num_feature(), trees.mean, *trees.arrays())

    def values(self, table: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Shapley values, shape (columns + 1, questions), of a table (columns, questions).

        The last line is what the booster answers on average; the column sums are its answers.
        """
        found = np.zeros((self.columns + 1, table.shape[1]))
        found[-1] = self.mean
        if len(self.leaves):
            _explain(table, self.nodes, self.leaves, found)
        return found


class _Trees:
    """Trees being written flat."""

    def __init__(self) -> None:
        self.mean = 0.0
        self._nodes: list[tuple[int, float, int, bool, int, int]] = []
        self._categories: list[int] = []
        self._leaves: list[tuple[float, int, int]] = []
        self._ways: list[tuple[int, bool, int]] = []
        self._columns: list[tuple[int, float]] = []

    def add(self, root: dict[str, Any]) -> None:
        """One tree."""
        if "split_feature" not in root:
            self.mean += root["leaf_value"]
        else:
            self._walk(root, root["internal_count"], [])

    def _walk(
        self, node: dict[str, Any], questions: int, way: list[tuple[int, bool, float]]
    ) -> None:
        if "split_feature" not in node:
            self.mean += node["leaf_value"] * node["leaf_count"] / questions
            self._leaf(node["leaf_value"], way)
            return
        place, categories = len(self._nodes), []
        if node["decision_type"] == "==":
            categories = [int(name) for name in node["threshold"].split("||")]
        first = len(self._categories)
        self._categories += categories
        self._nodes.append(
            (
                node["split_feature"],
                0.0 if categories else node["threshold"],
                _MISSING[node["missing_type"]],
                node["default_left"],
                first,
                len(self._categories),
            )
        )
        for side in ("left", "right"):
            child = node[f"{side}_child"]
            count = child.get("internal_count", child.get("leaf_count"))
            step = (place, side == "left", count / node["internal_count"])
            self._walk(child, questions, [*way, step])

    def _leaf(self, value: float, way: list[tuple[int, bool, float]]) -> None:
        slots: dict[int, int] = {}
        shares: list[float] = []
        for place, left, share in way:
            slot = slots.setdefault(self._nodes[place][0], len(slots))
            if slot == len(shares):
                shares.append(1.0)
            shares[slot] *= share
            self._ways.append((place, left, slot))
        self._columns += zip(slots, shares, strict=True)
        self._leaves.append((value, len(self._ways), len(self._columns)))

    def arrays(self) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """Nodes and leaves, as :func:`_explain` takes them."""
        if not self._leaves:
            return (), ()
        column, threshold, missing, left, first, last = zip(*self._nodes, strict=True)
        value, ways, columns = zip(*self._leaves, strict=True)
        place, side, slot = zip(*self._ways, strict=True)
        which, share = zip(*self._columns, strict=True)
        nodes = (
            np.array(column),
            np.array(threshold, dtype=np.float64),
            np.array(missing),
            np.array(left),
            np.array(first),
            np.array(last),
            np.array(self._categories, dtype=np.int64),
        )
        leaves = (
            np.array(value, dtype=np.float64),
            np.array([0, *ways]),
            np.array([0, *columns]),
            np.array(place),
            np.array(side),
            np.array(slot),
            np.array(which),
            np.array(share, dtype=np.float64),
        )
        return nodes, leaves


@compiled
def _goes_left(
    line: Array, threshold: float, missing: int, default: bool, categories: Array, out: Array
) -> None:
    """Which questions a node sends left, by their value of its column."""
    for row in range(len(line)):
        value = line[row]
        if len(categories):
            out[row] = False
            if value >= 0:
                for category in categories:
                    out[row] |= category == int(value)
        elif (np.isnan(value) and missing == 2) or (missing == 1 and not abs(value) > 1e-35):
            out[row] = default
        else:
            out[row] = (0.0 if np.isnan(value) else value) <= threshold


@compiled
def _parts(met: int, value: float, share: Array, weight: Array, product: Array, out: Array) -> None:
    """Part of each column of a leaf; bit ``j`` of ``met``: the question satisfies column ``j``."""
    n, degree = len(share), 0
    product[0] = 1.0
    for j in range(n):
        if met >> j & 1:
            product[degree + 1] = product[degree]
            for k in range(degree, 0, -1):
                product[k] = product[k - 1] + share[j] * product[k]
            product[0] *= share[j]
            degree += 1
        else:
            value *= share[j]
    common = 0.0
    for k in range(min(degree + 1, n)):
        common += weight[k] * product[k]
    for j in range(n):
        if met >> j & 1:
            part, q = 0.0, 0.0
            for k in range(degree, 0, -1):
                q = product[k] - share[j] * q
                part += weight[k - 1] * q
            out[j] = value * (1 - share[j]) * part
        else:
            out[j] = -value * common


@compiled
def _weights(most: int) -> Array:
    """k! (n - k - 1)! / n! at row n and column k, shape (most + 1, most + 1)."""
    weight = np.zeros((most + 1, most + 1))
    for n in range(1, most + 1):
        weight[n, 0] = 1.0 / n
        for k in range(1, n):
            weight[n, k] = weight[n, k - 1] * k / (n - k)
    return weight


@compiled
def _met(
    n: int, ways: Array, place: Array, side: Array, slot: Array, left: Array, out: Array
) -> None:
    """Which of ``n`` columns of a leaf each question satisfies, as bits."""
    out[:] = (1 << n) - 1
    for way in ways:
        line, wanted, without = left[place[way]], side[way], ~(1 << slot[way])
        for row in range(len(out)):
            if line[row] != wanted:
                out[row] &= without


@compiled
def _explain(table: Array, nodes: Any, leaves: Any, out: Array) -> None:
    """Add the values of every tree to ``out``, shape (columns, questions)."""
    column, threshold, missing, default, first, last, categories = nodes
    left = np.zeros((len(column), table.shape[1]), dtype=np.bool_)
    for i in range(len(column)):
        names = categories[first[i] : last[i]]
        _goes_left(table[column[i]], threshold[i], missing[i], default[i], names, left[i])
    value, ways, columns, place, side, slot, which, share = leaves
    most = np.diff(columns).max()
    weight, product = _weights(most), np.zeros(most + 1)
    # Questions that meet the same columns of a leaf have the same parts there: worked out once,
    # unless there are too many combinations to keep.
    kept, known = np.zeros((most, 1 << _KEPT)), np.zeros(1 << _KEPT, dtype=np.int64)
    met = np.zeros(table.shape[1], dtype=np.int64)
    for leaf in range(len(value)):
        low, high = columns[leaf], columns[leaf + 1]
        way = np.arange(ways[leaf], ways[leaf + 1])
        _met(high - low, way, place, side, slot, left, met)
        for row in range(len(met)):
            key = met[row] if high - low <= _KEPT else 0
            if key == 0 or known[key] != leaf + 1:
                shares, weights = share[low:high], weight[high - low]
                _parts(met[row], value[leaf], shares, weights, product, kept[:, key])
                known[key] = leaf + 1
            for j in range(high - low):
                out[which[low + j], row] += kept[j, key]
