"""Reading a participant's exchange records page by page, as lines of the file that proves them.

Without I/O of its own: whoever has a way to call the hub hands it in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from schemas.merkle import hash_from
from schemas.record_file import Growth, Opening, record_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.tree_head import Account

PAGE: Final = 500


class Get(Protocol):
    """Reads the JSON object at a path of the hub; raises what the caller's own calls raise."""

    def __call__(self, path: str, **parameters: str | int) -> dict[str, Any]:
        """One call; blocks."""
        ...


def pages(
    get: Get, *, older: Account | None = None, participant: str | None = None, salts: bool = False
) -> Iterator[dict[str, Any]]:
    """Every page under one head, the first to the last.

    Args:
        get: calls the hub.
        older: the account that the records carry on from.
        participant: whose, for an auditor; the caller's own when None.
        salts: whether each record comes with its salt.
    """
    query: dict[str, str | int] = {"limit": PAGE, "salts": str(salts).lower()}
    if participant is not None:
        query["participant"] = participant
    first: dict[str, str | int] = {} if older is None else {"from": older.count + 1}
    page = get("/v1/records", **query, **first)
    yield page
    while page["next"] is not None:
        page = get("/v1/records", **query, after=page["next"])
        yield page


def opening_lines(get: Get, page: dict[str, Any], older: Account | None) -> Iterator[bytes]:
    """The lines that open the file of which this is the first page."""
    yield Opening(page["account"], page["head"]).line()
    if older is None:
        return
    sizes: dict[str, str | int] = {"from": older.tree_size, "to": page["tree_size"]}
    found = get("/v1/records/consistency", **sizes)
    path = tuple(hash_from(one) for one in found["path"])
    yield Growth(older.tree_size, older.root_hash, path).line()


def record_lines(page: dict[str, Any]) -> Iterator[bytes]:
    """The lines of a page's records."""
    for one in page["records"]:
        yield record_from(one["record"]).line()
