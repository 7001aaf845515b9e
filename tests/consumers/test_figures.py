"""Figures come out of facts as their definition says, and small ones do not come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from consumers import rollup
from consumers.figures import AT_LEAST, AT_MOST, Cell, Question, cells, read
from schemas.indicators import indicator
from tests.consumers.fact_store import NIS, fact, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import sqlalchemy as sa

    from schemas.facts import Fact

OTHER = "24020"
TREE = rollup.place_tree(
    {NIS: "Tienen", OTHER: "Diest"},
    {NIS: ("oost-brabant", "Oost-Brabant"), OTHER: ("oost-brabant", "Oost-Brabant")},
    {NIS: ("w-1", "Wijk-werk"), OTHER: ("w-1", "Wijk-werk")},
    rollup.MUNICIPALITY,
)


@pytest.fixture
def engine(engine_of: Callable[..., sa.Engine]) -> sa.Engine:
    """An empty store of facts."""
    return engine_of("consumers")


def ask(engine: sa.Engine, code: str, given: Sequence[Fact], **changes: Any) -> list[Cell]:
    """The cells of an indicator for the first half of 2026."""
    keep(engine, given)
    wanted = {"first": "2026-01", "last": "2026-06", "until": "2026-06", **changes}
    question = Question(indicator(code), **wanted)
    with engine.connect() as connection:
        return cells(read(connection, question), question, TREE)


def many(number: int, indicator_code: str, **changes: Any) -> list[Fact]:
    """The same fact so many times."""
    return [fact(indicator_code, **changes)] * number


def test_a_count_is_rounded_and_says_where_and_when_it_holds(engine: sa.Engine) -> None:
    """Small in every month, large enough in the year: so the cell is the year's."""
    (cell,) = ask(
        engine, "inflow", many(8, "referral_inflow") + many(4, "referral_inflow", month="2026-01")
    )

    assert (cell.value, cell.number, cell.group.period.level) == (10, 10, "year")
    assert cell.group.place.code == NIS


def test_what_was_taken_back_does_not_count(engine: sa.Engine) -> None:
    """A void leaves what there would have been without it."""
    given = many(20, "referral_inflow") + many(9, "referral_inflow", count=-1)
    (cell,) = ask(engine, "inflow", given)

    assert cell.value == 10
    assert ask(engine, "inflow", many(11, "referral_inflow", count=-1)) == []


def test_fewer_than_ten_are_suppressed(engine: sa.Engine) -> None:
    """The cell is there and holds nothing."""
    (cell,) = ask(engine, "inflow", many(9, "referral_inflow"))

    assert (cell.group.suppressed, cell.number, cell.value) == (True, None, None)


def test_own_cases_are_told_as_they_are_and_those_of_others_not_at_all(engine: sa.Engine) -> None:
    """An OCMW sees its three, and none of the five that are another's."""
    given = many(3, "referral_inflow", concerned=("ocmw-tienen", "vdab"))
    given += many(5, "referral_inflow", concerned=("ocmw-leuven",))
    (cell,) = ask(engine, "inflow", given, owner="ocmw-tienen")

    assert (cell.value, cell.group.period.months) == (3, ("2026-05",))
    assert ask(engine, "inflow", [], owner="caw-hageland") == []


def test_medians_leave_out_what_has_no_days(engine: sa.Engine) -> None:
    """The middle one of those that are known, when there are ten of them."""
    given = [fact("placement_start", days=number) for number in range(11)]
    given += many(5, "placement_start")
    (cell,) = ask(engine, "days_to_start", given)
    (few,) = ask(
        engine,
        "days_to_start",
        many(40, "placement_start", month="2025-05", days=None),
        first="2025-01",
        last="2025-12",
        until="2025-12",
    )

    assert (cell.value, cell.number) == (5.0, 15)
    assert (few.value, few.number) == (None, 40)


