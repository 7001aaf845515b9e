"""Figures from facts: what an indicator comes to, in cells that are large enough to publish.

Facts of a question are read and added up by municipality, month and series (programme, channel,
reason); `rollup.py` says which of them go together, and here each such group gets its number.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from consumers import rollup
from consumers.rollup import ROUNDING, Group, rounded
from consumers.scope import WHOLE_HUB, Scope, scoped
from consumers.tables import fact_owners, facts
from schemas import territory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from schemas.indicators import Filter, Indicator

PROGRAMME, CHANNEL, REASON, PARTICIPANT = "programme", "channel", "reason", "participant"
SERIES = (PROGRAMME, CHANNEL, REASON, PARTICIPANT)
AT_LEAST, AT_MOST = "at_least", "at_most"
MOST = 100

Series = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        first, last: months, both included.
        until: the month that counts as begun; nothing is shown after it.
        series: what is told apart, out of `SERIES`.
        place: the lowest level of places, and `time` of periods, as `rollup.py` names them.
        nis: municipalities that a cell has to touch; None for all.
        owner: participant whose own cases are counted, as they are; None for everybody's.
    """

    indicator: Indicator
    first: str
    last: str
    until: str
    series: frozenset[str] = frozenset()
    place: str = rollup.MUNICIPALITY
    time: str = rollup.MONTH
    nis: frozenset[str] | None = None
    programme: str | None = None
    owner: str | None = None

    @property
    def k(self) -> int:
        """The smallest cell of this question; one's own cases and offers are shown as they are."""
        return rollup.K if self.owner is None and self.indicator.about_persons else 0


@dataclass(frozen=True, slots=True)
class Cell:
    """One published number.

    Attributes:
        number: how many facts it is about, rounded unless they are one's own.
        value: the figure; None when suppressed, or when either part of a share is too small.
        bound: whether `value` is only a lower or upper bound.
    """

    group: Group
    series: dict[str, str | None]
    number: int | None
    value: float | None
    bound: str | None = None


@dataclass(slots=True)
class Amount:
    """What facts add up to; two amounts add up too."""

    number: int = 0
    hits: int = 0
    total: int = 0
    days: Counter[int] = field(default_factory=Counter)

    def add(self, other: Amount) -> None:
        """Add what another holds."""
        self.number += other.number
        self.hits += other.hits
        self.total += other.total
        self.days.update(other.days)


@dataclass(slots=True)
class Read:
    """Everything that one question needs, by series, municipality and month."""

    amounts: dict[Series, dict[tuple[str, str], Amount]] = field(default_factory=dict)
    rule_sets: set[str] = field(default_factory=set)


def read(connection: sa.Connection, question: Question) -> Read:
    """Add the facts of a question up; blocks on the store."""
    found = Read()
    for row in connection.execute(_query(question)).mappings():
        if not _fits(row, question.indicator.of):
            continue
        hit = _fits(row, question.indicator.where)
        if not hit and question.indicator.measure != "share":
            continue
        series = tuple(_value(row, name, question.indicator) for name in _told(question))
        place = (_today(row["nis"]), row["month"])
        amount = found.amounts.setdefault(series, {}).setdefault(place, Amount())
        amount.add(_amount(row, hit=hit))
        if row["rule_set"] is not None and row["month"] >= question.first:
            found.rule_sets.add(row["rule_set"])
    return found


def _query(question: Question) -> sa.Select[Any]:
    """Facts of the whole years asked for, of a stock all before; taken back ones cancel out."""
    column = facts.c
    names = ("month", "nis", "programme", "channel", "code", "detail", "days", "rule_set")
    keys: list[Any] = [column[name] for name in names]
    owned = question.owner is not None or PARTICIPANT in question.series
    if PARTICIPANT in question.series:
        keys.append(fact_owners.c.participant)
    many = sa.func.sum(column["count"]).label("many")
    total = sa.func.sum(column["count"] * sa.func.coalesce(column.value, 0)).label("total")
    query = sa.select(*keys, many, total).group_by(*keys)
    query = query.where(
        column.indicator == question.indicator.fact, column.month <= f"{question.last[:4]}-12"
    )
    if question.indicator.measure != "stock":
        query = query.where(column.month >= f"{question.first[:4]}-01")
    if question.programme is not None:
        query = query.where(column.programme == question.programme)
    if not owned:
        return query
    joined = query.join(fact_owners, fact_owners.c.fact_id == column.fact_id)
    return scoped(joined, WHOLE_HUB if question.owner is None else Scope(question.owner))


def _fits(row: Mapping[Any, Any], wanted: Filter) -> bool:
    return all(row[name] in codes for name, codes in wanted.items())


