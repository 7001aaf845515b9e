"""Figures over HTTP: who may read which, as JSON and as CSV, and never a small cell."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from consumers.clock import FixedClock
from consumers.database import Stores, open_engine
from gateway.api.application import create_app
from gateway.api.collaborators import Collaborators
from gateway.api.completions import Completions
from gateway.api.evidence import StoredFigures
from schemas.indicators import indicators
from tests.consumers.fact_store import fact, keep
from tests.gateway.api import fakes
from tests.gateway.api.asgi import AsgiClient
from tests.gateway.api.conftest import roles
from tests.gateway.exchange import cast
from tests.store_fixtures import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import httpx
    import sqlalchemy as sa

    from schemas.facts import Fact

TOWN, VDAB, OCMW, ORGANISER = (cast.RELATED[role] for role in "GVOW")
YEAR = {"from": "2026-01", "to": "2026-05"}


@dataclass(frozen=True, slots=True)
class Desk:
    """The interface on a real store of facts."""

    client: AsgiClient
    writer: sa.Engine

    def keep(self, given: Sequence[Fact]) -> None:
        """Facts as the worker would have kept them."""
        keep(self.writer, given)

    def ask(
        self, participant: str, indicator: str = "inflow", accept: str = "*/*", **query: str
    ) -> httpx.Response:
        """One question; a month or year is always named."""
        headers = {"authorization": f"Bearer {participant}", "accept": accept}
        headers["accept-language"] = query.pop("language", "en")
        params = {"indicator": indicator, **YEAR, **query}
        return self.client.call("GET", "/v1/evidence", headers=headers, params=params)

    def cells(self, participant: str, indicator: str = "inflow", **query: str) -> list[Any]:
        """The cells of an answer that has to come."""
        answer = self.ask(participant, indicator, **query)
        assert answer.status_code == 200, answer.text
        found: list[Any] = answer.json()["cells"]
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An interface whose only real part is the evidence."""
    url = Stores.sqlite(tmp_path).consumers
    migrate(url, "consumers")
    writer, reader = open_engine(url), open_engine(url, read_only=True)
    with AsgiClient(create_app(collaborators(StoredFigures(reader)))) as client:
        yield Desk(client, writer)
    writer.dispose()
    reader.dispose()


def collaborators(figures: StoredFigures | None) -> Collaborators:
    """An interface on fakes, with or without evidence."""
    completions = Completions()
    return Collaborators(
        environment="test",
        verifier=fakes.ReadableTokens(roles()),
        registry=cast.registry,
        ledger=fakes.InstantLedger(completions),
        completions=completions,
        clock=FixedClock(cast.NOW),
        feed=fakes.ListFeed(),
        cases=fakes.NoCases(),  # type: ignore[arg-type] # a class of ours, faked whole
        offers=fakes.NoOffers(),  # type: ignore[arg-type] # likewise
        journeys=fakes.NoJourneys(),
        tracing=fakes.NoTracing(),
        figures=figures,
    )


def many(number: int, **changes: Any) -> list[Fact]:
    """So many referrals of May in the cast's municipality."""
    values = {"nis": cast.NIS, "channel": "P", "programme": "wijk_werken", **changes}
    return [fact("referral_inflow", **values)] * number


def test_a_town_reads_its_figures_and_the_cell_says_what_it_covers(desk: Desk) -> None:
    """Twelve in the year and too few in each month: one cell, of the year."""
    desk.keep([*many(6), *many(6, month="2026-02")])
    (cell,) = desk.cells(TOWN)

    assert (cell["value"], cell["number"], cell["suppressed"]) == (10, 10, False)
    assert cell["place"]["code"] == cast.NIS
    assert (cell["period"]["level"], cell["rolled_up"]) == ("year", True)
    assert cell["remark"] == "year"


def test_a_small_neighbour_is_not_told_apart(desk: Desk) -> None:
    """Two that are small in two areas are published as what is left of their region."""
    desk.keep([*many(30), *many(6, nis="24062"), *many(5, nis="24020")])
    found = desk.cells(cast.STRANGERS["V"], by="year,municipality")

    told = [(one["place"]["code"], one["place"]["rest"], one["value"]) for one in found]
    assert sorted(told) == [(cast.NIS, False, 30), ("oost-brabant", True, 10)]


def test_fewer_than_ten_in_all_say_only_that(desk: Desk) -> None:
    """No number, and a sentence in the caller's language."""
    desk.keep(many(9))
    (cell,) = desk.cells(TOWN, language="nl")

    assert (cell["value"], cell["number"], cell["suppressed"]) == (None, None, True)
    assert cell["remark"] == "Minder dan 10 in het geheel: niet getoond."


def test_an_ocmw_reads_its_own_cases_as_they_are(desk: Desk) -> None:
    """Three are three, for the one whose they are; everybody's figures on request."""
    desk.keep([*many(3, concerned=(OCMW,)), *many(20, concerned=(cast.STRANGERS["O"],))])
    answer = desk.ask(OCMW).json()
    (everybody,) = desk.cells(OCMW, own="false")

    assert (answer["own"], answer["smallest_cell"]) == (True, None)
    assert [(one["value"], one["period"]["from"]) for one in answer["cells"]] == [(3, "2026-05")]
    assert everybody["value"] == 25
    assert desk.cells(ORGANISER) == []


