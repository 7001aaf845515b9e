"""Validation of plain JSON data: everything wrong is named at once, and no value is repeated."""

import copy
from typing import Any

import pytest

from schemas.catalogue import catalogue
from schemas.errors import InvalidData, UnknownFields
from schemas.json_schema import examples
from schemas.validation import MAX_ITEMS, parse

REFERRAL: dict[str, Any] = {
    "programme": "wijk_werken",
    "reason_codes": ["work_rhythm"],
    "contact_person": {"name": "Noor Proefman"},
    "informed": {
        "on": "2026-03-02",
        "channel": "oral",
        "notice_version": "2026-1",
        "language": "nl",
        "by_role": "local_partner",
    },
}
ASSIGNMENT: dict[str, Any] = {
    "assignment_id": "0195a8f0-0000-7000-8000-000000000004",
    "host_org": "urn:be:kbo:1999000348",
    "from": "2026-04-01",
}
PLACEMENT: dict[str, Any] = {
    "programme": "wijk_werken",
    "contract_form": "wijk_werk_agreement",
    "assignments": [ASSIGNMENT],
    "start_date": "2026-04-01",
    "hours_per_week": 19,
    "exit_perspective": "regular_job",
    "insured": True,
}
HOURS: dict[str, Any] = {
    "assignment_id": "0195a8f0-0000-7000-8000-000000000004",
    "period": "2026-03",
    "hours": "42.5",
}


def read(event: str, data: Any, environment: str = "test") -> dict[str, Any]:
    """Parse data as that event's."""
    return parse(catalogue().event(event), data, environment=environment)


def faults(event: str, data: Any, environment: str = "test") -> set[tuple[str, str]]:
    """Give path and code of everything that is wrong."""
    with pytest.raises(InvalidData) as caught:
        read(event, data, environment)
    return {(param.name, param.code) for param in caught.value.invalid}


def test_values_are_normalised() -> None:
    """Numbers, organisations and texts get one form, and null and empty become absent."""
    parsed = read(
        "referral.created",
        {
            **REFERRAL,
            "insz": "71.64.12-123.01",
            "target_org": "URN:BE:KBO:1999.000.150",
            "person": {"phone": "0032 000 12 34 56", "given_name": "  Amina ", "email": None},
            "offer_id": "0195A8F0-0000-7000-8000-00000000000A",
            "availability": {},
            "interests": [],
        },
    )
    assert parsed["insz"] == "71641212301"
    assert parsed["target_org"] == "urn:be:kbo:1999000150"
    assert parsed["person"] == {"phone": "+32000123456", "given_name": "Amina"}
    assert parsed["offer_id"] == "0195a8f0-0000-7000-8000-00000000000a"
    assert "availability" not in parsed
    assert "interests" not in parsed


@pytest.mark.parametrize(
    ("given", "normal"), [("42", "42.00"), ("42.5", "42.50"), ("042.50", "42.50"), ("0", "0.00")]
)
def test_decimals_have_all_their_digits(given: str, normal: str) -> None:
    """However many decimals were written, hours are stored in hundredths."""
    assert read("placement.hours_reported", {**HOURS, "hours": given})["hours"] == normal


@pytest.mark.parametrize(
    "hours", [42.5, 42, "42,5", "-1", "1000", "1.234", "1e2", "NaN", "", " 1", "1" * 200_000, "٤٢"]
)
def test_other_decimals_are_refused(hours: object) -> None:
    """A float loses cents, a comma is read differently elsewhere, and a long one costs time."""
    assert faults("placement.hours_reported", {**HOURS, "hours": hours}) == {
        ("hours", "invalid_decimal")
    }


def test_everything_wrong_is_named_at_once() -> None:
    """A partner mends a row in one go."""
    data = {
        "programme": "work fare",
        "reason_codes": [],
        "person": {"phone": "call me", "birth_date": "1984-02-30", "shoe_size": 43},
        "informed": {"on": "2026-W01-1"},
        "interests": [{"scheme": "free", "label": "x"}, {"scheme": "dream", "label": "x" * 201}],
        "typo": 1,
    }
    assert faults("referral.created", data) == {
        ("programme", "invalid_programme"),
        ("reason_codes", "too_few_items"),
        ("person.phone", "invalid_phone"),
        ("person.birth_date", "invalid_date"),
        ("person.shoe_size", "unknown_field"),
        ("informed.on", "invalid_date"),
        ("informed.channel", "missing"),
        ("informed.notice_version", "missing"),
        ("informed.language", "missing"),
        ("informed.by_role", "missing"),
        ("interests[1].scheme", "unknown_code"),
        ("interests[1].label", "too_long"),
        ("contact_person", "missing"),
        ("typo", "unknown_field"),
    }


