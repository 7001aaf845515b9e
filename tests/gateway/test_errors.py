"""The tree of what the gateway refuses or fails with."""

from __future__ import annotations

import pytest

from gateway import errors
from gateway.errors import GatewayError

TWICE = {"not_found", "missing_scope"}
"""Codes that several classes share, so that the answers cannot be told apart."""


def below(root: type[GatewayError]) -> list[type[GatewayError]]:
    """Return every class below `root` that the packages of ours define."""
    ours = [one for one in root.__subclasses__() if one.__module__.startswith("gateway.")]
    return [one for child in ours for one in (child, *below(child))]


ALL = below(GatewayError)
UNCODED = {
    errors.RefusedByHub,
    errors.KeptRefusal,
    errors.Unresolvable,
    *(one for one in ALL if one.__base__ is GatewayError),
}
"""Branches are never raised themselves; some classes have the code of another's answer."""


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_is_drawn_and_handed_on(kind: type[GatewayError]) -> None:
    """A class stands in the drawing with its status and code, and among the names of the module."""
    drawn = [said for name, said in _rows() if name == kind.__name__]

    assert len(drawn) == 1
    assert kind.__name__ in errors.__all__
    if kind not in UNCODED:
        assert f"{kind.status} {kind.code}" in drawn[0]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_code_is_of_one_class(kind: type[GatewayError]) -> None:
    """Codes are distinct but for those that hide which of several reasons it was."""
    assert kind.code in TWICE or [other.code for other in ALL].count(kind.code) == 1
    assert 400 <= kind.status < 600


def test_nothing_is_drawn_that_is_not_there() -> None:
    """Every name of the drawing is a class below the root."""
    names = {name for name, _ in _rows()} - {"SchakelError", "GatewayError"}

    assert names == {one.__name__ for one in ALL}


def _rows() -> list[tuple[str, str]]:
    """Return each name of the drawing and what is said beside it."""
    lines = (errors.__doc__ or "").splitlines()
    rows = [one.strip(" │├└─") for one in lines if one.startswith("    ")]
    return [(one.partition(" ")[0], one.partition(" ")[2]) for one in rows]