def _told(question: Question) -> list[str]:
    return [name for name in SERIES if name in question.series]


def _value(row: Mapping[Any, Any], name: str, indicator: Indicator) -> str | None:
    column = indicator.reason or "code" if name == REASON else name
    found: str | None = row[column]
    return found


def _today(nis: str) -> str:
    return territory.current(nis) if nis in territory.known_codes() else nis


def _amount(row: Mapping[Any, Any], *, hit: bool) -> Amount:
    many = int(row["many"])
    days: Counter[int] = Counter()
    if row["days"] is not None:
        days[row["days"]] = many
    return Amount(many, many if hit else 0, int(row["total"]), days)


def cells(found: Read, question: Question, tree: rollup.Place) -> list[Cell]:
    """The published cells, by series, place and period. Pure."""
    told = _told(question)
    made: list[Cell] = []
    for series in sorted(found.amounts, key=lambda one: [name or "" for name in one]):
        table = Table(found.amounts[series], question)
        named = dict(zip(told, series, strict=True))
        made += [table.cell(group, named) for group in _groups(table, question, tree)]
    return made


def _groups(table: Table, question: Question, tree: rollup.Place) -> Iterable[Group]:
    for year in range(int(question.first[:4]), int(question.last[:4]) + 1):
        months = rollup.year_tree(year, question.until, question.time)
        if months is None:
            continue
        for group in rollup.division(tree, months, table.number, question.k):
            asked = any(question.first <= one <= question.last for one in group.period.months)
            if asked and (question.nis is None or question.nis & set(group.place.nis)):
                yield group


class Table:
    """The amounts of one series."""

    def __init__(self, amounts: Mapping[tuple[str, str], Amount], question: Question) -> None:
        self._question = question
        self._amounts = amounts
        self._by_place: dict[str, list[tuple[str, Amount]]] = {}
        for (nis, month), amount in sorted(amounts.items(), key=lambda one: one[0]):
            self._by_place.setdefault(nis, []).append((month, amount))

    def number(self, places: tuple[str, ...], months: tuple[str, ...]) -> int:
        """How many there are together; of a stock, at the end."""
        amount = self._sum(places, months)
        indicator = self._question.indicator
        in_places = indicator.measure == "stock" and indicator.column == "value"
        return amount.total if in_places else amount.number

    def cell(self, group: Group, series: dict[str, str | None]) -> Cell:
        """The number of a group."""
        if group.suppressed:
            return Cell(group, series, None, None)
        amount = self._sum(group.place.nis, group.period.months)
        number = self.number(group.place.nis, group.period.months)
        value, bound = self._figure(amount, number)
        return Cell(group, series, self._shown(number), value, bound)

    def _sum(self, places: tuple[str, ...], months: tuple[str, ...]) -> Amount:
        whole = Amount()
        stock = self._question.indicator.measure == "stock"
        for nis in places:
            for month, amount in self._by_place.get(nis, ()):
                if month in months or (stock and month <= months[-1]):
                    whole.add(amount)
        return whole

    def _shown(self, number: int) -> int:
        return rounded(number) if self._question.k else number

    def _figure(self, amount: Amount, number: int) -> tuple[float | None, str | None]:
        measure = self._question.indicator.measure
        if measure == "share":
            return self._share(amount)
        if measure == "median":
            return self._median(amount.days), None
        if measure == "mean":
            return (round(amount.total / number, 1) if number else None), None
        return self._shown(amount.total if measure == "sum" else number), None

    def _share(self, amount: Amount) -> tuple[float | None, str | None]:
        """In percent; only a bound when either part is so small that it would be told."""
        k, number, hits = self._question.k, amount.number, amount.hits
        if number <= 0:
            return None, None
        if min(hits, number - hits) >= k:
            return float(round(100 * hits / number)), None
        # Rounding may have added two: the bound has to hold for the smallest number it stands for.
        edge = 100 * k / max(1, self._shown(number) - ROUNDING // 2)
        if max(hits, number - hits) < k or edge >= MOST:
            return None, None
        if hits < k:
            return float(-(-edge // ROUNDING) * ROUNDING), AT_MOST
        return float((MOST - edge) // ROUNDING * ROUNDING), AT_LEAST

    def _median(self, days: Counter[int]) -> float | None:
        """The middle one of those whose days are known, when they are enough."""
        known = sorted((day, many) for day, many in days.items() if many > 0)
        number = sum(many for _, many in known)
        if number < max(1, self._question.k):
            return None
        flat = [day for day, many in known for _ in range(many)]
        middle = (flat[(number - 1) // 2] + flat[number // 2]) / 2
        return middle if self._question.k == 0 else float(round(middle))
