"""Agreements: what a document may say, and which grant applies."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from types import FrameType
from typing import Any

import pytest

from schemas.agreement import Agreement, Grant, GrantIndex, document_hash, parse_agreement
from schemas.errors import InvalidAgreement

VDAB = "urn:be:kbo:0887010362"
OCMW = "urn:be:kbo:1999000150"
ORGANISER = "urn:be:kbo:1999000249"
PARTNER = "urn:be:vcode:V0001001"
DAY = date(2026, 4, 1)


def grant(**changes: Any) -> dict[str, Any]:
    """Return a grant as a document has it; a change to None leaves a key out."""
    values = {
        "from": OCMW,
        "to_role": "organiser",
        "events": ["referral.*"],
        "purpose": "activation_referral",
        "fieldsets": ["core", "identify"],
        "territory_nis": ["24062", "24107"],
        "max_age_days": 365,
        "doors": ["feed", "webhook", "kafka"],
        "onward": False,
        **changes,
    }
    return {key: value for key, value in values.items() if value is not None}


def document(*grants: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return an agreement document; a change to None leaves a key out."""
    values = {
        "agreement_id": "prot-2026-014",
        "parties": [OCMW, ORGANISER],
        "legal": {"instrument": "protocol_art8", "ref": "prot 14", "dpia": "dpia-7"},
        "validity": {"from": "2026-03-01", "to": "2028-02-29"},
        "grants": list(grants) or [grant()],
        **changes,
    }
    return {key: value for key, value in values.items() if value is not None}


def faults_of(value: Any) -> dict[str, str]:
    """Return the faults of a document: path and code."""
    with pytest.raises(InvalidAgreement) as caught:
        parse_agreement(value)
    return {param.name: param.code for param in caught.value.invalid}


def ask(index: GrantIndex, **changes: Any) -> Grant | None:
    """Ask an index for the grant from the OCMW to the organiser, with changes."""
    question: dict[str, Any] = {
        "from_org": OCMW,
        "to_org": ORGANISER,
        "to_role": "W",
        "event": "referral.created",
        "territory": "24107",
        "on": DAY,
        **changes,
    }
    found = index.applicable(**question)
    leg = index.failing_leg(**question)
    assert (found is None) == (leg is not None)
    return found


def test_a_document_becomes_values() -> None:
    """Defaults are false, the role is its letter, the hash goes with every grant."""
    found = parse_agreement(document())

    assert found.agreement_id == "prot-2026-014"
    assert found.parties == (OCMW, ORGANISER)
    assert (found.valid_from, found.valid_to) == (date(2026, 3, 1), date(2028, 2, 29))
    (only,) = found.grants
    assert only.to_role == "W"
    assert only.fieldsets == {"core", "identify"}
    assert only.territory == frozenset({"24062", "24107"})
    assert only.agreement_hash == found.document_hash == document_hash(document())
    assert (only.onward, only.secrecy_bound, only.max_age_days) == (False, False, 365)


