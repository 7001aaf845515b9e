"""`schakel events refer|offers`: the first referral from a terminal, and the places there are.

In a terminal the seven fields are asked one by one; elsewhere they come as options, or as JSON on
standard input, which keeps them out of the list of processes and the shell's history.
"""

from __future__ import annotations

import json
import sys
import uuid
from typing import TYPE_CHECKING, Annotated, Any, Final

import httpx
import typer
from rich.console import Console
from rich.table import Table

from gateway.commands.hub_place import address_of, find
from gateway.commands.json_output import write_json
from gateway.commands.options import (  # noqa: TC001 - typer reads the annotations
    AsJson,
    Credentials,
    Data,
    Hub,
)
from gateway.commands.session import Session, answer_of, unreachable
from gateway.errors import FormIncomplete
from schemas.cli import language
from schemas.codelists import code_list
from schemas.errors import InvalidParam, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

QUESTIONS: Final[dict[str, Message]] = {
    "programme": Message("Programma", "Programme"),
    "reason": Message("Reden", "Reason"),
    "given_name": Message("Voornaam", "Given name"),
    "family_name": Message("Familienaam", "Family name"),
    "phone": Message("Telefoon (of leeg en dan e-mail)", "Phone (or empty, then e-mail)"),
    "email": Message("E-mail", "E-mail"),
    "postcode": Message("Postcode van woon- of verblijfplaats", "Postcode of home or stay"),
    "informed_person_at": Message(
        "Datum waarop de persoon geïnformeerd is (JJJJ-MM-DD)",
        "Day the person was informed (YYYY-MM-DD)",
    ),
}
"""The seven fields in the order in which they are asked; phone or e-mail is one of them."""

WAYS: Final = {"email": Message("E-mail, of een telefoonnummer", "E-mail, or a phone number")}
"""What is missing when there is no way to reach the person; either of the two serves."""

CHOICES: Final = {"programme": "programme", "reason": "referral_reason"}
OFFER_HEADINGS: Final = (
    Message("aanbod", "offer"),
    Message("gemeente", "municipality"),
    Message("titel", "title"),
    Message("vrij", "free"),
    Message("organisatie", "organisation"),
)
PLACES: Final = ("postcode", "nis", "reference_address_of")


