"""Problems that many enterprises have at once: letters put together by what they are about.

Each text is a unit vector of its weightiest pairs of characters, a pair weighing the more the fewer texts of
the window hold it. Groups begin around the texts with the densest neighbourhood and around the weightiest
words, then settle: a text belongs where it is like the whole group, itself left out, so that no chain of
neighbours joins what is not alike. The result depends on the texts alone, not on their order. Texts that
share nothing are never compared, and memory grows with the number of texts. Pure computation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.appeals.likeness import Pairs, Rarity

LINK = 0.14
"""Likeness (cosine) of two texts that makes them neighbours."""

JOIN = 0.21
"""Likeness of a text to the rest of its group that keeps it there."""

MERGE = 0.26
"""Likeness of two groups that makes them one."""

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

_PAIRS_OF_TEXT = 80  # weightiest pairs by which a text is compared
_ALONE = 0.25  # part of what a text alone holds that makes it less like all others
_HEAD = 30  # of them, by which its neighbours are found
_HELD = 1_000  # texts; a pair that more of them hold finds no neighbours
_PAIRS_OF_GROUP = 300
_NEIGHBOURS = 200  # of a text that are remembered; a larger group comes together when groups merge
_ROUNDS = 4
_SEEDS = 400  # words that may begin a group
_SEED_WEIGHT = 0.1  # least weight of such a word in a text
_LEAST = 3  # texts of a group that begins with a word
_BESIDE = 0.1  # least likeness to a group beside the one pair that is shared most
_NOTHING = 1e-6
_AT_ONCE = 500_000  # products that are held at once
_DAMPED = 0.15  # weight of a place's or an enterprise's name beside other words


@dataclass(frozen=True)
class _Rows:
    """Sparse vectors: those of row ``i`` stand from ``start[i]`` to ``start[i + 1]``, by column."""

    start: Places
    columns: Places
    values: Floats
    width: int

    @property
    def count(self) -> int:
        return len(self.start) - 1

    def owners(self) -> Places:
        return np.repeat(np.arange(self.count), np.diff(self.start))


def group(
    texts: Sequence[Pairs],
    *,
    damped: NDArray[np.int64] | None = None,
    link: float = LINK,
    join: float = JOIN,
    merge: float = MERGE,
) -> list[tuple[int, ...]]:
    """Puts texts together that are about the same.

    Args:
        texts: Their pairs of characters.
        damped: Pairs of names, which say where and who rather than what; ascending.
        link: See `LINK`.
        join: See `JOIN`.
        merge: See `MERGE`.

    Returns:
        Positions of the texts of each group of two and more, ascending; the largest group first. A text that
        is like no others is in none.
    """
    copies: dict[tuple[bytes, bytes], list[int]] = {}
    for place, text in enumerate(texts):
        if len(text.codes):
            copies.setdefault((text.codes.tobytes(), text.weights.tobytes()), []).append(place)
    ordered = [copies[content] for content in sorted(copies)]
    rarity = Rarity.of(texts)
    rows = _vectors([texts[places[0]] for places in ordered], rarity, damped)
    labels = _settled(rows, _begun(rows, link), join, merge) if ordered else np.zeros(0, np.int64)
    members: dict[int, list[int]] = {}
    for alone, (label, places) in enumerate(zip(labels.tolist(), ordered, strict=True), start=1):
        members.setdefault(label if label >= 0 else -alone, []).extend(places)
    groups = [tuple(sorted(found)) for found in members.values() if len(found) > 1]
    return sorted(groups, key=lambda found: (-len(found), found))


def _vectors(texts: Sequence[Pairs], rarity: Rarity, damped: NDArray[np.int64] | None) -> _Rows:
    """Unit vectors of the weightiest pairs; what one text alone holds joins nothing."""
    sizes = np.array([len(text.codes) for text in texts], np.int64)
    codes = np.concatenate([np.zeros(0, np.int64), *(text.codes for text in texts)])
    weights = np.concatenate([np.zeros(0), *(text.weights for text in texts)])
    known, columns, spread = np.unique(codes, return_inverse=True, return_counts=True)
    rare = rarity.weights(known)
    if damped is not None and len(damped):
        rare = np.where(np.isin(known, damped), rare * _DAMPED, rare)
    owners = np.repeat(np.arange(len(texts)), sizes)
    values = weights * rare[columns]
    shared = spread[columns] > 1
    alone = np.bincount(owners, np.where(shared, 0.0, values**2), len(texts)) * _ALONE
    rows = _heaviest(owners, columns, np.where(shared, values, 0.0), len(texts), len(known), _PAIRS_OF_TEXT)
    return _unit(rows, alone)


def _heaviest(
    owners: Places, columns: Places, values: NDArray[np.float64], count: int, width: int, most: int
) -> _Rows:
    """The ``most`` greatest values of each row; of equal ones those of the lower columns."""
    told = values > 0
    owners, columns, values = owners[told], columns[told], values[told]
    order = np.lexsort((-values, owners))  # stable: the columns come in rising order
    owners, columns, values = owners[order], columns[order], values[order]
    begins = np.searchsorted(owners, np.arange(count))
    kept = np.arange(len(owners)) - begins[owners] < most
    owners, columns, values = owners[kept], columns[kept], values[kept]
    start = np.searchsorted(owners, np.arange(count + 1))
    return _Rows(start, columns, values.astype(np.float32), width)


def _heads(rows: _Rows) -> _Rows:
    """The first values of each row, without the columns that too many rows hold to find neighbours by."""
    owners = rows.owners()
    held = np.bincount(rows.columns, minlength=rows.width)
    kept = (np.arange(len(owners)) - rows.start[owners] < _HEAD) & (held[rows.columns] <= _HELD)
    start = np.concatenate([[0], np.cumsum(np.bincount(owners[kept], minlength=rows.count))])
    return _Rows(start, rows.columns[kept], rows.values[kept], rows.width)


def _unit(rows: _Rows, alone: NDArray[np.float64]) -> _Rows:
    """Rows of length 1, or less by what stands in no column."""
    owners = rows.owners()
    squares = np.bincount(owners, rows.values.astype(np.float64) ** 2, rows.count) + alone
    values = rows.values / np.sqrt(np.maximum(squares, _NOTHING))[owners]
    return _Rows(rows.start, rows.columns, values.astype(np.float32), rows.width)


def _products(rows: _Rows, others: _Rows, least: float) -> Iterator[tuple[Places, Places, Floats]]:
    """Yields row, other and product of all that reach ``least``, in the order of the rows."""
    order = np.argsort(others.columns, kind="stable")
    posted, weights = others.owners()[order], others.values[order]
    begins = np.searchsorted(others.columns[order], np.arange(rows.width + 1))
    lengths = np.diff(begins)[rows.columns]
    totals = np.concatenate([[0], np.cumsum(lengths)])[rows.start]
    first = 0
    while first < rows.count:
        width = max(1, others.count)
        last = int(np.searchsorted(totals, totals[first] + _AT_ONCE, "right")) - 1
        last = min(max(last, first + 1), first + max(1, _AT_ONCE // width), rows.count)
        part = slice(rows.start[first], rows.start[last])
        spans = lengths[part]
        ends = np.cumsum(spans)
        places = np.repeat(begins[rows.columns[part]] - (ends - spans), spans) + np.arange(spans.sum())
        owners = np.repeat(np.arange(last - first), np.diff(rows.start[first : last + 1]))
        cells = np.repeat(owners * width, spans) + posted[places]
        sums = np.bincount(
            cells, np.repeat(rows.values[part], spans) * weights[places], (last - first) * width
        )
        found = np.flatnonzero(sums >= least)
        yield found // width + first, found % width, sums[found].astype(np.float32)
        first = last


def _begun(rows: _Rows, link: float) -> Places:
    """First groups: the text with the densest neighbourhood takes its neighbours, and so on; then words."""
    neighbours: list[Places] = []
    density = np.zeros(rows.count)
    for owners, others, likes in _products(_heads(rows), rows, link):
        told = owners != others
        owners, others, likes = owners[told], others[told], likes[told]
        density += np.bincount(owners, likes, rows.count)
        order = np.lexsort((others, -likes, owners))
        owners, others = owners[order], others[order]
        known = np.unique(owners)
        begins, ends = np.searchsorted(owners, known), np.searchsorted(owners, known, "right")
        neighbours += [np.zeros(0, np.int64)] * (int(known[0]) - len(neighbours)) if len(known) else []
        for owner, begin, end in zip(known.tolist(), begins.tolist(), ends.tolist(), strict=True):
            neighbours += [np.zeros(0, np.int64)] * (owner - len(neighbours))
            neighbours.append(others[begin : min(end, begin + _NEIGHBOURS)])
    neighbours += [np.zeros(0, np.int64)] * (rows.count - len(neighbours))
    labels = np.full(rows.count, -1)
    label = 0
    for place in np.lexsort((np.arange(rows.count), -density)).tolist():
        if labels[place] >= 0 or not len(neighbours[place]):
            continue
        near = neighbours[place][labels[neighbours[place]] < 0]
        if len(near):
            labels[place] = labels[near] = label
            label += 1
    return _by_words(rows, labels, label)


def _by_words(rows: _Rows, labels: Places, label: int) -> Places:
    """Lets the weightiest pairs of the texts that are left begin groups."""
    free = (labels < 0)[rows.owners()] & (rows.values >= _SEED_WEIGHT)
    columns, owners, values = rows.columns[free], rows.owners()[free], rows.values[free]
    mass = np.bincount(columns, values, rows.width)
    order = np.argsort(columns, kind="stable")
    columns, owners = columns[order], owners[order]
    for column in np.lexsort((np.arange(rows.width), -mass))[:_SEEDS].tolist():
        begin, end = np.searchsorted(columns, [column, column + 1])
        near = owners[begin:end]
        near = near[labels[near] < 0]
        if len(near) >= _LEAST:
            labels[near] = label
            label += 1
    return labels


def _settled(rows: _Rows, labels: Places, join: float, merge: float) -> Places:
    """Lets each text go where it is most like the rest, and like groups become one, until nothing changes."""
    for _ in range(_ROUNDS):
        labels = _merged(rows, labels, merge)
        best = _nearest(rows, labels, join)
        if np.array_equal(best, labels):
            return labels
        labels = best
    # the last move may have left somebody among strangers
    labels = _numbered(labels)[1]
    return np.where(_nearest(rows, labels, join) == labels, labels, -1)


def _nearest(rows: _Rows, labels: Places, join: float) -> Places:
    """The group whose members, itself left out, each text is most like; -1 where it is like none."""
    squares = np.bincount(rows.owners(), rows.values.astype(np.float64) ** 2, rows.count)
    centres, lengths = _centres(rows, labels)
    best = np.full(rows.count, -1)
    for owners, groups, likes in _products(rows, centres, join):
        # leaving a text out of its group's sum only makes it less like its group
        sums = likes * lengths[groups]
        own = squares[owners]
        rest = np.sqrt(np.maximum(lengths[groups] ** 2 - 2 * sums + own, _NOTHING))
        alike = np.where(labels[owners] == groups, (sums - own) / rest, likes)
        order = np.lexsort((groups, -alike, owners))
        owners, groups, alike = owners[order], groups[order], alike[order]
        told = np.diff(owners, prepend=-1).astype(bool) & (alike >= join)
        best[owners[told]] = groups[told]
    return np.where(_beside(rows, best, centres) >= _BESIDE, best, -1)


def _beside(rows: _Rows, labels: Places, centres: _Rows) -> NDArray[np.float64]:
    """How like its group each text is beside the one pair that they share most: 备案 alone is no matter."""
    owners = rows.owners()
    keys = centres.owners() * rows.width + centres.columns
    order = np.argsort(keys)
    keys, values = keys[order], centres.values[order]
    if not len(keys):
        return np.zeros(rows.count)
    wanted = labels[owners] * rows.width + rows.columns
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    same = (keys[places] == wanted) & (labels[owners] >= 0)
    shared = np.where(same, rows.values * values[places], 0.0)
    highest = np.zeros(rows.count)
    np.maximum.at(highest, owners, shared)
    return np.bincount(owners, shared, rows.count) - highest


def _centres(rows: _Rows, labels: Places) -> tuple[_Rows, NDArray[np.float64]]:
    """The groups' directions, by their weightiest pairs only, and the lengths of their vectors' sums."""
    count = int(labels.max(initial=-1)) + 1
    owners = labels[rows.owners()]
    told = owners >= 0
    cells, where = np.unique(owners[told] * rows.width + rows.columns[told], return_inverse=True)
    sums = np.bincount(where, rows.values[told], len(cells)).astype(np.float64)
    groups = cells // rows.width
    lengths = np.maximum(np.sqrt(np.bincount(groups, sums**2, count)), _NOTHING)
    return _heaviest(
        groups, cells % rows.width, sums / lengths[groups], count, rows.width, _PAIRS_OF_GROUP
    ), lengths


def _merged(rows: _Rows, labels: Places, merge: float) -> Places:
    """Makes groups one that are most like each other, two and two; numbers what is left from 0."""
    count, labels = _numbered(labels)
    centres = _centres(rows, labels)[0]
    pairs = [
        (-float(alike), int(one), int(other))
        for owners, others, likes in _products(centres, centres, merge)
        for one, other, alike in zip(owners, others, likes, strict=True)
        if one < other
    ]
    into = np.arange(count)
    taken: set[int] = set()
    for _, one, other in sorted(pairs):
        if one not in taken and other not in taken:
            taken |= {one, other}
            into[other] = one
    if taken:
        labels = _numbered(np.where(labels >= 0, into[labels], -1))[1]
    return labels


def _numbered(labels: Places) -> tuple[int, Places]:
    known = np.unique(labels[labels >= 0])
    return len(known), np.where(labels >= 0, np.searchsorted(known, labels), -1)
