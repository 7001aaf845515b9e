"""Who reads the disclosure log, and what each is told, on the real exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from gateway.exchange.disclosure_shapes import unsealed
from schemas.catalogue import catalogue
from schemas.moments import to_rfc3339
from tests.gateway.api.parties import PARTNER
from tests.gateway.api.samples import CANARY, ONE, body, event
from tests.gateway.api.whole_hub import OCMW, STRANGER, Hub, hub
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    import httpx

__all__ = ["hub"]

DAY = 86_400_000_000
ALWAYS = {"from": to_rfc3339(cast.NOW - DAY), "to": to_rfc3339(cast.NOW + DAY)}
ADMIN, AUDITOR = f"{PARTNER}+sj_admin", f"{PARTNER}+sj_audit"
REASON = "yearly inspection 2026"


@pytest.fixture
def case(hub: Hub) -> str:
    """A case that the OCMW holds and has read; its trajectory id."""
    trajectory: str = hub.refer().json()["trajectory_id"]
    holder = cast.registry().participants[OCMW].organisation
    data = {"holder": holder, "contact": {"name": "Noor Proefman"}}
    assigned = event(
        OCMW,
        "h-1",
        type="be.schakel.activation.v1.trajectory.case_holder_assigned",
        subject=trajectory,
        trajectoryid=trajectory,
        data=data,
    )
    headers = {"content-type": ONE}
    answer = hub.call(OCMW, "POST", "/v1/events", content=body(assigned), headers=headers)
    assert answer.status_code == 201, answer.text
    with hub.route.ledger.connect() as connection:
        ids = connection.execute(text("select event_id from ledger order by seq")).scalars().all()
    hub.route.reroute(list(ids))
    for reader in (OCMW, PARTNER):
        assert hub.call(reader, "GET", "/v1/feed").json()["events"]
    return trajectory


def export(hub: Hub, by: str, **changes: Any) -> httpx.Response:
    """What an auditor asks."""
    asked = {"shape": "auditregister", **ALWAYS, "reason": REASON, **changes}
    headers = {"content-type": "application/json"}
    return hub.call(by, "POST", "/v1/audit/disclosures", content=body(asked), headers=headers)


def acts(hub: Hub) -> list[tuple[str, str, str, str]]:
    """The audit lines, newest first."""
    lines = hub.call(AUDITOR, "GET", "/v1/audit").json()["lines"]
    return [(one["actor"], one["act"], one["target"], one["reason"]) for one in lines]


@pytest.mark.parametrize("by", [ADMIN, AUDITOR])
def test_an_auditor_reads_with_a_reason_that_is_logged(hub: Hub, case: str, by: str) -> None:
    """Every line about a person in the shape that was asked for, and one audit line a call."""
    assert case
    lines = export(hub, by).json()["lines"]
    key = hub.keys.disclosure_log_key()

    received = [one for one in lines if one["wie"] == OCMW]
    assert {one["wat"]["gebeurtenis"] for one in received} >= {"referral.created"}
    assert {one["gebruiker"] for one in received} == {f"{OCMW}-client"}
    assert len({unsealed(key, one["over_wie"]) for one in lines}) == 1
    assert all(len(one["waarom"]["overeenkomst_sha256"] or "a" * 64) == 64 for one in lines)
    assert CANARY not in repr(lines)
    target = f"auditregister {ALWAYS['from']}/{ALWAYS['to']}"
    assert acts(hub) == [(f"{PARTNER}-client", "disclosures.read", target, REASON)]


def test_both_shapes_have_the_same_lines_page_after_page(hub: Hub, case: str) -> None:
    """However they are cut into pages."""
    assert case
    whole = export(hub, AUDITOR).json()["lines"]
    logboek: list[dict[str, Any]] = []
    after = None
    while True:
        page = export(hub, AUDITOR, shape="logboek", limit=2, after=after).json()
        logboek += page["lines"]
        after = page["next"]
        if after is None:
            break

    assert len(logboek) == len(whole) > 2
    assert len({one["operation_id"] for one in logboek}) == len(logboek)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": " "}, "invalid_parameter"),
        ({"reason": "a\0b"}, "malformed_json"),
        ({"reason": "looking up 85.07.30-033.28"}, "invalid_parameter"),
        ({"shape": "other"}, "invalid_parameter"),
        ({"from": "yesterday"}, "invalid_parameter"),
        ({"to": ALWAYS["from"]}, "invalid_parameter"),
        ({"after": "AAAA"}, "cursor_invalid"),
        ({"after": "W10"}, "cursor_invalid"),
        ({"surprise": 1}, "invalid_parameter"),
    ],
)
def test_without_a_good_reason_nothing_is_read(
    hub: Hub, changes: dict[str, Any], code: str
) -> None:
    """An empty reason, one with a number of a person, and whatever else is wrong: 400, no line."""
    answer = export(hub, AUDITOR, **changes)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert acts(hub) == []


def test_nobody_else_reads_the_whole_log(hub: Hub, case: str) -> None:
    """A partner with every scope of a partner is refused, and leaves no audit line."""
    assert case
    answer = export(hub, f"{OCMW}+sj_feed_read+sj_referral_read+sj_referral_write")

    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    assert acts(hub) == []


def test_a_participant_reads_its_own_two_sides(hub: Hub, case: str) -> None:
    """What it was given, and what became of its events; nothing of others, whoever asks."""
    assert case

    def own(by: str, side: str) -> dict[str, Any]:
        found: dict[str, Any] = hub.call(
            by, "GET", "/v1/disclosures", params={**ALWAYS, "side": side}
        ).json()
        return found

    received, given = own(OCMW, "received"), own(PARTNER, "given")
    referral = next(one for one in received["lines"] if one["event"] == "referral.created")
    same = next(one for one in given["lines"] if one["event_id"] == referral["event_id"])

    assert {one["participant"] for one in received["lines"]} == {OCMW}
    assert {one["producer"] for one in given["lines"]} == {PARTNER}
    assert (referral["application"], same["application"]) == (f"{OCMW}-client", None)
    assert (same["participant"], same["purpose"]) == (OCMW, referral["purpose"])
    assert sum(one["copies"] for one in received["counts"]) == len(received["lines"])
    assert own(STRANGER, "received") == own(STRANGER, "given") | {"side": "received"}
    assert own(STRANGER, "given")["lines"] == []


def test_the_case_holder_answers_the_persons_question(hub: Hub, case: str) -> None:
    """Who, when, which fields, why and under what, in two languages; fields, never values."""
    path = f"/v1/trajectories/{case}/disclosures"
    dutch = hub.call(OCMW, "GET", path).json()
    english = hub.call(OCMW, "GET", path, headers={"accept-language": "en"}).json()
    line = next(one for one in dutch["lines"] if one["what"]["code"] == "referral.created")
    feed = hub.call(OCMW, "GET", "/v1/feed").json()["events"]
    copy = next(one for one in feed if one["id"] == line["event_id"])
    known = {field.path for field in catalogue().event("referral.created").fields}

    assert set(line) == {
        "when",
        "who",
        "application",
        "from",
        "what",
        "event_id",
        "fields",
        "why",
        "legal_basis",
        "agreement",
        "agreement_hash",
        "door",
    }
    assert (line["who"]["participant"], line["from"]["participant"]) == (OCMW, PARTNER)
    assert "person.phone" in line["fields"]
    assert set(line["fields"]) == known - set(copy.get("withheld", "").split(","))
    assert line["why"]["label"]
    assert dutch["note"] != english["note"]
    assert CANARY not in repr(dutch)
    noted = (
        f"{OCMW}-client",
        "subject.access",
        case,
        "access request of the person (GDPR art. 15)",
    )
    assert acts(hub) == [noted] * 2


def test_only_the_holder_of_the_case_answers(hub: Hub, case: str) -> None:
    """A member that does not hold it is told who does; for others there is no such case."""
    path = f"/v1/trajectories/{case}/disclosures"
    member = hub.call(PARTNER, "GET", path)
    strange = hub.call(STRANGER, "GET", path)
    unknown = hub.call(STRANGER, "GET", "/v1/trajectories/none/disclosures")
    narrow = hub.call(f"{OCMW}+sj_feed_read", "GET", path)

    assert (member.status_code, member.json()["code"]) == (403, "not_case_holder")
    assert (strange.status_code, narrow.status_code) == (404, 403)
    assert [strange.json()[one] for one in ("status", "code", "detail")] == [
        unknown.json()[one] for one in ("status", "code", "detail")
    ]
    assert acts(hub) == []
