"""Which case a submission means: by ids, the sender's own number, INSZ, or what it sent before."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import IdentifierTaken, UnknownCase
from gateway.exchange.locating import DIGEST_CHARACTERS, Handles, Known, Locator, Place, locate
from gateway.exchange.offer_state import Offer
from gateway.exchange.state import Trajectory
from gateway.exchange.subject_state import Subject
from gateway.exchange.working import Working
from schemas.identifiers import uuid7
from tests.gateway.exchange.ledger_world import submission

KEY = b"k" * 32
NUMBER = "DOSSIER-2026-0417"
INSZ = "85073000160"
PERSON = {"given_name": "Amina", "family_name": "El Idrissi", "phone": "+32000123456"}
CONTACT = "guidance.contact_recorded"
T1, T2, T3 = (f"01950000-0000-7000-8000-00000000000{one}" for one in "123")
SUBJECT = "01950000-0000-7000-8000-0000000000aa"
REFERRAL = "01950000-0000-7000-8000-0000000000bb"
NOBODY = "01950000-0000-7000-8000-00000000dead"


def handles(name: str = "referral.created", *, key: bytes = KEY, **given: Any) -> Handles:
    """The handles of a submission."""
    return Locator(key).handles(submission(name, **given))


def place(working: Working, name: str = "referral.created", **given: Any) -> Place:
    """Where a submission lands."""
    sent = submission(name, **given)
    return locate(sent, Locator(KEY).handles(sent), working)


def trajectory(given: str, *members: str, state: str = "assigned", last: int = 0) -> Trajectory:
    """A case of the known person."""
    return Trajectory(given, SUBJECT, state, 1, "24107", viewers=members, last_event_at=last)


def world(*trajectories: Trajectory, **digests: str | None) -> Working:
    """What was read: these cases, a referral on the first, and digests of the known person."""
    return Working(
        trajectories={one.id: one for one in trajectories},
        aggregates={REFERRAL: trajectories[0].id} if trajectories else {},
        digests={
            digest: Known(SUBJECT, trajectories[0].id)
            for digest in digests.values()
            if digest is not None
        },
    )


def referred(**person: str) -> dict[str, Any]:
    """The data of a referral of the same person, some of it written in another way."""
    return {"programme": "wijk_werken", "person": {**PERSON, **person}}


def with_insz(insz: str = INSZ) -> dict[str, Any]:
    """The data of a referral with a national number."""
    return {"programme": "wijk_werken", "insz": insz}


def test_digests_hide_what_they_are_of() -> None:
    """They are keyed and of one length; neither number, name nor phone can be seen in them."""
    found = [
        handles(source_record_id=NUMBER).own,
        handles(data=with_insz()).insz,
        handles(data=referred()).natural,
    ]

    for digest in found:
        assert digest is not None
        assert len(digest) == DIGEST_CHARACTERS
        assert set(digest) <= set("0123456789abcdef")
        for secret in (NUMBER, INSZ, "Amina", "32000123456"):
            assert secret not in digest
            assert secret.encode().hex() not in digest
    assert handles(source_record_id=NUMBER, key=b"other").own != found[0]
    assert handles(data=with_insz(), key=b"other").insz != found[1]
    assert handles(data=referred(), key=b"other").natural != found[2]


def test_each_participant_has_digests_of_its_own() -> None:
    """The same number or person at two partners tells nobody that they are the same."""
    assert len({handles(of=of, source_record_id=NUMBER).own for of in ("a-1", "b-1")}) == 2
    assert len({handles(of=of, data=referred()).natural for of in ("a-1", "b-1")}) == 2


def test_a_national_number_is_the_same_for_everybody() -> None:
    """That is how one person is recognised across partners; it is no one's own number."""
    found = {handles(of=of, data=with_insz()).insz for of in ("a-1", "b-1")}

    assert len(found) == 1
    assert handles(source_record_id=INSZ).own not in found