@pytest.mark.parametrize(
    ("who", "query", "status", "code"),
    [
        (cast.RELATED["P"], {}, 403, "figures_refused"),
        (cast.RELATED["H"], {}, 403, "figures_refused"),
        (TOWN, {"nis": "11002"}, 403, "figures_refused"),
        (TOWN, {"own": "true"}, 403, "figures_refused"),
        (f"{TOWN}+sj_offer_write", {}, 403, "missing_scope"),
        (TOWN, {"indicator": "instroom"}, 400, "unknown_indicator"),
        (TOWN, {"nis": "99999"}, 400, "invalid_parameter"),
        (TOWN, {"from": "mei"}, 400, "invalid_parameter"),
        (TOWN, {"from": "2026-06"}, 400, "invalid_parameter"),
        (TOWN, {"by": "week"}, 400, "invalid_parameter"),
        (TOWN, {"by": "month,year"}, 400, "invalid_parameter"),
        (TOWN, {"by": "reason"}, 400, "invalid_parameter"),
        (TOWN, {"by": "participant"}, 400, "invalid_parameter"),
        (TOWN, {"programme": "pwa"}, 400, "invalid_parameter"),
        (TOWN, {"accept": "text/html"}, 406, "not_acceptable"),
    ],
)
def test_what_may_not_be_asked_is_a_coded_problem(
    desk: Desk, who: str, query: dict[str, str], status: int, code: str
) -> None:
    """Role, territory, scope and each parameter."""
    answer = desk.ask(who, **query)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_partners_are_told_apart_for_those_who_oversee(desk: Desk) -> None:
    """By name, and never for one of the partners."""
    given = [
        fact("registration", nis=cast.NIS, code=code, concerned=(cast.RELATED["P"],))
        for code in ("created", "corrected")
        for _ in range(20)
    ]
    desk.keep(given)
    (cell,) = desk.cells(VDAB, "corrections", by="year,participant")

    assert (cell["participant"]["label"], cell["value"]) == (cast.RELATED["P"], 50)
    refused = desk.ask(ORGANISER, "corrections", by="participant", own="false")
    assert refused.json()["code"] == "figures_refused"


def test_csv_opens_in_a_dutch_spreadsheet(desk: Desk) -> None:
    """Byte order mark, semicolons, decimal comma, labels in Dutch."""
    days = [fact("placement_guidance", nis=cast.NIS, value=value) for value in (30, 31) * 10]
    desk.keep([*days, *many(12)])
    answer = desk.ask(TOWN, "guidance_minutes", accept="text/csv", language="nl")
    told = desk.ask(
        TOWN, accept="text/csv", language="nl", by="year,municipality,programme,channel"
    )

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbfplaatsniveau;")
    (line,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";")
    assert (line["plaats"], line["aantal"], line["cijfer"]) == ("Tienen", "20", "30,5")
    (line,) = csv.DictReader(io.StringIO(told.text.removeprefix("\ufeff")), delimiter=";")
    assert (line["programma"], line["kanaal"]) == ("Wijk-werken", "lokale partner")


def test_the_rules_that_applied_are_named(desk: Desk) -> None:
    """Figures before and after a change of rules can be told apart."""
    desk.keep([*many(12), *many(12, rule_set="wijk_werken-2027-1")])

    assert desk.ask(TOWN).json()["rule_sets"] == ["wijk_werken-2018-1", "wijk_werken-2027-1"]


def test_a_forecast_looks_ahead(desk: Desk) -> None:
    """The months to come are shown where that is the point (R12)."""
    desk.keep([fact("benefit_end", nis=cast.NIS, month="2026-09")] * 12)
    found = desk.ask(TOWN, "inflow_forecast", **{"from": "2026-06", "to": "2026-12"}).json()

    assert [one["value"] for one in found["cells"]] == [10]


def test_definitions_are_those_of_the_data(desk: Desk) -> None:
    """Every indicator with its words."""
    headers = {"authorization": f"Bearer {TOWN}"}
    found = desk.client.call("GET", "/v1/evidence/indicators", headers=headers).json()

    assert [one["code"] for one in found["indicators"]] == list(indicators())
    assert found["indicators"][0]["title"] == "Instroom"


def test_answers_are_as_described(desk: Desk) -> None:
    """An answer with every kind of column fits the description."""
    desk.keep(many(12))
    document = desk.client.call("GET", "/openapi.json").json()
    schema = {"$ref": "#/components/schemas/Evidence", "components": document["components"]}
    answer = desk.ask(TOWN, by="month,municipality,programme,channel")

    assert answer.json()["cells"]
    assert list(Draft202012Validator(schema).iter_errors(answer.json())) == []


def test_figures_are_off_until_somebody_is_responsible() -> None:
    """Without a store of facts there is a coded refusal that names the setting."""
    with AsgiClient(create_app(collaborators(None))) as client:
        answer = Desk(client, None).ask(TOWN)  # type: ignore[arg-type] # nothing is kept

    assert (answer.status_code, answer.json()["code"]) == (403, "evidence_off")
    assert "SCHAKEL_EVIDENCE_CONTROLLER" in answer.json()["detail"]