@pytest.mark.parametrize(
    ("guided", "not_guided", "value", "bound"),
    [(30, 20, 60.0, None), (97, 3, 85.0, AT_LEAST), (3, 97, 15.0, AT_MOST), (7, 6, None, None)],
)
def test_a_share_whose_part_is_small_is_only_a_bound(
    engine: sa.Engine, guided: int, not_guided: int, value: float | None, bound: str | None
) -> None:
    """Neither who is in it nor who is not can be counted when they are fewer than ten."""
    given = many(guided, "contact_period", code="guided")
    given += many(not_guided, "contact_period", code="no_contact")
    (cell,) = ask(engine, "guided", given, time="year")

    assert (cell.value, cell.bound) == (value, bound)


def test_a_stock_is_what_there_is_at_the_end_of_the_period(engine: sa.Engine) -> None:
    """What came before the period counts too; what left does not."""
    given = many(40, "right_state", code="active", month="2024-03")
    given += many(15, "right_state", code="active", month="2026-04", count=-1)
    given += many(15, "right_state", code="dormant", month="2026-04")
    found = ask(engine, "rights", given, series=frozenset({"reason"}), time="quarter")

    told = [(one.series["reason"], one.group.period.months[-1], one.value) for one in found]
    assert ("active", "2026-03", 40) in told
    assert ("active", "2026-06", 25) in told
    assert {one for one in told if one[0] == "dormant"} == {("dormant", "2026-06", 15)}


def test_places_are_about_no_person_and_told_exactly(engine: sa.Engine) -> None:
    """Two free places are two."""
    given = [fact("places", code="free", value=2), fact("places", code="used", value=1)]
    found = ask(engine, "places", given, series=frozenset({"reason"}), time="year")

    assert [(one.series["reason"], one.value) for one in found] == [("free", 2), ("used", 1)]


def test_means_and_sums_are_of_the_value(engine: sa.Engine) -> None:
    """Minutes a placement, minutes in all."""
    given = [fact("placement_guidance", value=value) for value in (30, 60) * 10]
    (mean,) = ask(engine, "guidance_minutes", given)
    talks = [fact("guidance_contact", code="mentor_talk", value=33)] * 20
    talks += [fact("guidance_contact", code="phone", value=500)]
    (total,) = ask(engine, "mentor_minutes", talks)

    assert mean.value == 45.0
    assert total.value == 660


def test_only_cells_that_were_asked_for_come_out(engine: sa.Engine) -> None:
    """By month and municipality; the division itself is that of the whole year."""
    given = many(12, "referral_inflow", month="2026-01") + many(12, "referral_inflow", nis=OTHER)
    found = ask(engine, "inflow", given, first="2026-05", time="quarter", nis=frozenset({OTHER}))

    assert [one.group.place.code for one in found] == [OTHER]


def test_a_programme_and_its_rules_are_named(engine: sa.Engine) -> None:
    """The rule sets that applied to what is counted."""
    keep(engine, many(12, "referral_inflow", programme="wijk_werken"))
    keep(engine, many(12, "referral_inflow", programme="maatwerk_collectief", rule_set="m-1"))
    question = Question(
        indicator("inflow"), "2026-01", "2026-06", "2026-06", programme="wijk_werken"
    )
    with engine.connect() as connection:
        found = read(connection, question)

    assert found.rule_sets == {"wijk_werken-2018-1"}


def test_a_merged_municipality_counts_where_it_is_today(engine: sa.Engine) -> None:
    """Facts under an old code are those of what it became."""
    question = Question(indicator("inflow"), "2024-01", "2024-12", "2024-12")
    keep(engine, many(12, "referral_inflow", nis="71022", month="2024-11"))
    with engine.connect() as connection:
        found = read(connection, question)

    assert [list(one) for one in found.amounts.values()] == [[("71072", "2024-11")]]


def test_partners_are_told_apart_by_what_they_registered(engine: sa.Engine) -> None:
    """Each one's share of corrections, for whoever may see all."""
    given = [
        fact("registration", code=code, concerned=(name,))
        for name, voided in (("caw", 12), ("vzw", 20))
        for code, number in (("created", 20), ("voided", voided))
        for _ in range(number)
    ]
    found = ask(engine, "corrections", given, series=frozenset({"participant"}), time="year")

    assert [(one.series["participant"], one.value) for one in found] == [
        ("caw", 38.0),
        ("vzw", 50.0),
    ]