def test_participant_and_number_do_not_run_into_each_other() -> None:
    """`a` with number `b-1` is not `a-b` with number `1`."""
    locator = Locator(KEY)

    assert locator.own_number("a", "b1") != locator.own_number("ab", "1")
    assert locator.own_number("a", "1") != locator.own_number("a", "1", of_offer=True)


@pytest.mark.parametrize(
    "person",
    [
        {"family_name": "EL IDRISSI", "given_name": "amina"},
        {"family_name": "El-Idrissi "},
        {"family_name": "Elidrïssi"},
        {"given_name": "Amína"},
    ],
)
def test_a_name_is_folded(person: dict[str, str]) -> None:
    """Accents, case, spaces and signs do not make another person."""
    assert handles(data=referred(**person)).natural == handles(data=referred()).natural


@pytest.mark.parametrize(
    "person", [{"phone": "+32000123457"}, {"family_name": "Idrissi"}, {"given_name": "Amin"}]
)
def test_another_name_or_phone_is_another_person(person: dict[str, str]) -> None:
    """All of it has to be the same."""
    assert handles(data=referred(**person)).natural != handles(data=referred()).natural


def test_there_is_no_natural_key_without_all_of_it_or_beside_an_own_number() -> None:
    """A sender with numbers of its own keeps two people of one name and phone apart."""
    assert handles(data=referred(phone="")).natural is None
    assert handles(data=referred(given_name="")).natural is None
    assert handles(data=referred(), source_record_id=NUMBER).natural is None
    assert handles(CONTACT, data=referred()).natural is None


def test_a_named_case_is_taken() -> None:
    """By its id, or by that of something on it."""
    working = world(trajectory(T1, "partner-a"), trajectory(T2, "partner-a"))

    assert place(working, CONTACT, trajectory_id=T2) == Place(T2, SUBJECT)
    assert place(working, CONTACT, subject=REFERRAL) == Place(T1, SUBJECT)
    assert place(working, CONTACT, subject=REFERRAL, trajectory_id=T1) == Place(T1, SUBJECT)
    assert place(working, trajectory_id=T2) == Place(T2, SUBJECT)


@pytest.mark.parametrize(
    "named",
    [
        {"trajectory_id": NOBODY},
        {"subject": NOBODY},
        {"subject": REFERRAL, "trajectory_id": T2},
        {"subject": NOBODY, "source_record_id": NUMBER},
        {"source_record_id": "NEVER-SENT"},
        {},
    ],
)
def test_an_unknown_or_contradictory_name_is_no_case(named: dict[str, str]) -> None:
    """Nothing is guessed: one answer for what does not exist and for two that differ."""
    own = handles(source_record_id=NUMBER).own
    working = world(trajectory(T1, "partner-a"), trajectory(T2, "partner-a"), own=own)

    with pytest.raises(UnknownCase):
        place(working, CONTACT, **named)


def test_an_own_number_leads_to_its_case() -> None:
    """For every event of that sender, and for no other sender."""
    working = world(trajectory(T1, "partner-a"), own=handles(source_record_id=NUMBER).own)

    assert place(working, CONTACT, source_record_id=NUMBER) == Place(T1, SUBJECT)
    assert place(working, source_record_id=NUMBER) == Place(T1, SUBJECT)
    assert place(working, of="partner-b", source_record_id=NUMBER) == Place(None)
    with pytest.raises(UnknownCase):
        place(working, CONTACT, of="partner-b", source_record_id=NUMBER)


def test_an_own_number_the_hub_does_not_know_begins_a_case() -> None:
    """Of a new person, when nothing else is known of them."""
    assert place(world(), source_record_id=NUMBER, data=referred()) == Place(None)


def test_a_known_national_number_is_the_same_person() -> None:
    """On the sender's own case when it has one, and else on a new case of that person."""
    working = world(trajectory(T1, "partner-a"), insz=handles(data=with_insz()).insz)

    assert place(working, data=with_insz()) == Place(T1, SUBJECT)
    assert place(working, of="partner-b", data=with_insz()) == Place(None, SUBJECT)
    assert place(working, data=with_insz("85073000259")) == Place(None)


