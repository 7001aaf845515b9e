"""`schakel dead-letters`: what webhooks could not deliver: see why, send it again, or give it up.

Participants see their own, the hub's administrators everybody's; nobody sees a payload.
"""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from gateway.commands.asking import confirm
from gateway.commands.hub_place import find
from gateway.commands.json_output import write_json
from gateway.commands.options import (  # noqa: TC001 - typer reads the annotations
    AsJson,
    Credentials,
    Data,
    DryRun,
    Hub,
    Yes,
)
from gateway.commands.session import Session
from gateway.errors import FormIncomplete, NothingFound
from gateway.exchange.legs import reason as sentence
from schemas.cli import language
from schemas.errors import InvalidParam, Message

app = typer.Typer(add_completion=False, no_args_is_help=True)

PATH = "/v1/subscriptions"

Subscription = Annotated[
    str | None, typer.Option("--subscription", help="Of this subscription only.")
]
Letter = Annotated[str | None, typer.Argument(help="Id of one dead letter; none means all chosen.")]
Code = Annotated[str | None, typer.Option(help="Only with this code, such as http_422.")]
EventType = Annotated[str | None, typer.Option(help="Only of this event, as referral.created.")]
Trajectory = Annotated[str | None, typer.Option(help="Only of this trajectory.")]
Since = Annotated[str | None, typer.Option(help="Given up on at or after this time (RFC 3339).")]
Until = Annotated[str | None, typer.Option(help="Given up on before this time.")]
Reason = Annotated[
    str,
    typer.Option(help="Why; kept for the auditors. No name, no number. Required unless --dry-run."),
]
MOST: Final = 500


@app.callback()
def dead_letters() -> None:
    """What webhooks could not deliver."""


