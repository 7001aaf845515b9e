"""Projection: nothing outside audience and field sets ever survives."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import EventType, Field, catalogue
from schemas.errors import Message
from schemas.projection import admits, projection
from schemas.vocabulary import FIELDSETS

ROLES = ("V", "O", "W", "P", "H", "S", "T", "G", "D")
RELATIONS = (
    *("referrer", "target", "handler", "endorser", "candidate", "case_holder", "organiser"),
    *("proposed_holder", "offered_holder", "host", "recorder", "offer_owner", "responsible"),
)
NOBODY: frozenset[str] = frozenset()


def leaf(path: str, *audience: str, fieldset: str = "core") -> Field:
    """Return one leaf."""
    return Field(
        path=path,
        type="string",
        required=False,
        sensitivity="S2",
        fieldset=fieldset,
        audience=frozenset(audience),
        format=None,
        doc="",
    )


def event_of(*leaves: Field) -> EventType:
    """Return an event type with these leaves."""
    return EventType(
        name="referral.tested",
        record="ReferralTested",
        label=Message(nl="", en=""),
        doc="",
        aggregate_type="referral",
        schema={},
        schema_id=0,
        version=1,
        fields=leaves,
        personal=True,
        topic="",
        scope="",
        hub_only=False,
        partial=False,
    )


def leaf_paths(data: Any, prefix: str = "") -> set[str]:
    """Return the paths of all values in plain data, items of arrays as `name[]`."""
    found: set[str] = set()
    for name, value in data.items():
        if isinstance(value, dict):
            found |= leaf_paths(value, f"{prefix}{name}.")
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            for item in value:
                found |= leaf_paths(item, f"{prefix}{name}[].")
        else:
            found.add(prefix + name)
    return found


def filled(event: EventType) -> dict[str, Any]:
    """Return data in which every leaf of an event has a value, arrays two items."""
    data: dict[str, Any] = {}
    for field in event.fields:
        records: list[dict[str, Any]] = [data]
        *parents, name = field.path.split(".")
        for parent in parents:
            plain = parent.removesuffix("[]")
            if parent.endswith("[]"):
                records = [x for r in records for x in r.setdefault(plain, [{}, {}])]
            else:
                records = [record.setdefault(plain, {}) for record in records]
        for record in records:
            record[name] = ["insz"] if field.type.startswith("array") else f"value of {field.path}"
    return data


EVENTS = catalogue().all()


@given(
    event=st.sampled_from(EVENTS),
    role=st.sampled_from(ROLES),
    relations=st.frozensets(st.sampled_from(RELATIONS), max_size=4),
    fieldsets=st.frozensets(st.sampled_from(sorted(FIELDSETS))),
)
def test_nothing_outside_audience_and_fieldsets_survives(
    event: EventType, role: str, relations: frozenset[str], fieldsets: frozenset[str]
) -> None:
    """What is left of completely filled data is exactly what both allow."""
    found = projection(event, role=role, relations=relations, fieldsets=fieldsets)
    allowed = {
        field.path
        for field in event.fields
        if field.fieldset in fieldsets and admits(field, role, relations)
    }

    survived = leaf_paths(found.apply(filled(event)))

    assert survived - {"cleared"} == allowed - {"cleared"}
    assert found.delivered == allowed
    assert set(found.withheld) == {field.path for field in event.fields} - allowed


@given(
    event=st.sampled_from(EVENTS),
    role=st.sampled_from(ROLES),
    relations=st.frozensets(st.sampled_from(RELATIONS), max_size=4),
    fieldsets=st.frozensets(st.sampled_from(sorted(FIELDSETS))),
)
def test_an_agreement_narrows_and_never_widens(
    event: EventType, role: str, relations: frozenset[str], fieldsets: frozenset[str]
) -> None:
    """Fewer field sets give a part of what all give, and all never pass the audience."""
    everything = projection(event, role=role, relations=relations, fieldsets=FIELDSETS)
    granted = projection(event, role=role, relations=relations, fieldsets=fieldsets)

    assert granted.delivered <= everything.delivered
    assert all(
        admits(field, role, relations)
        for field in event.fields
        if field.path in everything.delivered
    )


@given(event=st.sampled_from(EVENTS), extra=st.text(max_size=8))
def test_what_the_schema_does_not_know_is_dropped(event: EventType, extra: str) -> None:
    """A key outside the schema has no audience."""
    found = projection(event, role="V", relations=frozenset(RELATIONS), fieldsets=FIELDSETS)
    known = {field.path.split(".")[0].removesuffix("[]") for field in event.fields}

    assert extra in known or extra not in found.apply({extra: "x"})


@pytest.mark.parametrize(
    ("audience", "role", "relations", "expected"),
    [
        (("all",), "H", NOBODY, True),
        (("V",), "V", NOBODY, True),
        (("V",), "O", NOBODY, False),
        (("handler",), "W", frozenset({"handler"}), True),
        (("handler",), "W", frozenset({"referrer"}), False),
        (("handler:V",), "V", frozenset({"handler"}), True),
        (("handler:V",), "V", frozenset({"referrer"}), False),
        (("handler:V",), "W", frozenset({"handler"}), False),
        ((), "V", frozenset(RELATIONS), False),
    ],
)
def test_audience_entries(
    audience: tuple[str, ...], role: str, relations: frozenset[str], *, expected: bool
) -> None:
    """All, a role letter, a relation, or both at once; unlisted is nobody."""
    assert admits(leaf("a", *audience), role, relations) is expected


def test_withheld_does_not_depend_on_values() -> None:
    """The list is the projection's own, so it cannot tell whether there was a value."""
    event = catalogue().event("referral.created")
    reader = projection(
        event, role="P", relations=frozenset({"referrer"}), fieldsets=frozenset({"core"})
    )

    assert "insz" in reader.withheld
    assert "person.phone" in reader.withheld
    assert "programme" not in reader.withheld
    assert reader.apply({"programme": "wijk_werken"}) == {"programme": "wijk_werken"}