def test_of_several_own_cases_the_latest_is_taken() -> None:
    """Cases of others, and those that were joined into another, do not count."""
    working = world(
        trajectory(T1, "partner-a", last=1),
        trajectory(T2, "partner-a", last=2),
        trajectory(T3, "partner-b", last=3),
        trajectory(NOBODY, "partner-a", state="joined", last=4),
        insz=handles(data=with_insz()).insz,
    )

    assert place(working, data=with_insz()) == Place(T2, SUBJECT)


def test_the_same_person_from_the_same_referrer_is_recognised() -> None:
    """A file that is uploaded twice is one person; from another referrer it stays another."""
    working = world(trajectory(T1, "partner-a"), natural=handles(data=referred()).natural)

    assert place(working, data=referred(family_name="el idrissi")) == Place(T1, SUBJECT)
    assert place(working, of="partner-b", data=referred()) == Place(None)
    assert place(working, source_record_id=NUMBER, data=referred()) == Place(None)


@pytest.mark.parametrize(
    ("known_by", "given", "found"),
    [
        ("insz", INSZ, Place(None)),
        ("insz", None, Place(T1, SUBJECT)),
        ("single_trajectory_only", INSZ, Place(T1, SUBJECT)),
    ],
)
def test_a_name_and_telephone_are_nobody_whose_number_is_another(
    known_by: str, given: str | None, found: Place
) -> None:
    """Only who has no number yet can be who brings one that is not known."""
    working = world(trajectory(T1, "partner-a"), natural=handles(data=referred()).natural)
    working.subjects[SUBJECT] = Subject(SUBJECT, 0, known_by)
    data = referred() if given is None else {**referred(), "insz": given}

    assert place(working, data=data) == found


def test_only_a_referral_is_recognised_by_what_it_says() -> None:
    """Everything else has to name its case."""
    found = handles(data=with_insz()).insz
    working = world(trajectory(T1, "partner-a"), insz=found)

    with pytest.raises(UnknownCase):
        place(working, "placement.planned", data={"insz": INSZ})


@pytest.mark.parametrize("given", ["not-a-uuid", T1, REFERRAL])
def test_something_new_needs_a_fresh_id(given: str) -> None:
    """The id of another thing, or none at all, is refused with the rule."""
    with pytest.raises(IdentifierTaken) as refused:
        place(world(trajectory(T1, "partner-a")), subject=given)

    assert refused.value.facts["leg"] == "rules"


def test_a_fresh_id_is_no_name_of_a_case() -> None:
    """What begins may bring its own id along."""
    working = world(trajectory(T1, "partner-a"))

    assert place(working, subject=uuid7()) == Place(None)
    assert place(working, subject=uuid7(), trajectory_id=T1) == Place(T1, SUBJECT)


def test_offers_are_found_by_id_or_own_number_and_are_about_nobody() -> None:
    """An offer's number is apart from a case's, and cases are no offers."""
    locator = Locator(KEY)
    working = world(trajectory(T1, "partner-a"), own=handles(source_record_id=NUMBER).own)
    working.offers[T2] = Offer(T2, "published", 1, "partner-a", "24107")
    working.digests[locator.own_number("partner-a", NUMBER, of_offer=True)] = Known(None, T2)

    assert place(working, "offer.published", data={}) == Place(None)
    assert place(working, "offer.updated", subject=T2) == Place(T2)
    assert place(working, "offer.updated", source_record_id=NUMBER) == Place(T2)
    for named in ({"subject": T1}, {"subject": NOBODY}, {"source_record_id": "OTHER"}, {}):
        with pytest.raises(UnknownCase):
            place(working, "offer.updated", **named)
    with pytest.raises(IdentifierTaken):
        place(working, "offer.published", subject=T2)
