"""The catalogue: every schema keeps the rules that make a field safe to filter and to evolve."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
import yaml

from schemas import avsc
from schemas.catalogue import (
    CASE_TEAM,
    STAFF,
    TEAM,
    EventType,
    catalogue,
    hub_record,
    published_schema,
    schema_ids,
)
from schemas.errors import UnknownEventType
from schemas.fingerprint import fingerprint
from schemas.guards import MAX_DEPTH, check_schema
from schemas.lifecycle import lifecycles
from schemas.publication import framed_records, unpublished
from schemas.vocabulary import FIELDSETS

EVENTS = catalogue().all()
LEAVES = [(event.name, field) for event in EVENTS for field in event.fields]
CLASSES = ("sensitivity", "fieldset", "audience")
HUB_RECORDS = {
    *("EventHeader", "RoutingHeader", "SealedPart", "SealedEvent", "SealedMain", "SealedStaff"),
    "ActivationFact",
}
RELATIONS = {
    *("referrer", "target", "handler", "endorser", "candidate", "case_holder", "organiser"),
    *("proposed_holder", "offered_holder", "host", "recorder", "offer_owner", "responsible"),
    "in_team",
}
LETTERS = set("VOWPHSTGD")
EXPECTED_EVENTS = 97


def data_records() -> Iterator[dict[str, Any]]:
    """Give every record whose fields are data: events and what is nested in them."""
    yield from avsc.event_records().values()
    for name, schema in avsc.named_types().items():
        if schema["type"] == "record" and name not in HUB_RECORDS:
            yield schema


def data_fields() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every data field with the name of its record, headers left out."""
    for record in data_records():
        for field in record["fields"]:
            if field["name"] != "header":
                yield record["name"], field


def is_parent(field: dict[str, Any]) -> bool:
    """Tell whether the field holds a record, or a list of them."""
    kind = avsc.branch(field)
    if isinstance(kind, dict) and kind["type"] == "array":
        kind = avsc.resolve(kind["items"])
    return isinstance(kind, dict) and kind["type"] == "record"


def enums() -> list[dict[str, Any]]:
    """Give every enum."""
    return [schema for schema in avsc.named_types().values() if schema["type"] == "enum"]


def test_every_event_of_the_domain_is_there() -> None:
    """The catalogue has every event, each with an id, a label in both languages and a text."""
    assert len(EVENTS) == EXPECTED_EVENTS
    assert len({event.schema_id for event in EVENTS}) == EXPECTED_EVENTS
    assert all(event.label.nl and event.label.en and event.doc for event in EVENTS)


def test_events_and_lifecycle_tables_name_the_same_events() -> None:
    """Every event in a table has a schema, and every schema is in a table."""
    in_tables = {row.event for table in lifecycles().values() for row in table.transitions}
    assert in_tables == set(catalogue().names)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_record_is_named_for_its_event(event: EventType) -> None:
    """referral.created is ReferralCreated, in a file of its own name's record, version 1."""
    words = event.name.replace(".", "_").split("_")
    assert event.record == "".join(word.capitalize() for word in words)
    assert event.version >= 1
    assert event.schema["namespace"] == avsc.NAMESPACE


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_topic_follows_from_what_the_event_is_about(event: EventType) -> None:
    """Events about a person go to the sealed topic, and only those."""
    assert event.personal == (event.topic == "activation.trajectory.v1")
    assert event.personal == (event.aggregate_type not in ("offer", "agreement", "mandate"))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_header_comes_first(event: EventType) -> None:
    """Every event record starts with a nullable header."""
    header = event.schema["fields"][0]
    assert header["name"] == "header"
    assert header["type"][0] == "null"
    assert header["type"][1]["name"] == "EventHeader"
    assert header["default"] is None


def test_every_data_field_is_nullable_with_default_null() -> None:
    """Nothing ever has to become nullable later, and a filtered copy stays valid."""
    wrong = [
        (record, field["name"])
        for record, field in data_fields()
        if not isinstance(field["type"], list)
        or field["type"][0] != "null"
        or len(field["type"]) != 2
        or field["default"] is not None
    ]
    assert wrong == []


def test_parents_carry_no_class() -> None:
    """Only leaves say who may read them."""
    wrong = [
        (record, field["name"])
        for record, field in data_fields()
        if is_parent(field) and any(key in field for key in CLASSES)
    ]
    assert wrong == []


def test_every_leaf_carries_its_classes_and_a_text() -> None:
    """Sensitivity, one field set and an audience stand on every leaf; all fields have a text."""
    for record, field in data_fields():
        assert len(field["doc"]) > 3, (record, field["name"])
        if not is_parent(field):
            assert all(key in field for key in CLASSES), (record, field["name"])
            assert isinstance(field["fieldset"], str), (record, field["name"])


def test_classes_of_a_leaf_are_known() -> None:
    """Sets, sensitivities and readers come from the vocabulary; every leaf has a reader."""
    for name, field in LEAVES:
        assert field.sensitivity in {"S0", "S1", "S2", "S3", "S4"}, (name, field.path)
        assert field.fieldset in FIELDSETS, (name, field.path)
        assert field.audience, (name, field.path)
        for entry in field.audience:
            relation, _, role = entry.partition(":")
            assert entry == "all" or entry in LETTERS or relation in RELATIONS, entry
            assert not role or role in LETTERS


def test_field_sets_hold_only_their_own_sensitivity() -> None:
    """Core is S0 to S2; names, identities and staff are S3; the rest is S4."""
    for name, field in LEAVES:
        if field.fieldset == "core":
            assert field.sensitivity in {"S0", "S1", "S2"}, (name, field.path)
            assert not field.art9_inferable, (name, field.path)
        elif field.fieldset in {"identify", "name", STAFF}:
            assert field.sensitivity == "S3", (name, field.path)
        else:
            assert field.sensitivity == "S4", (name, field.path)