def test_unknown_fields_have_their_own_status() -> None:
    """A misspelt column is 400, a wrong value 422."""
    with pytest.raises(UnknownFields) as unknown:
        read("referral.created", {**REFERRAL, "programe": "wijk_werken"})
    assert unknown.value.status == 400
    with pytest.raises(InvalidData) as wrong:
        read("referral.created", {**REFERRAL, "programme": "x"})
    assert wrong.value.status == 422


def test_header_is_not_data() -> None:
    """A sender cannot bring a header along."""
    assert faults("referral.created", {**REFERRAL, "header": {}}) == {("header", "unknown_field")}


def test_no_value_is_repeated_in_an_error() -> None:
    """Refused values may be personal, so that no sentence and no fact holds one."""
    canary = "Canarypersoon"
    data = {**REFERRAL, "insz": canary, "person": {"phone": canary, "birth_date": canary}}
    with pytest.raises(InvalidData) as caught:
        read("referral.created", data)
    error = caught.value
    said = [error.detail.nl, error.detail.en, str(error), repr(error.facts)]
    said += [text for param in error.invalid for text in (param.reason.nl, param.reason.en)]
    assert not any(canary in text for text in said)


def test_long_unknown_name_is_cut() -> None:
    """A name is echoed, so that it is bounded."""
    ((name, _),) = faults("referral.acknowledged", {"x" * 10_000: 1})
    assert len(name) == 64


@pytest.mark.parametrize("data", [[], "text", 1, None, True])
def test_data_is_an_object(data: object) -> None:
    """Anything else is refused as such."""
    assert faults("referral.created", data) >= {("", "wrong_type")}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("programme", "UNKNOWN", "invalid_programme"),
        ("programme", ["wijk_werken"], "invalid_programme"),
        ("programme", 3, "invalid_programme"),
        ("reason_codes", "work_rhythm", "wrong_type"),
        ("reason_codes", ["UNKNOWN"], "unknown_code"),
        ("person", "Amina", "wrong_type"),
        ("person", [], "wrong_type"),
        ("interpreter", "true", "wrong_type"),
        ("interpreter", 1, "wrong_type"),
        ("note", "x" * 501, "too_long"),
        ("note", "", "empty"),
        ("note", "  ", "empty"),
        ("note", "bell\x07", "invalid_characters"),
        ("note", "lone \ud800", "invalid_characters"),
        ("note", "nummer 71.64.12-123.01", "identification_number"),
        ("note", "BE68 5390 0754 7034", "identification_number"),
        ("note", 5, "wrong_type"),
        ("consent_ref", "line\nbreak", "invalid_characters"),
        ("consent_ref", "71641212301", "identification_number"),
        ("offer_id", "12", "invalid_uuid"),
        ("offer_id", 12, "invalid_uuid"),
        ("target_org", "OCMW Tienen", "invalid_urn"),
        ("target_org", "urn:be:kbo:1999000151", "invalid_kbo"),
        ("expires_on", "20260630", "invalid_date"),
        ("expires_on", "2026-6-30", "invalid_date"),
        ("expires_on", "30/06/2026", "invalid_date"),
        ("expires_on", "9999-12-31", "invalid_date"),
        ("expires_on", 20260630, "invalid_date"),
        ("insz", "71641212302", "invalid_insz"),
        ("insz", 71641212301, "wrong_type"),
    ],
)
def test_wrong_value_is_named(field: str, value: object, code: str) -> None:
    """Each kind of value is checked for what it has to be."""
    found = {
        path.partition("[")[0]: found
        for path, found in faults("referral.created", {**REFERRAL, field: value})
    }
    assert found == {field: code}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("postcode", "330", "invalid_postcode"),
        ("postcode", 3300, "invalid_postcode"),
        ("nis", "0241", "invalid_nis"),
        ("email", "amina at example.org", "invalid_email"),
        ("email", "a@" + "b" * 5000, "invalid_email"),
        ("language", "klingon", "unknown_code"),
    ],
)
def test_wrong_detail_of_a_person_is_named(field: str, value: object, code: str) -> None:
    """The path leads to the field inside the person."""
    data = {**REFERRAL, "person": {field: value}}
    assert faults("referral.created", data) == {(f"person.{field}", code)}


@pytest.mark.parametrize("value", [0, 51, 19.0, "19", True])
def test_numbers_are_whole_and_in_range(value: object) -> None:
    """True is no number, and 19.0 is not the whole number 19."""
    ((path, _),) = faults("placement.planned", {**PLACEMENT, "hours_per_week": value})
    assert path == "hours_per_week"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 91, "50.8", True])
def test_coordinates_are_finite_and_on_earth(value: object) -> None:
    """NaN passes JSON readers and every comparison; it stops here."""
    data = {"location": {"name": "Buurttuin De Proef", "lat": value}}
    ((path, _),) = faults("offer.updated", data)
    assert path == "location.lat"


