"""A story in words: somebody at an OCMW can read it, in Dutch and in English."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connectors.world import journeys, printing, telling
from connectors.world.organisations import BY_ID, CARE_HOME, HAGELAND, OCMW_TIENEN, urn
from connectors.world.telling import Chapter, Entry, Story

MORNING = datetime(2026, 1, 7, 8, tzinfo=UTC)


def _story() -> Story:
    refused = Entry(
        MORNING,
        "placement.hours_reported",
        sent=True,
        data={"period": "2026-04", "hours": "8.00"},
        refused="period ligt in de toekomst.",
    )
    got = Entry(
        MORNING + timedelta(days=1),
        "referral.created",
        sent=False,
        data={
            "programme": "wijk_werken",
            "target_org": urn(HAGELAND),
            "offer_id": "0195a8f0-0000-7000-8000-000000000001",
            "person": {"birth_date": "1990-02-03", "nis": "24107"},
        },
        other=OCMW_TIENEN,
        withheld=("insz", "income_status", "parent_referral_id"),
        backfill=True,
    )
    masked = Entry(MORNING + timedelta(days=1), "referral.withdrawn", False, {}, other="masked")
    chapters = (Chapter(HAGELAND, (refused, got, masked)), Chapter(CARE_HOME, ()))
    return Story(journeys.journey("A"), chapters)


def test_in_dutch() -> None:
    """Title, paragraph, who sent and got what on which day, and what was not shown."""
    said = " ".join(printing.text(_story(), "nl").split())

    assert said.startswith("A. Van leefloon naar vast werk")
    assert "Wijk-werk Hageland (organisator)" in said
    assert "wo 7 jan 2026 → stuurt Prestaties gemeld" in said
    assert "geweigerd: period ligt in de toekomst." in said
    assert "← krijgt Toeleiding gemaakt van OCMW Tienen (eerder gebeurd, nu pas te zien)" in said
    assert "geboren: 3 feb 1990; persoon gemeente: Tienen" in said
    assert "niet getoond: rijksregisternummer, inkomen" in said


def test_in_english() -> None:
    """The same in the other language."""
    said = " ".join(printing.text(_story(), "en").split())

    assert "Wed 7 Jan 2026 → sends Hours reported" in said
    assert "not shown: national number, income" in said


def test_no_id_is_shown() -> None:
    """Numbers that only machines use are left out, also among what was withheld."""
    said = printing.text(_story(), "nl")

    assert "0195a8f0" not in said
    assert "parent" not in said


def test_a_sensitive_sender_is_a_local_partner() -> None:
    """Whoever was masked by the hub stays masked in the story."""
    assert "van een lokale partner" in printing.text(_story(), "nl")


def test_lines_fit_a_terminal() -> None:
    """Nothing is wider than a terminal of a hundred columns."""
    assert max(len(line) for line in printing.text(_story(), "nl").splitlines()) <= 100


def test_for_programs() -> None:
    """The JSON has the same entries, with ids and field names as they came."""
    document = telling.as_json(_story(), "en")
    first, second, _ = document["participants"][0]["entries"]

    assert document["journey"] == "A"
    assert first["sent"] is True
    assert first["refused"]
    assert second["from"] == OCMW_TIENEN
    assert second["withheld"] == ["insz", "income_status", "parent_referral_id"]
    assert second["backfill"] is True


def test_onlookers_share_one_line() -> None:
    """Who got nothing but offers is named at the end, in both languages."""
    first, second, third, *_ = BY_ID
    offer = Entry(MORNING, "offer.withdrawn", sent=False, data={}, other="hub")
    referral = Entry(MORNING, "referral.acknowledged", sent=False, data={}, other="hub")
    chapters = (
        Chapter(first, (offer, referral)),
        Chapter(second, (offer,)),
        Chapter(third, (Entry(MORNING, "offer.withdrawn", sent=True, data={}),)),
    )
    story = Story(journeys.journey("A"), chapters)

    for language, line in (("nl", "enkel het aanbod"), ("en", "the offers of places only")):
        printed = printing.text(story, language)
        _title, _story, _invented, *told, last = printed.strip().split("\n\n")
        assert line in last
        assert BY_ID[second].name in last
        assert not any(BY_ID[second].name in one for one in told)
        assert all(any(BY_ID[who].name in one for one in told) for who in (first, third))