def refer(
    *,
    programme: Annotated[
        str | None, typer.Option(help="Code of the programme: schakel schemas codes programme.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Code of the reason: schakel schemas codes referral_reason.")
    ] = None,
    given_name: Annotated[str | None, typer.Option(help="Given name of the person.")] = None,
    family_name: Annotated[str | None, typer.Option(help="Family name of the person.")] = None,
    phone: Annotated[str | None, typer.Option(help="Phone of the person; or give --email.")] = None,
    email: Annotated[
        str | None, typer.Option(help="E-mail of the person; or give --phone.")
    ] = None,
    postcode: Annotated[str | None, typer.Option(help="Postcode of home or stay.")] = None,
    informed_person_at: Annotated[
        str | None, typer.Option(help="Day the person was informed, YYYY-MM-DD.")
    ] = None,
    known_at: Annotated[
        str | None, typer.Option(help="Who knows the person: ocmw, vdab, both, none or unknown.")
    ] = None,
    nis: Annotated[str | None, typer.Option(help="When a postcode lies in two places.")] = None,
    offer_id: Annotated[str | None, typer.Option(help="From `schakel events offers`.")] = None,
    from_stdin: Annotated[
        bool, typer.Option("--stdin", help="The form as one JSON object on standard input.")
    ] = False,
    key: Annotated[str | None, typer.Option(help="Idempotency-Key, to repeat a call.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Refer a person with seven fields; shows who answers, and by when."""
    spoken = language()
    given = {name: value for name, value in locals().items() if name in _FORM and value}
    if from_stdin:
        given |= _read_form(sys.stdin.read())
    form = complete(given, _ask(spoken) if sys.stdin.isatty() and not from_stdin else None)
    with Session(find(data, hub, credentials), spoken) as session:
        answer = send(session, form, key or str(uuid.uuid4()), dry_run=dry_run)
    if as_json:
        write_json(answer)
        return
    for line in told(answer, spoken):
        typer.echo(line)


_FORM: Final = frozenset({*QUESTIONS, *PLACES, "known_at", "offer_id"})


def complete(given: Mapping[str, str], ask: Callable[[str, Message], str] | None) -> dict[str, str]:
    """The form with every field that is asked, in a terminal by asking for what is missing.

    Raises:
        FormIncomplete: nobody can be asked, and fields are missing; all are named.
    """
    form = dict(given)
    missing: list[str] = []
    for name, question in QUESTIONS.items():
        if not _is_needed(name, form):
            continue
        value = "" if ask is None else ask(name, question).strip()
        if value:
            form[name] = value
        elif name != "phone":
            missing.append(name)
    if missing:
        raise _incomplete(missing)
    return form


def _is_needed(name: str, form: Mapping[str, str]) -> bool:
    if name in {"phone", "email"}:
        return not {"phone", "email"} & set(form)
    if name in PLACES:
        return not set(PLACES) & set(form)
    return name not in form


def _ask(spoken: str) -> Callable[[str, Message], str]:
    def ask(name: str, question: Message) -> str:
        if name in CHOICES:
            for code in code_list(CHOICES[name]).codes.values():
                typer.echo(f"  {code.code}: {code.label.text(spoken)}")
        found: str = typer.prompt(question.text(spoken), default="", show_default=False)
        return found

    return ask


def _read_form(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise FormIncomplete(
            Message(nl="Geef één JSON-object met de velden.", en="Give one JSON object of fields.")
        )
    return {str(name): value for name, value in found.items() if value}


def send(session: Session, form: Mapping[str, str], key: str, *, dry_run: bool) -> dict[str, Any]:
    """The hub's answer to the form; raises as `Session.create`."""
    query = {"dry_run": "true"} if dry_run else {}
    return session.create("/v1/referrals", form, key, **query)


def told(answer: Mapping[str, Any], spoken: str) -> list[str]:
    """What a person reads of the answer: who answers and by when, the number, and warnings."""
    lines = [str(answer["message"])]
    if answer.get("dry_run"):
        lines.append(Message("Er is niets verstuurd.", "Nothing was sent.").text(spoken))
    else:
        label = Message("Doorverwijzing", "Referral").text(spoken)
        lines.append(f"{label}: {answer['referral_id']} ({answer['state']})")
    lines += [f"! {one['detail']}" for one in answer.get("warnings", ())]
    return lines


def _incomplete(missing: list[str]) -> FormIncomplete:
    nl, en = (", ".join(_option(name, spoken) for name in missing) for spoken in ("nl", "en"))
    return FormIncomplete(
        Message(nl=f"Geef nog: {nl}.", en=f"Still give: {en}."),
        invalid=[
            InvalidParam(name, "missing", WAYS.get(name, QUESTIONS[name])) for name in missing
        ],
    )


def _option(name: str, spoken: str) -> str:
    """How a field is given on the command line."""
    option = f"--{name.replace('_', '-')}"
    return f"--phone {Message('of', 'or').text(spoken)} {option}" if name in WAYS else option


def offers(
    *,
    nis: Annotated[str | None, typer.Option(help="NIS code of a municipality.")] = None,
    programme: Annotated[str | None, typer.Option(help="Only this programme.")] = None,
    daypart: Annotated[
        str | None, typer.Option(help="Only at this part of the day, such as morning.")
    ] = None,
    language_code: Annotated[
        str | None, typer.Option("--language", help="Only in this language, such as nl.")
    ] = None,
    accessibility: Annotated[
        str | None,
        typer.Option(help="Only with this accessibility; a code of the list accessibility."),
    ] = None,
    free: Annotated[bool, typer.Option("--free", help="Only with a free place.")] = False,
    data: Data = None,
    hub: Hub = None,
    as_json: AsJson = False,
) -> None:
    """Show open places; needs no credentials."""
    wanted = {
        "nis": nis,
        "programme": programme,
        "daypart": daypart,
        "language": language_code,
        "accessibility": accessibility,
        "free": "true" if free else None,
    }
    query = {name: value for name, value in wanted.items() if value is not None}
    spoken = language()
    found = search(address_of(data, hub), query, spoken)
    if as_json:
        write_json(found)
        return
    table = Table(*(one.text(spoken) for one in OFFER_HEADINGS), box=None)
    for one in found:
        free_of = f"{one['free_places']}/{one.get('places', '?')}"
        title, owner = one.get("title", ""), one.get("organisation") or "-"
        table.add_row(one["offer_id"], one["municipality"], title, free_of, owner)
    Console().print(table)


def search(
    url: str,
    query: Mapping[str, str],
    spoken: str,
    transport: httpx.BaseTransport | None = None,
) -> list[dict[str, Any]]:
    """Every page of the offers.

    Raises:
        RefusedByHub: a filter is wrong.
        HubUnreachable: no answer.
    """
    found: list[dict[str, Any]] = []
    after: str | None = ""
    headers = {"accept-language": spoken}
    with httpx.Client(base_url=url, transport=transport, headers=headers) as client:
        while after is not None:
            asked = {**query, **({"after": after} if after else {})}
            try:
                page = answer_of(client.get("/v1/offers", params=asked))
            except httpx.HTTPError as error:
                raise unreachable(url) from error
            found += page["offers"]
            after = page["next"]
    return found
