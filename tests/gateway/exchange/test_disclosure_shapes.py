"""The exports have the fields of the two standards, one for one, and nothing of anybody's name."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidTag

from consumers.disclosures import Disclosure
from gateway.exchange.disclosure_shapes import auditregister, logboek, sealed_with, unsealed

HUB = "https://hub.example.org"
KEY = bytes(range(32))
SUBJECT = "0195a000-0000-7000-8000-0000000000aa"
LINE = Disclosure(
    event_id="0195a000-0000-7000-8000-000000000001",
    participant="ocmw-tienen",
    door="feed",
    revision=1,
    disclosed_at=1_772_000_000_123_456,
    event_name="referral.created",
    producer="caw",
    producer_org="urn:be:kbo:1999000150",
    subject_id=SUBJECT,
    trajectory_id="0195a000-0000-7000-8000-00000000000a",
    agreement_id="prot-2026/1",
    agreement_hash="ab" * 32,
    actor="ocmw-tienen-connector",
    purpose="activation_referral",
    legal_basis="public_task_6_1_e",
    withheld="insz",
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
)


def test_the_audit_registers_shape() -> None:
    """Reference, what, who, user, why, when, about whom: every field, and no other."""
    found = auditregister(LINE, sealed_with(KEY), HUB)

    assert found == {
        "referentie": f"{LINE.event_id}/ocmw-tienen/feed/1",
        "wat": {"dienst": HUB, "gebeurtenis": "referral.created", "kanaal": "feed"},
        "wie": "ocmw-tienen",
        "gebruiker": "ocmw-tienen-connector",
        "waarom": {
            "doel": "activation_referral",
            "rechtsgrond": "public_task_6_1_e",
            "overeenkomst": "prot-2026/1",
            "overeenkomst_sha256": "ab" * 32,
        },
        "wanneer": "2026-02-25T06:13:20.123456Z",
        "over_wie": sealed_with(KEY)(SUBJECT),
    }


def test_the_logboeks_shape() -> None:
    """Sizes and types of the standard's interface; one data subject, encrypted; no staff."""
    found = logboek(LINE, sealed_with(KEY), HUB)
    attributes = {one["key"]: one["value"] for one in found["attributes"]}

    assert set(found) == {
        "trace_id",
        "operation_id",
        "status_code",
        "name",
        "start_time",
        "end_time",
        "resource",
        "attributes",
    }
    assert found["trace_id"] == LINE.trace_id
    assert re.fullmatch(r"[0-9a-f]{16}", found["operation_id"])
    assert found["status_code"] == "STATUS_CODE_OK"
    assert found["name"] == "disclosure.feed"
    assert found["start_time"] == found["end_time"] == 1_772_000_000_123
    assert found["resource"]["attributes"][0] == {"key": "service.name", "value": "schakel"}
    assert attributes == {
        "dpl.core.processing_activity_id": (
            f"{HUB}/v1/agreements/prot-2026%2F1#activation_referral"
        ),
        "dpl.core.data_subject_id": sealed_with(KEY)(SUBJECT),
        "dpl.core.data_subject_id_type": "urn:schakel:subject",
    }
    assert "connector" not in repr(found)


def test_each_line_is_an_operation_of_its_own() -> None:
    """A wider copy and another door have other ids; without a trace the event's id serves."""
    others = [replace(LINE, revision=0), replace(LINE, door="webhook"), LINE]
    operations = {logboek(one, sealed_with(KEY), HUB)["operation_id"] for one in others}
    bare = logboek(replace(LINE, trace_id=None, agreement_id=None), sealed_with(KEY), HUB)

    assert len(operations) == 3
    assert bare["trace_id"] == LINE.event_id.replace("-", "")
    assert bare["attributes"][0]["value"] == "urn:schakel:purpose:activation_referral"


def test_a_person_is_named_the_same_each_time_and_by_the_hub_alone() -> None:
    """Lines about one person can be counted; who it is takes the key."""
    seal = sealed_with(KEY)

    assert seal(SUBJECT) == seal(SUBJECT) != seal(SUBJECT[:-1] + "b")
    assert SUBJECT not in seal(SUBJECT)
    assert unsealed(KEY, seal(SUBJECT)) == SUBJECT
    with pytest.raises(InvalidTag):
        unsealed(KEY[::-1], seal(SUBJECT))
