"""The kind csv in both directions, through the runner, against a hub over HTTP."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.connectors.workshop import row

if TYPE_CHECKING:
    from tests.connectors.stub_hub import StubHub
    from tests.connectors.workshop import Bench


def test_a_file_becomes_events_and_a_report(bench: Bench, hub: StubHub) -> None:
    """Each row of a dropped file is one event, and the report says so row by row."""
    bench.put("toeleidingen.csv", row(1), row(2))
    bench.run(hub.url)
    assert hub.names() == ["referral.created", "referral.created"]
    assert bench.report("toeleidingen") == [
        ["2", "verzonden", "referral.created", "", ""],
        ["3", "verzonden", "referral.created", "", ""],
    ]
    event = hub.events[0]
    assert event["source"] == "urn:schakel:participant:ocmw-tienen"
    assert event["sourcerecordid"] == "D-1"
    assert event["traceparent"].endswith("-01")
    assert event["data"]["person"]["birth_date"] == "1971-04-12"
    assert event["data"]["availability"] == {"hours_per_week": 20}
    assert not (bench.drop / "toeleidingen.csv").exists()
    assert len(list((bench.drop / "verwerkt").iterdir())) == 1
    assert list((bench.drop / ".schakel").iterdir()) == []


def test_the_same_file_twice_is_no_new_event(bench: Bench, hub: StubHub) -> None:
    """An unchanged row is nothing, also in another file and in another order."""
    bench.put("toeleidingen.csv", row(1), row(2))
    bench.run(hub.url)
    bench.put("toeleidingen opnieuw.csv", row(2), row(1))
    bench.run(hub.url)
    assert len(hub.events) == 2
    assert hub.duplicates == 0
    assert [line[1] for line in bench.report("toeleidingen opnieuw")] == ["ongewijzigd"] * 2


def test_a_changed_row_is_the_correction_of_what_changed(bench: Bench, hub: StubHub) -> None:
    """A person's column changes the details, any other the referral, both give both events."""
    bench.put("toeleidingen.csv", row(1), row(2), row(3))
    bench.run(hub.url)
    bench.put(
        "toeleidingen.csv",
        row(1, "Amal"),
        row(2, uren="10"),
        row(3, "Bo", uren="", telefoon=""),
    )
    bench.run(hub.url)
    assert hub.names()[3:] == [
        "subject.details_changed",
        "referral.corrected",
        "subject.details_changed",
        "referral.corrected",
    ]
    changed = [event["data"] for event in hub.events[3:]]
    assert changed[0] == {"person": {"given_name": "Amal"}}
    assert changed[1] == {"availability": {"hours_per_week": 10}}
    assert changed[2] == {"person": {"given_name": "Bo"}, "cleared": ["person.phone"]}
    assert changed[3] == {"cleared": ["availability.hours_per_week"]}
    assert all(event["trajectoryid"] for event in hub.events[3:])


def test_back_and_forth_is_a_correction_each_time(bench: Bench, hub: StubHub) -> None:
    """A, B, A, B is one referral and three corrections, each with an id of its own."""
    for hours in ("20", "10", "20", "10"):
        bench.put("toeleidingen.csv", row(1, uren=hours))
        bench.run(hub.url)
    assert hub.names() == ["referral.created"] + ["referral.corrected"] * 3
    assert len({event["id"] for event in hub.events}) == 4
    assert len({event["subject"] for event in hub.events[1:]}) == 1


def test_a_changed_month_replaces_its_report(bench: Bench, hub: StubHub) -> None:
    """Hours are sent again as a whole and name the report that they replace."""
    for hours in ("7,5", "7,50", "8"):
        bench.put("uren.csv", f"D-1;2026-03;{hours}", heading="dossier;maand;uren")
        bench.run(hub.url)
    assert [event["data"]["hours"] for event in hub.events] == ["7.50", "8.00"]
    assert len(hub.events[1]["data"]["correction_of"]) == 36


def test_a_changed_row_without_a_correction_is_one_error(bench: Bench, hub: StubHub) -> None:
    """What cannot be corrected by a row is refused with what to do."""
    for day in ("01/03/2026", "02/03/2026"):
        bench.put("contacten.csv", f"D-1;{day}", heading="dossier;op")
        bench.run(hub.url)
    assert len(hub.events) == 1
    [line] = bench.report("contacten")
    assert line[1:4] == ["geweigerd", "guidance.contact_recorded", "row_changed"]


def test_a_decision_is_refused_with_the_event_to_send(bench: Bench, hub: StubHub) -> None:
    """A decision in a column is not acted on: the report names the event for it."""
    bench.put("toeleidingen.csv", row(1, status="weg"), row(2))
    bench.run(hub.url)
    assert [event["sourcerecordid"] for event in hub.events] == ["D-2"]
    line = bench.report("toeleidingen")[0]
    assert line[3] == "decision_column"
    assert "stuur referral.withdrawn" in line[4]


def test_poison_rows_are_reported_and_the_rest_flows(bench: Bench, hub: StubHub) -> None:
    """Rows that cannot be read, mapped or accepted become dead letters with their bytes."""
    hub.refuse = lambda event: (
        ("not_allowed", "Nu niet.") if event["sourcerecordid"] == "D-4" else None
    )
    wide = row(3) + ";te veel"
    bench.put("toeleidingen.csv", row(1), row(2, geboren="31/02/1971"), wide, row(4), row(5))
    bench.run(hub.url)
    assert [event["sourcerecordid"] for event in hub.events] == ["D-1", "D-5"]
    assert [line[3] for line in bench.report("toeleidingen")] == [
        "",
        "not_a_date",
        "wrong_width",
        "not_allowed",
        "",
    ]
    letters = bench.dead_letters()
    assert [letter.row for letter in letters] == [3, 4, 5]
    assert letters[2].raw == (row(4) + "\r\n").encode()
    assert letters[2].stage == "publish"