def test_month_of_follow_up_is_one_of_three() -> None:
    """After 3, 6 and 12 months, and no other."""
    assert read("outcome.follow_up_recorded", {"month": 6}) == {"month": 6}
    assert faults("outcome.follow_up_recorded", {"month": 5}) == {("month", "out_of_range")}


def test_lists_are_bounded() -> None:
    """A list that nobody fills by hand is refused before its items are looked at."""
    days = [{"date": "2026-03-02", "kind": "absent_with_notice"}] * (MAX_ITEMS + 1)
    assert faults("placement.hours_reported", {**HOURS, "absences": days}) == {
        ("absences", "too_many_items")
    }


def test_nbsp_of_a_spreadsheet_is_no_control_character() -> None:
    """What Excel puts in names is text."""
    data = {**REFERRAL, "person": {"given_name": "Anne\u00a0Marie"}}
    assert read("referral.created", data)["person"]["given_name"] == "Anne\u00a0Marie"


def test_environment_decides_on_numbers() -> None:
    """Test numbers in test installations only."""
    data = {**REFERRAL, "insz": "71641212301"}
    assert read("referral.created", data)["insz"] == "71641212301"
    assert faults("referral.created", data, "production") == {("insz", "invalid_insz")}


def test_other_reason_needs_a_text() -> None:
    """`other` alone says nothing."""
    assert faults("referral.declined", {"reason": "other"}) == {("reason_text", "missing")}
    assert read("referral.declined", {"reason": "other", "reason_text": "Te ver."})


def test_not_placed_needs_a_reason() -> None:
    """Placed needs none."""
    assert faults("referral.closed", {"result": "not_placed"}) == {("reason", "missing")}
    assert read("referral.closed", {"result": "placed"})


@pytest.mark.parametrize(
    "hosts", [{}, {"host_org": "urn:be:kbo:1999000348", "household": {"id": "g1"}}]
)
def test_assignment_has_exactly_one_host(hosts: dict[str, Any]) -> None:
    """An organisation or a household, never both or none."""
    assignment = {key: value for key, value in ASSIGNMENT.items() if key != "host_org"} | hosts
    assert faults("placement.planned", {**PLACEMENT, "assignments": [assignment]}) == {
        ("assignments[0].host_org", "exactly_one"),
        ("assignments[0].household", "exactly_one"),
    }


def test_end_is_not_before_start() -> None:
    """Dates of one record are compared."""
    assert faults("placement.planned", {**PLACEMENT, "planned_end": "2026-03-31"}) == {
        ("planned_end", "too_early")
    }


def test_start_needs_what_planning_did_not() -> None:
    """A placement may be planned without a declaration and not started without."""
    assert read("placement.planned", PLACEMENT)
    assert faults("placement.started", PLACEMENT) == {("declaration", "missing")}


def test_activity_is_in_the_list() -> None:
    """The activity list is data of its own and checked as such."""
    assignment = {**ASSIGNMENT, "activity_code": "brain_surgery"}
    assert faults("placement.planned", {**PLACEMENT, "assignments": [assignment]}) == {
        ("assignments[0].activity_code", "unknown_code")
    }


def test_correction_holds_changed_fields_only() -> None:
    """Nothing is required of it, inside a record either."""
    assert read("referral.corrected", {"informed": {"channel": "paper"}}) == {
        "informed": {"channel": "paper"}
    }


@pytest.mark.parametrize("data", [{}, {"note": None}, {"availability": {}}])
def test_correction_changes_something(data: dict[str, Any]) -> None:
    """A correction of nothing is a mistake of the sender's."""
    assert faults("referral.corrected", data) == {("", "nothing_changed")}


@pytest.mark.parametrize("list_", [[]])
def test_correction_clears_a_list_by_name(list_: list[object]) -> None:
    """An empty list would be lost on the way; `cleared` says it."""
    assert faults("referral.corrected", {"interests": list_}) == {("interests", "empty")}
    assert read("referral.corrected", {"cleared": ["interests"]})


@pytest.mark.parametrize(
    "path",
    [
        "programme",
        "informed",
        "informed.on",
        "insz",
        "cleared",
        "nonsense",
        "interests[].label",
        "",
    ],
)
def test_only_clearable_fields_are_cleared(path: str) -> None:
    """What has to be there, what belongs to another event and what does not exist stays."""
    ((name, _),) = faults("referral.corrected", {"cleared": [path]})
    assert name == "cleared[0]"


def test_field_is_not_cleared_and_set_at_once() -> None:
    """One of the two is a mistake."""
    data = {"availability": {"from": "2026-04-01"}, "cleared": ["availability.from"]}
    assert faults("referral.corrected", data) == {("cleared[0]", "not_clearable")}
    data = {"availability": {"from": "2026-04-01"}, "cleared": ["availability.dayparts"]}
    assert read("referral.corrected", data) == data


