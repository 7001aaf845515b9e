"""What one reader gets of one event's data: its grant's field sets within each field's audience.

Delivered = granted by the agreement ∩ audience (`domain.md` §3.3); an agreement can narrow, never
widen. A projection depends on the schema alone, never on the values: `withheld` is the same whether
or not there was something to withhold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.catalogue import EventType, Field

EVERYBODY: Final = "all"
CLEARED: Final = "cleared"
"""The leaf of a correction that names fields; it is cut down to those that the reader gets."""

_CACHED_PROJECTIONS: Final = 8192


@dataclass(frozen=True, slots=True)
class _Branch:
    """The delivered part of a record, or of each record in an array; None marks a leaf."""

    children: dict[str, _Branch | None]
    is_array: bool = False


@dataclass(frozen=True, slots=True)
class Projection:
    """The delivered part of one event type for one kind of reader.

    Attributes:
        withheld: paths of the leaves that are removed, in the schema's order.
        delivered: paths of the leaves that are kept.
    """

    withheld: tuple[str, ...]
    delivered: frozenset[str]
    _root: _Branch = field(repr=False)

    def apply(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the delivered part of plain JSON data; the input is left as it is.

        A record of which nothing is left is absent. An array keeps its length, so that a later
        event can name an item by its place. Values of leaves are shared with the input.
        """
        kept = _cut(data, self._root)
        cleared = kept.pop(CLEARED, None)
        if isinstance(cleared, list) and (shown := [path for path in cleared if self._shows(path)]):
            kept[CLEARED] = shown
        return kept

    def _shows(self, path: Any) -> bool:
        plain = str(path)
        return any(
            leaf == plain or leaf.startswith((f"{plain}.", f"{plain}[]")) for leaf in self.delivered
        )


@lru_cache(maxsize=_CACHED_PROJECTIONS)
def projection(
    event: EventType,
    *,
    role: str,
    relations: frozenset[str],
    fieldsets: frozenset[str],
    has_art9_ground: bool = True,
    only: frozenset[str] | None = None,
) -> Projection:
    """Return what a reader gets of an event type.

    Args:
        event: the event type, from the catalogue.
        role: the reader's role letter.
        relations: the reader's relations in this trajectory or to this offer.
        fieldsets: what the applicable grant gives.
        has_art9_ground: whether the agreement names its ground of article 9(2) GDPR; without one
            every field that may reveal health is withheld.
        only: the top-level fields that may be kept at all; None for every field.
    """
    withheld: list[str] = []
    delivered: list[str] = []
    for leaf in event.fields:
        lawful = has_art9_ground or not leaf.art9_inferable
        admitted = lawful and leaf.fieldset in fieldsets and admits(leaf, role, relations)
        admitted = admitted and (only is None or top_of(leaf.path) in only)
        (delivered if admitted else withheld).append(leaf.path)
    return Projection(
        withheld=tuple(withheld), delivered=frozenset(delivered), _root=_tree(delivered)
    )


def admits(leaf: Field, role: str, relations: frozenset[str]) -> bool:
    """Tell whether a leaf's audience holds a reader; an empty audience holds nobody."""
    audience = leaf.audience
    if EVERYBODY in audience or role in audience or not audience.isdisjoint(relations):
        return True
    return any(f"{relation}:{role}" in audience for relation in relations)


def top_of(path: str) -> str:
    """The top-level field that a leaf stands in."""
    return path.partition(".")[0].removesuffix("[]")


def _tree(paths: list[str]) -> _Branch:
    root = _Branch({})
    for path in paths:
        branch = root
        *parents, leaf = path.removesuffix("[]").split(".")
        for parent in parents:
            name = parent.removesuffix("[]")
            below = branch.children.get(name)
            if below is None:
                below = _Branch({}, is_array=parent.endswith("[]"))
                branch.children[name] = below
            branch = below
        branch.children[leaf] = None
    return root


def _cut(data: Mapping[str, Any], branch: _Branch) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in data.items():
        if name not in branch.children or value is None:
            continue
        below = branch.children[name]
        if below is None:
            kept[name] = value
        elif below.is_array:
            if isinstance(value, list):
                kept[name] = [_cut(item, below) if isinstance(item, dict) else {} for item in value]
        elif isinstance(value, dict) and (record := _cut(value, below)):
            kept[name] = record
    return kept