def test_dates_as_yaml_reads_them_and_an_open_end() -> None:
    """Unquoted dates in a registry file are dates; an agreement may have no end."""
    written = document(validity={"from": date(2026, 3, 1)}, activated_at=date(2026, 3, 2))
    found = parse_agreement(written)

    assert found.valid_to is None
    assert found.activated_at == 1772409600000000
    assert found.document_hash == document_hash(document(validity={"from": "2026-03-01"}))


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (document(secret=True), ("secret", "unknown_key")),
        (document(agreement_id=None), ("agreement_id", "missing")),
        (document(agreement_id="a b"), ("agreement_id", "invalid_format")),
        (document(parties=[OCMW, ORGANISER, OCMW]), ("parties[2]", "duplicate")),
        (document(parties=[OCMW, ORGANISER, "x"]), ("parties[2]", "invalid_urn")),
        (document(parties=[OCMW, ORGANISER, 7]), ("parties[2]", "not_a_text")),
        (document(parties=[OCMW]), ("parties", "too_few")),
        (
            document(legal={"instrument": "handshake", "ref": "x"}),
            ("legal.instrument", "unknown_value"),
        ),
        (document(legal={"instrument": "protocol_art8"}), ("legal.ref", "missing")),
        (
            document(legal={"instrument": "protocol_art8", "ref": "x", "art9_ground": "because"}),
            ("legal.art9_ground", "unknown_value"),
        ),
        (
            document(legal={"instrument": "protocol_art8", "ref": "x", "publication": "ergens"}),
            ("legal.publication", "invalid_format"),
        ),
        (
            document(legal={"instrument": "protocol_art8", "ref": "x", "dpo_advice": "ja"}),
            ("legal.dpo_advice", "invalid_format"),
        ),
        (document(supersedes="prot-2026-014"), ("supersedes", "itself")),
        (document(supersedes="x y"), ("supersedes", "invalid_format")),
        (document(legal=[]), ("legal", "not_an_object")),
        (document(validity={"from": "1 maart"}), ("validity.from", "invalid_format")),
        (
            document(validity={"from": "2026-03-01", "to": "2026-02-28"}),
            ("validity.to", "before_start"),
        ),
        (
            document(validity={"from": "2026-03-01", "until": "x"}),
            ("validity.until", "unknown_key"),
        ),
        (document(activated_at="gisteren"), ("activated_at", "invalid_format")),
        (document(grants=[]), ("grants", "not_a_list")),
        (document("x"), ("grants[0]", "not_an_object")),  # type: ignore[arg-type]  # a wrong shape
        (document(grant(hours="9-17")), ("grants[0].hours", "unknown_key")),
        (document(grant(**{"from": VDAB})), ("grants[0].from", "not_a_party")),
        (document(grant(to=VDAB)), ("grants[0].to", "not_a_party")),
        (document(grant(to_role="hub_admin")), ("grants[0].to_role", "unknown_value")),
        (document(grant(events=["*"])), ("grants[0].events[0]", "unknown_value")),
        (document(grant(events=["referral.crated"])), ("grants[0].events[0]", "unknown_value")),
        (document(grant(events=["refer*"])), ("grants[0].events[0]", "unknown_value")),
        (document(grant(events="referral.*")), ("grants[0].events", "not_a_list")),
        (document(grant(purpose="curiosity")), ("grants[0].purpose", "unknown_value")),
        (document(grant(fieldsets=["core", "all"])), ("grants[0].fieldsets[1]", "unknown_value")),
        (document(grant(fieldsets=["core", "core"])), ("grants[0].fieldsets[1]", "duplicate")),
        (document(grant(territory_nis=[24107])), ("grants[0].territory_nis[0]", "unknown_value")),
        (document(grant(territory_nis=["99999"])), ("grants[0].territory_nis[0]", "unknown_value")),
        (document(grant(territory_nis=[])), ("grants[0].territory_nis", "not_a_list")),
        (document(grant(doors=["fax"])), ("grants[0].doors[0]", "unknown_value")),
        (document(grant(doors=None)), ("grants[0].doors", "missing")),
        (document(grant(max_age_days=-1)), ("grants[0].max_age_days", "invalid_format")),
        (document(grant(max_age_days=True)), ("grants[0].max_age_days", "invalid_format")),
        (document(grant(onward="no")), ("grants[0].onward", "invalid_format")),
        (document(grant(legal_basis="because")), ("grants[0].legal_basis", "unknown_value")),
        ({}, ("grants", "missing")),
        ([], ("document", "not_an_object")),
        (None, ("document", "not_an_object")),
    ],
)
def test_what_we_would_not_keep_is_refused(changed: Any, fault: tuple[str, str]) -> None:
    """Unknown keys, unknown values, missing keys and contradictions, each by its path."""
    name, code = fault

    assert faults_of(changed)[name] == code


def test_everything_wrong_is_listed_at_once() -> None:
    """The parties mend the document in one go."""
    found = faults_of(document(grant(purpose="x", doors=["fax"]), grant(to_role="x"), extra=1))

    assert set(found) == {"extra", "grants[0].purpose", "grants[0].doors[0]", "grants[1].to_role"}