def test_items_of_a_corrected_list_are_complete() -> None:
    """Lists are replaced whole."""
    data = {"assignments": [{"assignment_id": ASSIGNMENT["assignment_id"]}]}
    assert faults("placement.corrected", data) == {("assignments[0].from", "missing")}


def test_scope_may_be_everything() -> None:
    """An objection without limits has an empty scope, which is not no scope."""
    assert read("subject.objection_recorded", {"scope": {}}) == {"scope": {}}
    assert faults("subject.objection_recorded", {}) == {("scope", "missing")}


def test_unknown_field_names_the_one_that_is_meant() -> None:
    """All of them at once, each with the name that comes closest; none when nothing does."""
    with pytest.raises(UnknownFields) as caught:
        read("referral.created", {**REFERRAL, "programe": "x", "reasoncodes": [], "qqq": 1})
    reasons = {one.name: one.reason for one in caught.value.invalid}

    assert set(reasons) == {"programe", "reasoncodes", "qqq"}
    assert "programme?" in reasons["programe"].nl
    assert "reason_codes?" in reasons["reasoncodes"].en
    assert "Bedoelt" not in reasons["qqq"].nl


ENDED = {"end_date": "2026-05-28", "early": False}


@pytest.mark.parametrize(
    ("name", "data", "hint"),
    [
        ("placement.ended", {**ENDED, "reason": "goalreached"}, "goal_reached"),
        ("placement.ended", {**ENDED, "reason": "Goal-Reached"}, "goal_reached"),
        ("referral.created", {**REFERRAL, "guidance_need": "veel"}, "high, low, medium"),
        ("placement.ended", {**ENDED, "reason": "zzz"}, "schakel schemas codes end_reason"),
    ],
)
def test_unknown_code_tells_the_codes(name: str, data: dict[str, Any], hint: str) -> None:
    """A short list whole, of a long one the nearest, and where all of them are."""
    with pytest.raises(InvalidData) as caught:
        read(name, data)
    (found,) = caught.value.invalid

    assert hint in found.reason.nl
    assert hint in found.reason.en


def test_suggestions_stop_when_much_is_wrong() -> None:
    """Comparing names costs time, so that the first twenty faults get a hint."""
    with pytest.raises(InvalidData) as caught:
        read("offer.updated", {"dayparts": ["mondaymorning"] * 100})
    hinted = ["Bedoelt u" in one.reason.nl for one in caught.value.invalid]

    assert hinted == [True] * 20 + [False] * 80


REQUIRED = [
    (event.name, field.path)
    for event in catalogue().all()
    for field in event.fields
    if field.required
]


@pytest.mark.parametrize(("name", "path"), REQUIRED)
def test_every_required_field_is_asked(name: str, path: str) -> None:
    """Left out of an example that has it, the field is named and nothing else is."""
    event = catalogue().event(name)
    found = [_at_home(one) if ".household." in path else one for one in examples(event)]
    data = next(one for one in found if _holds(one, path.split(".")))
    without = copy.deepcopy(data)
    _remove(without, path.split("."))

    with pytest.raises(InvalidData) as caught:
        parse(event, without, environment="test")
    named = {(one.name, one.code) for one in caught.value.invalid}
    assert named == {(path.replace("[]", "[0]"), "missing")}
    assert all(one.reason.nl and one.reason.en for one in caught.value.invalid)


def _at_home(data: dict[str, Any]) -> dict[str, Any]:
    """The example with its work in a household."""
    work = {**ASSIGNMENT, "household": {"id": "g1", "name": "Proefgezin"}}
    del work["host_org"]
    key = "assignments" if "assignments" in data else "assignment"
    return {**data, key: [work] if key == "assignments" else work}


def _holds(data: Any, path: list[str]) -> bool:
    value = data.get(path[0].removesuffix("[]"))
    if path[0].endswith("[]"):
        value = value[0] if value else None
    if len(path) == 1 or value is None:
        return value is not None
    # Its siblings keep the record from being empty, which would be the parent's absence.
    return _holds(value, path[1:]) and len(value) > 1


def _remove(data: Any, path: list[str]) -> None:
    if len(path) == 1:
        del data[path[0]]
        return
    inner = data[path[0].removesuffix("[]")]
    _remove(inner[0] if path[0].endswith("[]") else inner, path[1:])


def test_most_hours_are_not_below_the_fewest() -> None:
    """A range runs upwards."""
    assert faults("offer.updated", {"hours_per_week": {"min": 19, "max": 8}}) == {
        ("hours_per_week.max", "too_low")
    }


def test_conditions_are_written_down() -> None:
    """An offer that stays under conditions says which."""
    decided = {"decision": "conditions", "decided_by": "urn:be:kbo:1999000150"}
    assert faults("offer.displacement_resolved", decided) == {("conditions", "missing")}
