"""A printed story: a chapter for whoever had a part in it, one line for whoever only looked on."""

from __future__ import annotations

from datetime import UTC, datetime

from connectors.world.journeys import journey
from connectors.world.organisations import BY_ID
from connectors.world.printing import text
from connectors.world.telling import Chapter, Entry, Story

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_onlookers_share_one_line() -> None:
    """Who got nothing but offers is named at the end, in both languages."""
    first, second, third, *_ = BY_ID
    offer = Entry(AT, "offer.withdrawn", sent=False, data={}, other="hub")
    referral = Entry(AT, "referral.acknowledged", sent=False, data={}, other="hub")
    chapters = (
        Chapter(first, (offer, referral)),
        Chapter(second, (offer,)),
        Chapter(third, (Entry(AT, "offer.withdrawn", sent=True, data={}),)),
    )
    story = Story(journey("A"), chapters)

    for language, line in (("nl", "enkel het aanbod"), ("en", "the offers of places only")):
        printed = text(story, language)
        _title, _story, _invented, *told, last = printed.strip().split("\n\n")
        assert line in last
        assert BY_ID[second].name in last
        assert not any(BY_ID[second].name in one for one in told)
        assert all(any(BY_ID[who].name in one for one in told) for who in (first, third))
