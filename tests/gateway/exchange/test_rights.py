"""Which acquired right counts on which day, and what it lifts (R10)."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from gateway.exchange import rights
from gateway.exchange.draft import Draft, open_draft
from gateway.exchange.state import Right
from gateway.exchange.subject_state import HeldRight, Subject
from schemas.programmes import shipped_rules
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from gateway.exchange.registry import Registry
    from schemas.rule_set import RuleSet

EVE, DAY_ITSELF = date(2026, 6, 26), date(2026, 6, 27)
PROGRAMME = "wijk_werken"


def right(state: str, **fields: Any) -> Right:
    """A right in one state."""
    return replace(Right(cast.RIGHT, state, 1, cast.RELATED["W"]), **fields)


def rules(**values: Any) -> RuleSet:
    """The rules of wijk-werken, with other values."""
    return changed(shipped_rules().rule_set(PROGRAMME, cast.TODAY), **values)


@pytest.mark.parametrize(
    ("state", "fields", "found"),
    [
        ("active", {}, "verified"),
        ("dormant", {"lapses_on": "2026-05-01"}, "verified"),
        ("refused", {"verified": False}, "none"),
        ("claimed", {}, "none"),
        ("lapsed", {}, "none"),
        ("closed", {}, "none"),
    ],
)
def test_a_right_counts_by_its_state(state: str, fields: dict[str, Any], found: str) -> None:
    """Verified and not over; a dormant one still counts, until VDAB decides."""
    assert rights.standing([right(state, **fields)], rules(), EVE) == found


def test_a_lapse_counts_from_the_day_it_takes_effect() -> None:
    """On the eve the right still stands."""
    lapsed = right("lapsed", verified=True, ends_on="2026-06-27")

    assert rights.standing([lapsed], rules(), EVE) == "verified"
    assert rights.standing([lapsed], rules(), DAY_ITSELF) == "none"


def test_a_claimed_right_counts_while_the_rules_say_so() -> None:
    """Up to and including the last day."""
    until = rules(claimed_counts_until=EVE)

    assert rights.standing([right("claimed")], until, EVE) == "claimed"
    assert rights.standing([right("claimed")], until, DAY_ITSELF) == "none"
    refused = right("refused", ends_on="2026-06-01")
    assert rights.standing([refused], until, EVE) == "none"


def test_the_strongest_of_several_rights_counts() -> None:
    """A claimed right beside a verified one changes nothing."""
    both = [right("claimed"), right("active")]

    assert rights.standing(both, rules(claimed_counts_until=EVE), EVE) == "verified"
    assert rights.standing([], rules(), EVE) == "none"


def test_a_programme_that_knows_no_acquired_right_knows_none() -> None:
    """Whatever VDAB verified."""
    other = shipped_rules().rule_set("gemeenschapsdienst", cast.TODAY)

    assert rights.standing([right("active")], other, EVE) == "none"


def drafted(right_: Right | None, known: Registry | None = None) -> Draft:
    """A decision on a case with at most one right."""
    found = {} if right_ is None else {cast.RIGHT: right_}
    context = cast.context(cast.case(rights=found), known=known)
    given = cast.submission("placement.extended", cast.RELATED["W"], {})
    return open_draft(given, context, cast.registry().participants[cast.RELATED["W"]])


def test_a_right_lifts_duration_and_year_cap() -> None:
    """Both are values of the rules, and nobody without a right gets them."""
    assert rights.is_unlimited(drafted(right("active")), PROGRAMME)
    assert rights.lifts_year_cap(drafted(right("active")), PROGRAMME)
    assert not rights.is_unlimited(drafted(None), PROGRAMME)
    assert not rights.lifts_year_cap(drafted(None), PROGRAMME)


def test_what_began_before_a_lapse_goes_on() -> None:
    """The ordinary limits come back for new placements only."""
    lapsed = right("lapsed", verified=True, ends_on="2026-05-01")

    assert rights.is_unlimited(drafted(lapsed), PROGRAMME, "2026-04-30")
    assert not rights.is_unlimited(drafted(lapsed), PROGRAMME, "2026-05-01")
    assert not rights.is_unlimited(drafted(lapsed), PROGRAMME)


def test_a_claimed_right_that_counts_warns_once() -> None:
    """The sender hears that VDAB still has to verify it."""
    known = cast.ruled(PROGRAMME, claimed_counts_until=date(2026, 12, 31))
    draft = drafted(right("claimed"), known)

    assert rights.is_unlimited(draft, PROGRAMME)
    assert rights.lifts_year_cap(draft, PROGRAMME)
    assert [one.code for one in draft.warnings] == ["claimed_right_counts"]


def test_an_unset_last_day_for_claims_is_said() -> None:
    """Nobody has settled until when a claim counts: it does not, and the decision says so."""
    draft = drafted(right("claimed"))

    assert not rights.is_unlimited(draft, PROGRAMME)
    assert list(draft.needed) == ["wijk_werken.claimed_counts_until"]


def test_a_right_on_another_case_of_the_person_counts() -> None:
    """Also one of a person that was confirmed to be the same."""
    held = {cast.RIGHT: HeldRight(cast.FRESH, right("active"))}
    known, linked = drafted(None), drafted(None)
    known.subject = Subject("subject-1", 0, rights=held)
    linked.context = replace(linked.context, linked=(Subject("subject-2", 0, rights=held),))

    assert rights.is_unlimited(known, PROGRAMME)
    assert rights.is_unlimited(linked, PROGRAMME)