@app.command(name="list")
def listed(
    *,
    subscription: Subscription = None,
    state: Annotated[str, typer.Option(help="open, redriven or discarded.")] = "open",
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Show them, the newest first."""
    with Session(find(data, hub, credentials), language()) as session:
        letters = [
            letter
            for one in _subscriptions(session, subscription)
            for letter in _newest(session, one, state)
        ]
    if as_json:
        write_json(letters)
    elif letters:
        Console().print(_table(letters))
    else:
        typer.echo(_say("Er is niets onbestelbaars.", "There are no dead letters."))


@app.command()
def show(
    letter: Annotated[str, typer.Argument(help="Id of a dead letter.")],
    *,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Show one with all its attempts."""
    with Session(find(data, hub, credentials), language()) as session:
        found = _one(session, letter)
    if as_json:
        write_json(found)
        return
    Console().print(_table([found]))
    for tried in found["failed"]:
        told = sentence(tried["code"]).text(language())
        typer.echo(f"{tried['number']:>4}  {tried['at']}  {told}  {tried.get('excerpt', '')}")


@app.command()
def redrive(
    letter: Letter = None,
    *,
    reason: Reason = "",
    subscription: Subscription = None,
    code: Code = None,
    event_type: EventType = None,
    trajectory: Trajectory = None,
    since: Since = None,
    until: Until = None,
    dry_run: DryRun = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Send them again, to the subscription that failed and no other, under the same ids."""
    _require_reason(reason, dry_run=dry_run)
    with Session(find(data, hub, credentials), language()) as session:
        asked = _asked(letter, code, event_type, trajectory, since, until, reason, dry_run=dry_run)
        _act(session, "redrive", letter, subscription, asked, as_json=as_json)


@app.command()
def discard(
    letter: Letter = None,
    *,
    reason: Reason = "",
    subscription: Subscription = None,
    code: Code = None,
    event_type: EventType = None,
    trajectory: Trajectory = None,
    since: Since = None,
    until: Until = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Give them up for good; the rows and your reason stay. More than one is asked first."""
    _require_reason(reason, dry_run=dry_run)
    with Session(find(data, hub, credentials), language()) as session:
        asked = _asked(letter, code, event_type, trajectory, since, until, reason, dry_run=dry_run)
        if letter is None and not (dry_run or yes):
            # What comes when there was nothing to ask about is not given up.
            asked["dry_run"] = not _confirm(session, subscription, asked)
        _act(session, "discard", letter, subscription, asked, as_json=as_json)


def _require_reason(reason: str, *, dry_run: bool) -> None:
    """Raises FormIncomplete where nothing is said and something is to be done."""
    if not dry_run and not reason.strip():
        told = Message(nl="Geef nog: --reason.", en="Still give: --reason.")
        why = Message(nl="Waarom; voor de auditoren", en="Why; for the auditors")
        raise FormIncomplete(told, invalid=[InvalidParam("reason", "missing", why)])


def _confirm(session: Session, subscription: str | None, asked: dict[str, Any]) -> int:
    """Ask, with how many would be given up of how many subscriptions; none is not asked."""
    found = _answers(session, "discard", subscription, {**asked, "dry_run": True})
    counts = [one["count"] for one in found if one["count"]]
    if counts:
        confirm(
            f"{sum(counts)} van {len(counts)} abonnement(en) voorgoed opgeven?",
            f"Give up {sum(counts)} of {len(counts)} subscription(s) for good?",
        )
    return sum(counts)


def _asked(  # noqa: PLR0917 - one argument an option
    letter: str | None,
    code: str | None,
    event_type: str | None,
    trajectory: str | None,
    since: str | None,
    until: str | None,
    reason: str,
    *,
    dry_run: bool,
) -> dict[str, Any]:
    given = {
        "ids": None if letter is None else [letter],
        "code": code,
        "event_type": event_type,
        "trajectory_id": trajectory,
        "since": since,
        "until": until,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    return {**chosen, "reason": reason, "dry_run": dry_run}


def _act(
    session: Session,
    verb: str,
    letter: str | None,
    subscription: str | None,
    asked: dict[str, Any],
    *,
    as_json: bool,
) -> None:
    if letter is not None and subscription is None:
        subscription = _one(session, letter)["subscription_id"]
    done = _answers(session, verb, subscription, asked)
    if as_json:
        write_json(done)
        return
    sample = [letter for one in done for letter in one["sample"]]
    if sample:
        Console().print(_table(sample))
    count = sum(one["count"] for one in done)
    if asked["dry_run"]:
        told = _say(f"{count} gekozen; er is niets gedaan.", f"{count} chosen; nothing was done.")
    elif verb == "redrive":
        told = _say(f"{count} opnieuw aangeboden.", f"{count} redriven.")
    else:
        told = _say(f"{count} opgegeven.", f"{count} discarded.")
    typer.echo(told)
    lost = sum(one.get("no_longer_kept", 0) for one in done)
    if lost:
        typer.echo(
            _say(f"{lost} worden niet meer bewaard.", f"{lost} are no longer kept."), err=True
        )


def _all(session: Session, path: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Call until all that is chosen was done; the answers as one, and on stderr how far it is."""
    whole = session.create(path, asked, str(uuid.uuid4()))
    while whole.get("more"):
        count = whole["count"]
        typer.echo(
            _say(f"{count} gedaan, er zijn er meer …", f"{count} done, more to do …"), err=True
        )
        answer = session.create(path, {**asked, "after": whole["after"]}, str(uuid.uuid4()))
        sums = {name: whole[name] + answer[name] for name in ("count", "no_longer_kept")}
        whole = {**answer, **sums, "sample": whole["sample"]}
    return whole


def _answers(
    session: Session, verb: str, subscription: str | None, asked: dict[str, Any]
) -> list[dict[str, Any]]:
    """What the hub says to the same call for each subscription."""
    return [
        {"subscription_id": one, **_all(session, f"{PATH}/{one}/dead-letters/{verb}", asked)}
        for one in _subscriptions(session, subscription)
    ]


def _newest(session: Session, subscription: str, state: str) -> list[dict[str, Any]]:
    """The newest of one subscription; on standard error whether there are more."""
    place = f"{PATH}/{subscription}/dead-letters"
    page = session.get(place, state=state, limit=MOST)
    letters: list[dict[str, Any]] = page["dead_letters"]
    before = page.get("before")
    if before and session.get(place, state=state, limit=1, before=before)["dead_letters"]:
        typer.echo(
            _say(
                f"Van {subscription} zijn er meer dan deze {len(letters)}, de nieuwste. "
                f"De rest: GET {place}?state={state}&before={before}",
                f"Of {subscription} there are more than these {len(letters)}, the newest. "
                f"The rest: GET {place}?state={state}&before={before}",
            ),
            err=True,
        )
    return letters


def _subscriptions(session: Session, wanted: str | None) -> list[str]:
    if wanted is not None:
        return [wanted]
    found = session.get(PATH)["subscriptions"]
    return [one["id"] for one in found]


def _one(session: Session, letter: str) -> dict[str, Any]:
    for one in _subscriptions(session, None):
        found = session.find(f"{PATH}/{one}/dead-letters/{letter}")
        if found is not None:
            return found
    raise NothingFound(
        Message(
            nl="Dit onbestelbaar bericht bestaat niet, of is niet van u.",
            en="This dead letter does not exist, or is not yours.",
        ),
        facts={"next": "schakel dead-letters list"},
    )


def _table(letters: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for nl, en in (
        ("Onbestelbaar", "Dead letter"),
        ("Deelnemer", "Participant"),
        ("Gebeurtenis", "Event"),
        ("Sinds", "Since"),
        ("Waarom", "Why"),
        ("Pogingen", "Attempts"),
    ):
        table.add_column(_say(nl, en), overflow="fold")
    for one in letters:
        why = sentence(one["code"]).text(language())
        told = f"{why} {one['excerpt']}" if one.get("excerpt") else why
        table.add_row(
            one["id"],
            one["participant"],
            f"{one['type']}\n{one['event_id']}",
            one["dead_at"],
            told.replace("[", r"\["),
            str(one["attempts"]),
        )
    return table


def _say(nl: str, en: str) -> str:
    return Message(nl=nl, en=en).text(language())
