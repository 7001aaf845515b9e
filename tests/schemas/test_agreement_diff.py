"""How two agreements differ is said per list, so that nothing that widens is overlooked."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from schemas.agreement import parse_agreement
from schemas.agreement_diff import described, differences
from tests.agreement_parties import ORGANISER, VDAB, draft

if TYPE_CHECKING:
    from collections.abc import Callable


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The draft with a change."""
    document = copy.deepcopy(draft())
    change(document)
    return document


def found(older: dict[str, Any], newer: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Place, kind and English sentence of each difference."""
    return [
        (one.place, one.kind, one.said.en)
        for one in differences(parse_agreement(older), parse_agreement(newer))
    ]


def test_the_same_content_does_not_differ() -> None:
    """Another id alone is no difference."""
    assert found(draft(), draft("another-id")) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: d["parties"].append(VDAB), [("parties", "added", f"added: party {VDAB}")]),
        (
            lambda d: d["validity"].pop("to"),
            [("validity.to", "changed", "validity.to was 2028-12-31 and becomes not said")],
        ),
        (
            lambda d: d["legal"].update(ref="ander"),
            [("legal.ref", "changed", "legal.ref was voorbeeld-protocol and becomes ander")],
        ),
        (
            lambda d: d["grants"][0].update(territory_nis=["24107", "24062"]),
            [("grants[0].territory_nis", "added", "added: municipality 24062")],
        ),
        (
            lambda d: d["grants"][0].update(territory_nis="all"),
            [
                (
                    "grants[0].territory_nis",
                    "changed",
                    "grants[0].territory_nis was 24107 and becomes all",
                )
            ],
        ),
        (
            lambda d: d["grants"][0].update(events=["placement.*"], doors=["feed", "kafka"]),
            [
                ("grants[0].events", "added", "added: event placement.*"),
                ("grants[0].events", "removed", "removed: event referral.*"),
                ("grants[0].doors", "added", "added: door kafka"),
            ],
        ),
        (
            lambda d: d["grants"][0].update(onward=True, max_age_days=30),
            [
                (
                    "grants[0].max_age_days",
                    "changed",
                    "grants[0].max_age_days was not said and becomes 30",
                ),
                ("grants[0].onward", "changed", "grants[0].onward was false and becomes true"),
            ],
        ),
    ],
)
def test_a_change_is_said(
    change: Callable[[dict[str, Any]], object], expected: list[tuple[str, str, str]]
) -> None:
    """One sentence a difference, with where it stands."""
    assert found(draft(), changed(change)) == expected


def test_a_grant_comes_and_goes_whole() -> None:
    """A grant to another reader is a grant more, not a change of the first one."""
    back = {**draft()["grants"][0], "from": ORGANISER, "to_role": "welfare_centre"}
    wider = changed(lambda d: d["grants"].append(back))
    sentence = (
        f"grant from {ORGANISER} to public welfare centre for activation_referral: referral.*; "
        "fields core, identify; municipalities 24107; doors feed"
    )

    assert [one.en for one in described(parse_agreement(wider))][1] == sentence
    assert found(draft(), wider) == [("grants[1]", "added", f"added: {sentence}")]
    assert found(wider, draft()) == [("grants[1]", "removed", f"removed: {sentence}")]
