"""What a participant reads of the log names no sensitive sender to whom it was masked."""

from __future__ import annotations

from dataclasses import replace

from consumers.disclosure_log import Count
from gateway.exchange.disclosure_answer import Answer, granted_fields
from schemas.catalogue import catalogue
from tests.gateway.exchange import cast
from tests.gateway.exchange.test_disclosure_shapes import LINE

SENDER = cast.RELATED["P"]
ORGANISATION = cast.registry().participants[SENDER].organisation
OURS = replace(LINE, producer=SENDER, producer_org=ORGANISATION)


def answer(*, sensitive: bool) -> Answer:
    """By a registry in which the sender is, or is not, a sensitive one."""
    known = cast.registry()
    organisation = replace(known.organisations[ORGANISATION], sensitive_sender=sensitive)
    organisations = {**known.organisations, ORGANISATION: organisation}
    return Answer(replace(known, organisations=organisations), "nl")


def test_a_sensitive_sender_is_not_named_to_a_receiver() -> None:
    """Neither by its id nor by the agreement that it is a party to; to itself it is."""
    count = Count(SENDER, "vdab", "referral.created", None, 1, 1)
    masked, open_ = answer(sensitive=True), answer(sensitive=False)

    assert SENDER not in repr(masked.own_line(OURS, is_received=True))
    assert str(LINE.agreement_id) not in repr(masked.own_line(OURS, is_received=True))
    assert SENDER not in repr(masked.count(count, is_received=True))
    assert masked.own_line(OURS, is_received=False)["producer"] == SENDER
    assert open_.own_line(OURS, is_received=True)["producer"] == SENDER
    assert open_.count(count, is_received=True)["producer"] == SENDER


def test_a_sender_does_not_learn_its_receivers_clients() -> None:
    """Which application of another organisation read is that organisation's own."""
    line = answer(sensitive=False)

    assert line.own_line(OURS, is_received=True)["application"] == LINE.actor
    assert line.own_line(OURS, is_received=False)["application"] is None


def test_granted_fields_are_those_that_were_not_withheld() -> None:
    """Paths of the event's own fields, whatever the event had in them."""
    paths = {field.path for field in catalogue().event("referral.created").fields}
    few = replace(LINE, withheld=",".join(sorted(paths - {"programme"})))

    assert granted_fields(few) == ["programme"]
    assert set(granted_fields(replace(LINE, withheld=""))) == paths