def test_a_mended_row_takes_its_dead_letter_away(bench: Bench, hub: StubHub) -> None:
    """Once the hub takes the row after all, its bytes do not stay behind."""
    hub.refuse = lambda _event: ("no_agreement", "Geen overeenkomst.")
    bench.put("toeleidingen.csv", row(1))
    bench.run(hub.url)
    assert len(bench.dead_letters()) == 1
    hub.refuse = lambda _event: None
    bench.put("toeleidingen.csv", row(1))
    bench.run(hub.url)
    assert bench.dead_letters() == ()
    assert hub.names() == ["referral.created"]


@pytest.mark.parametrize(
    ("heading", "code"),
    [
        ("dossiernummer;voornaam", "missing_column"),
        ("nieuw;dossiernummer", "unknown_column"),
        ("a;a", "duplicate_column"),
        ("a,b,c", "no_heading"),
    ],
)
def test_a_file_with_other_columns_is_refused_whole(
    bench: Bench, hub: StubHub, heading: str, code: str
) -> None:
    """Drift of the heading is one refusal of the file, set aside, with a report."""
    bench.put("toeleidingen.csv", row(1), heading=heading)
    bench.run(hub.url)
    assert hub.events == []
    [line] = bench.report("toeleidingen")
    assert [line[0], line[1], line[3]] == ["bestand", "geweigerd", code]
    assert len(list((bench.drop / "geweigerd").iterdir())) == 1


def test_windows_1252_and_a_mark_are_read_alike(bench: Bench, hub: StubHub) -> None:
    """The encodings of partners' programmes give the same names."""
    bench.put("toeleiding1.csv", row(1, "Zoë €"), encoding="cp1252")
    bench.put("toeleiding2.csv", row(2, "Zoë €"), encoding="utf-8-sig")
    bench.run(hub.url)
    names = [event["data"]["person"]["given_name"] for event in hub.events]
    assert names == ["Zoë €", "Zoë €"]


def test_links_and_pipes_are_left_alone(bench: Bench, hub: StubHub) -> None:
    """Only regular files are taken; a link or a pipe neither blocks nor is read."""
    secret = bench.root / "geheim.csv"
    secret.write_text("x")
    (bench.drop / "toeleiding-link.csv").symlink_to(secret)
    os.mkfifo(bench.drop / "toeleiding-pijp.csv")
    (bench.drop / "toeleiding-map.csv").mkdir()
    bench.put("toeleidingen.csv", row(1))
    bench.run(hub.url)
    assert len(hub.events) == 1
    assert (bench.drop / "toeleiding-link.csv").is_symlink()
    assert secret.read_text() == "x"


def test_the_inbox_is_written_once_in_the_partners_layout(bench: Bench, hub: StubHub) -> None:
    """Delivered events are lines of the partner's own file, formulas made harmless."""
    hub.inbox = [delivered(n, remarks=f"=HYPERLINK({n})\nx") for n in range(3)]
    hub.inbox.append({**delivered(9), "type": "be.schakel.activation.v1.placement.ended"})
    bench.run(hub.url)
    bench.run(hub.url)
    text = (bench.root / "inbox" / "in.csv").read_bytes().decode("utf-8-sig")
    assert text.splitlines()[:2] == [
        "schakel_id;dossier;eerste contact;opmerking",
        "e-0;D-0;05/03/2026;'=HYPERLINK(0) x",
    ]
    assert len(text.splitlines()) == 4
    other = (bench.root / "inbox" / "overige.csv").read_bytes().decode("utf-8-sig")
    assert "placement.ended" in other


def test_a_fuller_copy_is_a_line_of_its_own(bench: Bench, hub: StubHub) -> None:
    """It replaces the line before it, which stays as it was; the same copy again is no third."""
    fuller = {**delivered(0, remarks="Amina"), "redelivery": 1}
    hub.inbox = [delivered(0, remarks="-"), fuller, fuller]
    bench.run(hub.url)
    hub.inbox.append(fuller)
    bench.run(hub.url)
    text = (bench.root / "inbox" / "in.csv").read_bytes().decode("utf-8-sig")

    assert [line.split(";")[0] for line in text.splitlines()] == ["schakel_id", "e-0", "e-0#1"]
    assert text.splitlines()[2].endswith(";Amina")


def test_the_case_of_a_row_is_known_from_earlier_answers(bench: Bench, hub: StubHub) -> None:
    """A row with the partner's own number only gets the trajectory that an answer told."""
    bench.put("toeleidingen.csv", row(1))
    bench.run(hub.url)
    bench.put("contacten.csv", "D-1;01/03/2026", heading="dossier;op")
    bench.run(hub.url)
    assert hub.events[1]["trajectoryid"] == hub.events[1]["subject"]
    assert len(hub.events[1]["trajectoryid"]) == 36


def delivered(number: int, **data: str) -> dict[str, Any]:
    """One event of the inbox."""
    return {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": "urn:schakel:participant:organiser",
        "type": "be.schakel.activation.v1.referral.accepted",
        "time": "2026-03-04T10:00:00Z",
        "sourcerecordid": f"D-{number}",
        "data": {"first_contact_on": "2026-03-05", **data},
    }