def test_a_record_of_which_nothing_is_left_is_absent_and_arrays_keep_their_length() -> None:
    """Whether a hidden record was there does not show; places in arrays stay the same."""
    event = event_of(
        leaf("person.phone", "V"),
        leaf("rows[].id", "all"),
        leaf("rows[].mentor.name", "V"),
        leaf("secret[].x", "V"),
    )
    data = {
        "person": {"phone": "1"},
        "rows": [{"id": "a", "mentor": {"name": "n"}}, {"mentor": {"name": "m"}}],
        "secret": [{"x": "1"}],
    }

    reader = projection(event, role="H", relations=NOBODY, fieldsets=frozenset({"core"}))

    assert reader.apply(data) == {"rows": [{"id": "a"}, {}]}
    assert data["person"] == {"phone": "1"}


def test_a_correction_names_only_cleared_fields_that_the_reader_gets() -> None:
    """That a hidden field lost its value is hidden as well."""
    event = event_of(
        leaf("cleared", "all"), leaf("a", "all"), leaf("b", "V"), leaf("person.phone", "all")
    )
    reader = projection(event, role="H", relations=NOBODY, fieldsets=frozenset({"core"}))

    assert reader.apply({"cleared": ["a", "b", "person"]}) == {"cleared": ["a", "person"]}
    assert reader.apply({"cleared": ["b"]}) == {}


def test_a_value_of_the_wrong_shape_is_dropped() -> None:
    """Where a record or an array of them is expected, nothing else passes."""
    event = event_of(leaf("person.phone", "all"), leaf("rows[].id", "all"))
    reader = projection(event, role="H", relations=NOBODY, fieldsets=frozenset({"core"}))

    assert reader.apply({"person": "Jan", "rows": "x"}) == {}
    assert reader.apply({"person": None, "rows": ["x"]}) == {"rows": [{}]}


def test_a_host_never_gets_more_than_its_part_of_a_placement() -> None:
    """With every field set granted, H still sees no family name and no reasons."""
    event = catalogue().event("placement.started")
    host = projection(event, role="H", relations=frozenset({"host"}), fieldsets=FIELDSETS)

    assert "given_name" in host.delivered
    assert "start_date" in host.delivered
    assert "exit_perspective" in host.withheld
    assert not any("family_name" in path or "learning_goals" in path for path in host.delivered)


def test_what_may_reveal_health_needs_its_ground() -> None:
    """Under an agreement without a ground of article 9(2) exactly those fields stay behind."""
    event = catalogue().event("placement.started")
    host = {"role": "H", "relations": frozenset({"host"}), "fieldsets": FIELDSETS}
    grounded = projection(event, **host)  # type: ignore[arg-type]  # one dict for two calls
    bare = projection(event, **host, has_art9_ground=False)  # type: ignore[arg-type]  # likewise

    assert grounded.delivered - bare.delivered == {"work_limits"}
    assert bare.delivered < grounded.delivered


def test_projections_are_made_once() -> None:
    """The same reader gets the same object."""
    event = catalogue().event("referral.created")
    reader = {"role": "V", "relations": NOBODY, "fieldsets": FIELDSETS}

    assert projection(event, **reader) is projection(event, **reader)  # type: ignore[arg-type]  # one dict for two calls