def test_the_hash_is_over_what_the_parties_sign() -> None:
    """Order of keys and the hub's own activation do not change it; content does."""
    reordered = dict(reversed(document().items()))

    assert document_hash(document()) == document_hash(reordered)
    assert document_hash(document(activated_at="2026-03-02T10:00:00Z")) == document_hash(document())
    assert document_hash(document(grant(onward=True))) != document_hash(document())


@pytest.mark.parametrize(
    ("changes", "leg"),
    [
        ({}, None),
        ({"event": "referral.withdrawn"}, None),
        ({"to_org": VDAB}, "agreement"),
        ({"from_org": ORGANISER, "to_org": OCMW}, "agreement"),
        ({"to_role": "O"}, "agreement"),
        ({"event": "placement.started"}, "event"),
        ({"on": date(2026, 2, 28)}, "validity"),
        ({"on": date(2028, 3, 1)}, "validity"),
        ({"on": date(2028, 2, 29)}, None),
        ({"purpose": "audit"}, "purpose"),
        ({"purpose": "activation_referral"}, None),
        ({"territory": "11002"}, "territory"),
        ({"territory": None}, "territory"),
        ({"door": "kafka"}, "door"),
        ({"door": "feed"}, None),
    ],
)
def test_every_leg_can_fail(changes: dict[str, Any], leg: str | None) -> None:
    """The first leg that leaves no grant is named."""
    index = GrantIndex([parse_agreement(document(grant(doors=["feed", "webhook"])))])
    question: dict[str, Any] = {
        "from_org": OCMW,
        "to_org": ORGANISER,
        "to_role": "W",
        "event": "referral.created",
        "territory": "24107",
        "on": DAY,
        **changes,
    }

    assert index.failing_leg(**question) == leg
    assert (index.applicable(**question) is None) == (leg is not None)


def activated(number: int, moment: str, *grants: dict[str, Any]) -> Agreement:
    """Return an agreement activated at a moment."""
    return parse_agreement(document(*grants, agreement_id=f"prot-{number}", activated_at=moment))


def test_the_most_recently_activated_wins_and_field_sets_are_never_united() -> None:
    """In whatever order the registry lists them."""
    older = activated(1, "2026-03-01T00:00:00Z", grant(fieldsets=["core", "identify", "insz"]))
    newer = activated(2, "2026-03-02T00:00:00Z", grant(fieldsets=["core"]))

    for agreements in ([older, newer], [newer, older]):
        found = ask(GrantIndex(agreements))
        assert found is not None
        assert (found.agreement_id, found.fieldsets) == ("prot-2", frozenset({"core"}))


def test_an_older_grant_applies_where_the_newer_does_not() -> None:
    """The newer one is for another place, event or period."""
    older = activated(1, "2026-03-01T00:00:00Z")
    newer = activated(
        2,
        "2026-03-02T00:00:00Z",
        grant(territory_nis=["24062"]),
        grant(events=["referral.withdrawn"]),
    )
    index = GrantIndex([newer, older])

    assert getattr(ask(index), "agreement_id", None) == "prot-1"
    assert getattr(ask(index, territory="24062"), "agreement_id", None) == "prot-2"
    assert getattr(ask(index, event="referral.withdrawn"), "agreement_id", None) == "prot-2"


def test_a_door_does_not_bring_an_older_grant_back() -> None:
    """A newer agreement that closes a door closes it."""
    older = activated(1, "2026-03-01T00:00:00Z")
    newer = activated(2, "2026-03-02T00:00:00Z", grant(doors=["feed"]))

    assert ask(GrantIndex([older, newer]), door="kafka") is None


