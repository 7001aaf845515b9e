"""A journey document drawn for a terminal: timeline, who got it and who did not, spans.

Every state is a word and a sign, so that no colour is needed to read it. Nothing of an event's
content is drawn, because the document holds none.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from consumers.clock import BRUSSELS
from gateway.commands.waterfall import Bar, bars
from gateway.exchange.legs import reason
from schemas.errors import Message
from schemas.roles import LABEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import RenderableType

Document = dict[str, Any]

STATES: dict[str, tuple[str, str, Message]] = {
    "delivered": ("✓", "green", Message(nl="afgehaald", en="handed over")),
    "ready": ("●", "cyan", Message(nl="klaar in inbox", en="ready in inbox")),
    "pending": ("…", "yellow", Message(nl="wordt afgeleverd", en="being delivered")),
    "failed": ("✗", "red", Message(nl="niet bezorgd", en="not delivered")),
    "waiting": ("…", "yellow", Message(nl="onderweg", en="on its way")),
    "stopped": ("■", "red", Message(nl="tegengehouden", en="stopped")),
    "excluded": ("✗", "red", Message(nl="niet gekregen", en="not given")),
}
WORDS: dict[str, Message] = {
    "accepted": Message(nl="vastgelegd in het grootboek", en="recorded in the ledger"),
    "attempt": Message(nl="poging", en="attempt"),
    "attempts": Message(nl="poging(en)", en="attempt(s)"),
    "backfill": Message(nl="als voorgeschiedenis", en="as history"),
    "event": Message(nl="Gebeurtenis", en="Event"),
    "from": Message(nl="van", en="from"),
    "happened": Message(nl="gebeurd", en="happened"),
    "idle": Message(nl="rust ervoor", en="idle before"),
    "municipality": Message(nl="gemeente", en="municipality"),
    "next": Message(nl="volgende", en="next"),
    "nobody": Message(
        nl="Niemand anders komt in aanmerking.", en="Nobody else comes into question."
    ),
    "not_published": Message(nl="wacht op Kafka", en="waits for Kafka"),
    "nothing": Message(nl="niets", en="nothing"),
    "only_own": Message(
        nl="U ziet alleen uw eigen regel; de zender ziet alle ontvangers.",
        en="You see your own line only; the sender sees every recipient.",
    ),
    "participant": Message(nl="Deelnemer", en="Participant"),
    "published": Message(nl="gepubliceerd in Kafka", en="published to Kafka"),
    "recipients": Message(nl="Wie kreeg het, en wie niet", en="Who got it, and who did not"),
    "routed": Message(nl="in de inbox van", en="in the inbox of"),
    "someone": Message(nl="een lokale partner", en="a local partner"),
    "spans": Message(nl="Waar de tijd naartoe ging", en="Where the time went"),
    "state": Message(nl="Toestand", en="State"),
    "through": Message(nl="via", en="through"),
    "timeline": Message(nl="Tijdlijn", en="Timeline"),
    "trajectory": Message(nl="traject", en="trajectory"),
    "why": Message(nl="Wanneer of waarom niet", en="When, or why not"),
    "withheld": Message(nl="Niet meegegeven", en="Withheld"),
}
BAR_COLUMNS = 36
_LONGEST_LIST = 6


def draw_event(document: Document, language: str) -> RenderableType:
    """One event's whole way."""
    parts: list[RenderableType] = [
        _title(document, language),
        Text(),
        _heading("timeline", language),
        _timeline(document, language),
        Text(),
        _heading("recipients", language),
        _recipients(document, language),
    ]
    if not document.get("complete", document.get("own", False)):
        parts.append(Text(say("only_own", language), style="dim"))
    if document.get("spans"):
        parts += [Text(), _heading("spans", language), _waterfall(document["spans"], language)]
    return Group(*parts)


def draw_trajectory(
    trajectory_id: str, events: Iterable[Document], language: str
) -> RenderableType:
    """All events of one trajectory, each with its recipients on a line of their own."""
    table = Table(box=box.SIMPLE_HEAD, title=f"{say('trajectory', language)} {trajectory_id}")
    table.add_column(say("timeline", language), no_wrap=True)
    table.add_column(say("event", language))
    table.add_column(say("recipients", language), ratio=1)
    for one in events:
        name = Text(str(one["type"]), style="bold")
        name.append(f"\n{say('from', language)} {_sender(one, language)}", style="dim")
        lines = [_one_line(given, language) for given in one["recipients"]]
        table.add_row(_clock(one["recorded_at"]), name, Text("\n").join(lines or [Text("-")]))
    return table


def say(word: str, language: str) -> str:
    """One of this page's words."""
    return WORDS[word].text(language)


def _heading(word: str, language: str) -> Text:
    return Text(say(word, language), style="bold underline")


def _title(document: Document, language: str) -> Text:
    text = Text(f"{document['type']}", style="bold")
    text.append(f"  {say('from', language)} {_sender(document, language)}\n", style="")
    facts = [f"{say('event', language)} {document['event_id']}"]
    if document.get("trajectory_id"):
        facts.append(f"{say('trajectory', language)} {document['trajectory_id']}")
    if document.get("territory_nis"):
        facts.append(f"{say('municipality', language)} {document['territory_nis']}")
    text.append("\n".join(facts), style="dim")
    return text


def _sender(document: Document, language: str) -> str:
    party = document.get("from")
    if party:
        return str(party["name"])
    return str(document.get("sender") or say("someone", language))


