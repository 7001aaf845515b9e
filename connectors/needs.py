"""Which cells of a row have to be filled in, beside what the event's schema asks.

needs: [voornaam, [telefoon, e-mail]]       # of an inner list one is enough
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.errors import RowRefused
from connectors.expressions import fault, folded
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.errors import InvalidParam

Needs = tuple[tuple[str, ...], ...]


def parse_needs(where: str, found: Any, faults: list[InvalidParam]) -> Needs:
    """Read `needs`; columns are folded, and a fault is added when it is no list of columns."""
    listed = found if isinstance(found, list) else []
    if found is not None and not isinstance(found, list):
        faults.append(fault(where, "needs", "is geen lijst", "is no list"))
    return tuple(
        tuple(folded(str(column)) for column in (entry if isinstance(entry, list) else [entry]))
        for entry in listed
    )


def check_needs(needs: Needs, row: Mapping[str, Any]) -> None:
    """Refuse a row in which a needed cell is empty.

    Raises:
        RowRefused: `missing`, naming the column, or those of which one is enough.
    """
    for columns in needs:
        if any(str(row.get(column) or "").strip() for column in columns):
            continue
        nl = " of ".join(f"'{column}'" for column in columns)
        en = " or ".join(f"'{column}'" for column in columns)
        raise RowRefused(
            "missing",
            Message(nl=f"Vul kolom {nl} in.", en=f"Fill in column {en}."),
            column=columns[0],
        )