def test_a_named_recipient_is_the_only_one() -> None:
    """Without a name every other party in the role receives, the sender itself never."""
    parties = [OCMW, ORGANISER, VDAB]
    open_to_all = GrantIndex([parse_agreement(document(parties=parties))])
    named = GrantIndex([parse_agreement(document(grant(to=VDAB), parties=parties))])

    assert ask(open_to_all) is not None
    assert ask(open_to_all, to_org=VDAB) is not None
    assert ask(open_to_all, to_org=OCMW) is None
    assert ask(named) is None
    assert ask(named, to_org=VDAB) is not None


def test_a_territory_on_old_codes_maps_forward() -> None:
    """A grant for Galmaarden, Gooik or Herne holds in Pajottegem since 2025."""
    old = parse_agreement(document(grant(territory_nis=["23024"])))

    assert ask(GrantIndex([old]), territory="23106") is not None


def test_everywhere_is_a_word_of_its_own() -> None:
    """`all` holds in every municipality, and for events without a place."""
    index = GrantIndex([parse_agreement(document(grant(territory_nis="all")))])

    assert ask(index, territory="11002") is not None
    assert ask(index, territory=None) is not None


def test_a_sender_is_covered_by_any_grant_it_gives() -> None:
    """Publishing asks for one active agreement for event, place and day."""
    index = GrantIndex([parse_agreement(document())])

    assert index.covers_sender(OCMW, "referral.created", "24107", DAY)
    assert not index.covers_sender(OCMW, "placement.started", "24107", DAY)
    assert not index.covers_sender(OCMW, "referral.created", "11002", DAY)
    assert not index.covers_sender(OCMW, "referral.created", "24107", date(2030, 1, 1))
    assert not index.covers_sender(ORGANISER, "referral.created", "24107", DAY)


@dataclass(frozen=True)
class Registered:
    """A participant as the index sees it."""

    organisation: str
    role: str


@pytest.mark.parametrize(
    ("role", "changes", "no_sanction_use", "legal_basis"),
    [
        ("O", {}, False, "public_task_6_1_e"),
        ("P", {}, True, None),
        ("H", {}, True, None),
        ("O", {"fieldsets": ["core", "attendance"]}, True, "public_task_6_1_e"),
        ("P", {"no_sanction_use": False, "legal_basis": "consent_6_1_a"}, False, "consent_6_1_a"),
    ],
)
def test_defaults_follow_from_the_senders_role(
    role: str, changes: dict[str, Any], *, no_sanction_use: bool, legal_basis: str | None
) -> None:
    """What the document leaves open is filled in; what it says stands."""
    agreement = parse_agreement(document(grant(**changes)))
    found = ask(GrantIndex([agreement], [Registered(OCMW, role)]))

    assert found is not None
    assert (found.no_sanction_use, found.legal_basis) == (no_sanction_use, legal_basis)


def test_three_thousand_agreements_take_no_longer_than_three() -> None:
    """As many lines run among 3,000 as among three: for a new question and for a repeated one.

    What a sender may publish at all takes a look at each of its grants, once.
    """
    base = parse_agreement(document())

    def lines(count: int) -> tuple[int, int]:
        agreements = [
            Agreement(
                agreement_id=f"prot-{number}",
                parties=(OCMW, f"urn:schakel:org:other-{number}"),
                legal={},
                valid_from=base.valid_from,
                valid_to=base.valid_to,
                activated_at=base.activated_at + number,
                document_hash="",
                grants=base.grants,
            )
            for number in range(count)
        ]
        index = GrantIndex([*agreements, base])
        with counted_lines() as first:
            assert ask(index) is not None
            assert ask(index, to_org=PARTNER) is None
        assert not index.covers_sender(OCMW, "offer.published", "24107", DAY)
        with counted_lines() as again:
            assert ask(index) is not None
            assert not index.covers_sender(OCMW, "offer.published", "24107", DAY)
        return first["lines"], again["lines"]

    lines(3)  # what is read once for all, such as code lists, is read now

    assert lines(3000) == lines(3)


@contextmanager
def counted_lines() -> Iterator[dict[str, int]]:
    """Count the lines that run, each turn of a loop again: the same on any machine."""
    run = {"lines": 0}

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        run["lines"] += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield run
    finally:
        sys.settrace(before)