def _timeline(document: Document, language: str) -> Table:
    steps = [
        (document["occurred_at"], say("happened", language)),
        (document["recorded_at"], say("accepted", language)),
    ]
    published = document.get("published", True)
    for given in document["recipients"]:
        name = _name(given)
        if given.get("routed_at"):
            steps.append((given["routed_at"], f"{say('routed', language)} {name}"))
        steps += [
            (
                door["at"],
                f"{_state(given, language)} {say('through', language)} {door['door']}: {name}",
            )
            for door in given.get("doors", ())
        ]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for moment, what in sorted(steps, key=lambda step: str(step[0])):
        table.add_row(Text(_clock(moment), style="cyan"), what)
    word = "published" if published else "not_published"
    table.add_row("✓" if published else "…", say(word, language))
    return table


def _recipients(document: Document, language: str) -> RenderableType:
    if not document["recipients"]:
        return Text(say("nobody", language))
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(say("participant", language))
    table.add_column(say("state", language), no_wrap=True)
    table.add_column(say("why", language))
    table.add_column(say("withheld", language))
    for given in document["recipients"]:
        sign, colour, _ = STATES[given["state"]]
        role = LABEL.get(given.get("role", ""))
        who = Text(_name(given))
        if role is not None:
            who.append(f"\n{role.text(language)}", style="dim")
        state = Text(f"{sign} {_state(given, language)}", style=colour)
        if given.get("backfill"):
            state.append(f"\n{say('backfill', language)}", style="dim")
        table.add_row(who, state, escape(_because(given, language)), _withheld(given, language))
    return table


def _one_line(given: Mapping[str, Any], language: str) -> Text:
    sign, colour, _ = STATES[given["state"]]
    text = Text(f"{sign} ", style=colour)
    text.append(_name(given), style="default")
    text.append(f" {_state(given, language)}", style=colour)
    text.append(f": {_because(given, language)}" if given.get("reason") else "", style="dim")
    return text


def _name(given: Mapping[str, Any]) -> str:
    return str(given.get("name") or given["participant"])


def _state(given: Mapping[str, Any], language: str) -> str:
    return STATES[given["state"]][2].text(language)


def _because(given: Mapping[str, Any], language: str) -> str:
    """When it was handed over and through which door, or why it was not."""
    if given["state"] in {"pending", "failed"}:
        return _attempts(given, language)
    if given["state"] != "delivered":
        return reason(str(given["reason"])).text(language) if given.get("reason") else ""
    sent = [one for one in given.get("deliveries", ()) if one["state"] == "delivered"]
    left = [
        f"{_clock(door['at'])} {door['door']}"
        for door in given.get("doors", ())
        if door["door"] != "webhook" or not sent
    ]
    left += [
        f"{_clock(one['at'])} webhook ({say('attempt', language)} {one['attempts']})"
        for one in sent
    ]
    return ", ".join(left)


def _attempts(given: Mapping[str, Any], language: str) -> str:
    """What the last attempt came to, how many there were, and when the next one is."""
    parts = [reason(str(given["reason"])).text(language).rstrip(".")]
    for one in given.get("deliveries", ()):
        if one["state"] == given["state"]:
            parts.append(f"{one['attempts']} {say('attempts', language)}")
            if one.get("next_attempt_at"):
                parts.append(f"{say('next', language)} {_clock(one['next_attempt_at'])}")
    return ", ".join(parts)


def _withheld(given: Mapping[str, Any], language: str) -> Text:
    if given["state"] not in ("delivered", "ready"):
        return Text("")
    paths = list(given.get("withheld", ()))
    shown = ", ".join(paths[:_LONGEST_LIST]) or say("nothing", language)
    more = f" +{len(paths) - _LONGEST_LIST}" if len(paths) > _LONGEST_LIST else ""
    return Text(shown + more, style="dim")


def _waterfall(spans: list[Document], language: str) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    for bar in bars(spans, BAR_COLUMNS):
        table.add_row(
            Text(f"{'  ' * bar.depth}{bar.span['name']}"),
            Text(str(bar.span["service"]), style="dim"),
            _drawn(bar),
            Text(_duration(int(bar.span["duration_us"])), justify="right"),
            Text(_note(bar, language), style="dim"),
        )
    return table


def _drawn(bar: Bar) -> Text:
    failed = bar.span.get("status", "ok") != "ok"
    text = Text(" " * bar.start)
    text.append("━" * bar.length, style="red" if failed else "green")
    text.append(" " * (BAR_COLUMNS - bar.start - bar.length))
    return text


def _note(bar: Bar, language: str) -> str:
    notes = []
    if bar.span.get("status", "ok") != "ok":
        notes.append(f"✗ {bar.span['status']}")
    if bar.idle_us:
        notes.append(f"{_duration(bar.idle_us)} {say('idle', language)}")
    return " · ".join(notes)


def _duration(microseconds: int) -> str:
    for limit, divisor, unit in ((1_000, 1, "µs"), (1_000_000, 1_000, "ms")):
        if microseconds < limit:
            return f"{microseconds / divisor:.3g} {unit}"
    seconds = microseconds / 1_000_000
    return f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.3g} min"  # noqa: PLR2004


def _clock(moment: object) -> str:
    """Belgian time to the millisecond; the document itself has UTC."""
    local = datetime.fromisoformat(str(moment)).astimezone(BRUSSELS)
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d}"
