"""`GET /v1/offers`: open places by municipality and programme, before anybody is referred (R13).

No token is needed and no personal data is in it: a neighbourhood organisation looks first and
registers later. The answer is what the ledger holds at that moment; `ETag` spares the rest.
"""

import hashlib
import time
from collections.abc import Collection
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from consumers.clock import date_of
from gateway.api import parameters
from gateway.api.collaborators import Collaborators
from gateway.api.offer_book import Listed, Search, codes_of
from gateway.api.throttle import Throttle
from gateway.exchange.registry import Registry
from schemas import territory
from schemas.codelists import code_list
from schemas.errors import UnknownMunicipality

CACHE_CONTROL: Final = "public, no-cache"
"""Anybody may keep it, and asks each time whether it still holds: capacity is live."""


def router(collaborators: Collaborators) -> APIRouter:
    """The one route; it needs no token."""
    routes = APIRouter()
    throttle = Throttle(time.monotonic)

    @routes.get("/v1/offers")
    async def offers(  # noqa: PLR0917 - one parameter a filter
        request: Request,
        nis: Annotated[str | None, Query(max_length=5)] = None,
        programme: Annotated[str | None, Query(max_length=40)] = None,
        daypart: Annotated[str | None, Query(max_length=40)] = None,
        language: Annotated[str | None, Query(max_length=40)] = None,
        accessibility: Annotated[str | None, Query(max_length=40)] = None,
        activity_code: Annotated[str | None, Query(max_length=40)] = None,
        free: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query's flag
        after: Annotated[str, Query(max_length=64)] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Response:
        throttle.take(request.client.host if request.client else "")
        _check(programme, collaborators.registry().rules.programmes(), "programme")
        _check_codes(
            daypart=daypart,
            language=language,
            accessibility=accessibility,
            activity_code=activity_code,
        )
        wanted = Search(
            on=date_of(collaborators.clock.now_us()).isoformat(),
            nis=None if nis is None else _codes(nis),
            programme=programme,
            daypart=daypart,
            language=language,
            accessibility=accessibility,
            activity=activity_code,
            free=free,
            after=after,
            limit=limit,
        )
        found = await run_in_threadpool(collaborators.offers.search, wanted)
        return _response(request, found, limit, collaborators.registry())

    return routes


def _codes(nis: str) -> tuple[str, ...]:
    try:
        return tuple(codes_of(nis))
    except UnknownMunicipality as error:
        raise parameters.invalid(
            "nis", "unknown_municipality", error.detail.nl, error.detail.en
        ) from error


def _check_codes(**given: str | None) -> None:
    """Refuse a code that its list does not have: an empty answer would look like no places."""
    for name, code in given.items():
        _check(code, code_list(name).codes, name)


def _check(code: str | None, known: Collection[str], name: str) -> None:
    if code is None or code in known:
        return
    listed = ", ".join(known)
    raise parameters.invalid(
        name, "unknown_code", f"Kies uit: {listed}.", f"Choose from: {listed}."
    )


def _response(
    request: Request, found: tuple[Listed, ...], limit: int, registry: Registry
) -> Response:
    following = found[-1].offer.id if len(found) == limit else None
    body = orjson.dumps({"offers": [_card(one, registry) for one in found], "next": following})
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": CACHE_CONTROL}
    known = request.headers.get("if-none-match", "")
    if etag in {one.strip().removeprefix("W/") for one in known.split(",")}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _card(listed: Listed, registry: Registry) -> dict[str, Any]:
    offer = listed.offer
    owner = registry.participant(offer.owner)
    organisation = None if owner is None else registry.organisation(owner.organisation)
    hidden = organisation is None or organisation.sensitive_sender
    return {
        "offer_id": offer.id,
        "nis": territory.current(offer.territory_nis),
        "municipality": territory.municipality(territory.current(offer.territory_nis)).name,
        "organisation": None if hidden or owner is None else owner.name,
        **listed.shown,
        "free_places": offer.free_places,
        "waiting": offer.waiting,
    }