def test_partners_never_see_what_is_not_theirs() -> None:
    """No role P and no host reads guidance, attendance, rights, an INSZ or an income."""
    closed = {"guidance", "attendance", "rights", "insz"}
    for name, field in LEAVES:
        if field.fieldset not in closed:
            continue
        allowed = {"referrer:P"} if field.path == "advice" else set()
        assert (
            not ({"P", "H", "all", "host", "referrer", "referrer:P"} & field.audience) - allowed
        ), (
            name,
            field.path,
        )


def test_hosts_get_no_referral() -> None:
    """No field of a referral event is addressed to a host but the given name and availability."""
    shown = {
        field.path
        for name, field in LEAVES
        if name.startswith("referral.") and "host" in field.audience
    }
    assert {path.split(".")[-1] for path in shown} <= {
        *("given_name", "hours_per_week", "dayparts", "from"),
    }


def test_outcome_type_and_date_are_in_the_summary_only() -> None:
    """A partner that referred may know what came of it, and no more of the outcome."""
    fields = {field.path: field for field in catalogue().event("outcome.recorded").fields}
    summary = {path for path, field in fields.items() if field.fieldset == "outcome_summary"}
    assert summary == {"type", "on"}
    assert all("referrer" not in fields[path].audience for path in set(fields) - summary)


def test_aliases_are_expanded() -> None:
    """`team` and `case_team` never reach a reader of the catalogue."""
    assert not {"team", "case_team"} & {entry for _, field in LEAVES for entry in field.audience}
    assert catalogue().event("referral.created").fields[0].audience >= TEAM
    assert "referrer" not in CASE_TEAM


@pytest.mark.parametrize("schema", enums(), ids=lambda schema: schema["name"])
def test_every_enum_has_unknown_as_default(schema: dict[str, Any]) -> None:
    """A new symbol does not break an old reader."""
    assert schema["symbols"][0] == schema["default"] == "UNKNOWN"
    assert schema["codelist"]


@pytest.mark.parametrize("record", framed_records())
def test_schemas_are_safe(record: str) -> None:
    """No schema is recursive, has items without width or nests deeper than 16."""
    assert MAX_DEPTH == 16
    check_schema(framed_records()[record])


def test_every_named_type_is_used() -> None:
    """No file describes a type that nothing needs."""
    used = {name for schema in framed_records().values() for name in names_in(schema)}
    used |= names_in(avsc.expand("SealedMain")) | names_in(avsc.expand("SealedStaff"))
    assert set(avsc.named_types()) - used == set()


def names_in(schema: Any) -> set[str]:
    """Give the names of the types defined in a schema."""
    if isinstance(schema, list):
        return set().union(*(names_in(part) for part in schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema["name"]} if schema.get("type") in ("record", "enum") else set()
    inner = [schema.get("items"), schema.get("values"), schema.get("type")]
    inner += [field["type"] for field in schema.get("fields", ())]
    return own.union(*(names_in(part) for part in inner))


def test_correction_has_the_fields_of_what_it_corrects() -> None:
    """A corrected event's fields keep name, type, class and readers of the creating event."""
    partial = [event for event in EVENTS if event.partial]
    assert len(partial) == 5
    for event in partial:
        corrected = catalogue().event(avsc.event_records()[event.record]["corrects"])
        originals = {field.path: field for field in corrected.fields}
        for field in event.fields:
            assert not field.required or "[]" in field.path
            if field.path != "cleared":
                original = originals[field.path]
                assert (field.type, field.fieldset, field.sensitivity, field.audience) == (
                    original.type,
                    original.fieldset,
                    original.sensitivity,
                    original.audience,
                )


def test_person_changes_by_one_event_only() -> None:
    """A correction of a referral holds neither the person nor the INSZ."""
    paths = {field.path for field in catalogue().event("referral.corrected").fields}
    assert not any(path == "insz" or path.startswith("person.") for path in paths)


def test_ids_are_append_only_data() -> None:
    """Ids count up from one, each stands for one schema, and the kept schema is that one."""
    lines = schema_ids()
    assert [line.id for line in lines] == list(range(1, len(lines) + 1))
    assert len({(line.record, line.fingerprint) for line in lines}) == len(lines)
    for line in lines:
        kept = published_schema(line.id)
        assert kept["name"] == line.record
        assert fingerprint(kept) == line.fingerprint


def test_every_schema_has_an_id() -> None:
    """A schema that was changed and not published is found here."""
    assert [new.record for new in unpublished()] == []
    assert hub_record("SealedEvent")[1] != hub_record("ActivationFact")[1]


def test_ids_file_says_that_it_is_append_only() -> None:
    """Whoever opens the file reads what may not be done to it."""
    text = (files("schemas") / "ids.yaml").read_text(encoding="utf-8")
    assert text.startswith("# Append-only")
    assert yaml.safe_load(text)[0]["id"] == 1


def test_unknown_names_and_ids_are_refused() -> None:
    """An event that does not exist is the partner's fault, not ours."""
    with pytest.raises(UnknownEventType):
        catalogue().event("referral.invented")
    for schema_id in (0, 999_999, hub_record("SealedEvent")[1]):
        with pytest.raises(UnknownEventType):
            catalogue().by_schema_id(schema_id)


def test_lookups_agree() -> None:
    """By name and by schema id give the same event type."""
    for event in EVENTS:
        assert catalogue().event(event.name) is event
        assert catalogue().by_schema_id(event.schema_id) is event
