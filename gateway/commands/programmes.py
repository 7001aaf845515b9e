"""`schakel programmes`: publish rules without a release, and read what holds when.

`publish`, `comment` and `convert` ask the hub. `check`, `diff` and `explain` read the rules that
come with this version of Schakel, with what the hub has published when a hub is named, and with
`--file` as if that file were published too.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from gateway.commands.administrator import Administrator
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
from schemas.cli import WRONG_USE, language, say
from schemas.errors import InvalidRuleFile, Message
from schemas.programmes import ProgrammeRules, shipped_rules
from schemas.rule_changes import plain_values
from schemas.rule_publication import parse_publication
from schemas.rule_text import compared, explained, notices
from schemas.strict_yaml import line_of, read

app = typer.Typer(add_completion=False, no_args_is_help=True)

RuleFile = Annotated[Path, typer.Argument(help="The rule file, YAML.")]
AsIf = Annotated[
    Path | None, typer.Option("--file", help="As if this rule file were published too.")
]
KINDS = {"fault": Message("fout", "fault"), "notice": Message("melding", "notice")}


@app.callback()
def programmes() -> None:
    """Programme rules: effective-dated, published without a release."""


@app.command()
def publish(
    file: RuleFile,
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """Plan a rule file, show what changes, and publish it."""
    document = _content(_text(file))
    with Administrator(find(data, hub, credentials), language()) as session:
        plan = session.post("/v1/programmes/plan", document)
        applied = False
        if not as_json:
            _show_plan(plan)
        if not plan["published"] and not dry_run:
            if not yes:
                confirm("Publiceren?", "Publish?")
            wanted = {"document": document, "expected_version": plan["version"]}
            plan = session.post("/v1/programmes/publications", wanted)
            applied = True
    if as_json:
        write_json({**plan, "applied": applied})
    elif applied:
        told = say("Gepubliceerd", "Published")
        typer.echo(f"{told}: {plan['reference']}.", err=True)


@app.command()
def comment(
    reference: Annotated[str, typer.Argument(help="Of the publication.")],
    text: Annotated[str, typer.Argument(help="What the organisation says.")],
    *,
    organisation: Annotated[str | None, typer.Option(help="URN; the client's own if left out.")] = (
        None
    ),
    role: Annotated[str | None, typer.Option(help="Such as local_authority.")] = None,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """Keep what an organisation says of a publication."""
    remark = {"text": text, "organisation": organisation, "role": role}
    with Administrator(find(data, hub, credentials), language()) as session:
        said = session.post(f"/v1/programmes/publications/{reference}/comments", remark)
    sys.stdout.write(f"{said['organisation']} {said['role']} {said['on']}\n")


@app.command()
def check(file: RuleFile, *, as_json: AsJson = False) -> None:
    """Look for faults in a rule file, each with its line, and for what may be an oversight."""
    text = _text(file)
    found: list[dict[str, Any]] = []
    try:
        publication = parse_publication(_content(text))
    except InvalidRuleFile as error:
        if not error.invalid:
            raise
        found = [_finding("fault", text, one.name, one.reason, one.code) for one in error.invalid]
    else:
        found = [
            _finding("notice", text, path, said, "oversight")
            for path, said in notices(shipped_rules(), publication)
        ]
    faults = sum(one["kind"] == "fault" for one in found)
    if as_json:
        write_json({"ok": not faults, "found": found})
    else:
        for one in found:
            kind = KINDS[one["kind"]].text(language())
            sys.stdout.write(f"{file}:{one['line'] or 1}: {kind}: {one['field']}: ")
            sys.stdout.write(f"{one['text'][language()]}\n")
        rest = len(found) - faults
        told = say(f"{faults} fouten, {rest} meldingen.", f"{faults} faults, {rest} notices.")
        sys.stdout.write(told + "\n")
    if faults:
        raise typer.Exit(1)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="A date, or the version of a rule set.")],
    after: Annotated[str, typer.Argument(help="A date, or the version of a rule set.")],
    *,
    programme: Annotated[str | None, typer.Option(help="Only this programme.")] = None,
    file: AsIf = None,
    as_json: AsJson = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """Say per programme what changes between two days or versions."""
    rules = _rules(file, data, hub, credentials)
    named = {_programme_of(rules, one) for one in (before, after)} - {None}
    found = compared(rules, _day(rules, before), rules, _day(rules, after))
    wanted = {programme} if programme else named or set(found)
    found = {code: listed for code, listed in found.items() if code in wanted}
    if as_json:
        write_json({code: [one.plain() for one in listed] for code, listed in found.items()})
        return
    for code, listed in found.items():
        sys.stdout.write(f"{rules.label(code).text(language())} ({code})\n")
        for one in listed:
            sys.stdout.write(f"  {one.sentence().text(language())}\n")
    if not found:
        sys.stdout.write(say("Geen wijzigingen.", "No changes.") + "\n")


@app.command()
def explain(
    on: Annotated[str, typer.Argument(help="A date: YYYY-MM-DD.")],
    programme: Annotated[str | None, typer.Argument(help="All of them when left out.")] = None,
    *,
    file: AsIf = None,
    as_json: AsJson = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """Say in plain words what holds on a day, where each rule comes from, and what is open."""
    rules, day = _rules(file, data, hub, credentials), _date(on)
    codes = (programme,) if programme else rules.programmes()
    if as_json:
        write_json({code: _described(rules, code, day) for code in codes})
        return
    for code in codes:
        for line in explained(rules, code, day):
            sys.stdout.write(f"{line.text(language())}\n")


@app.command()
def convert(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, change nothing.")] = False,
    reference: Annotated[str | None, typer.Option(help="Only this publication.")] = None,
    as_json: AsJson = False,
    data: Data = None,
    hub: Hub = None,
    credentials: Credentials = None,
) -> None:
    """Count the running placements that published conversions move, by organiser and place."""
    if not dry_run:
        told = say(
            "De hub zet om op de dag zelf; geef --dry-run om te tellen.",
            "The hub converts on the day itself; say --dry-run to count.",
        )
        typer.echo(told, err=True)
        raise typer.Exit(WRONG_USE)
    query = {} if reference is None else {"reference": reference}
    with Administrator(find(data, hub, credentials), language()) as session:
        found = session.get("/v1/programmes/conversions", **query)
    if as_json:
        write_json(found)
        return
    for one in found["moved"]:
        _show_move(one)
    placements, conversions = found["placements"], found["conversions"]
    told = say(
        f"{placements} plaatsingen, {conversions} omzettingen.",
        f"{placements} placements, {conversions} conversions.",
    )
    sys.stdout.write(told + "\n")


def _show_move(one: dict[str, Any]) -> None:
    placements, hours, months = one["placements"], f"{one['hours'] / 100:.2f}", one["months"]
    carried = say(
        f"{placements} plaatsingen, {hours} uren en {months} maanden meegenomen",
        f"{placements} placements, {hours} hours and {months} months carried",
    )
    sys.stdout.write(
        f"{one['from_programme']} -> {one['to_programme']}  {one['organiser']}  {one['nis']}  "
        f"{carried}\n"
    )


def _rules(
    file: Path | None, data: Path | None, hub: str | None, credentials: Path | None
) -> ProgrammeRules:
    """The rules that come with this version, what the hub published, and a file over them."""
    rules = shipped_rules()
    if data is not None or credentials is not None:
        with Administrator(find(data, hub, credentials), language()) as session:
            for one in session.get("/v1/programmes/publications")["publications"]:
                rules = rules.published(parse_publication(one["document"]))
    return rules if file is None else rules.published(parse_publication(_content(_text(file))))


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(f"{file}: {type(error).__name__}") from error


def _content(text: str) -> dict[str, Any]:
    """A rule file as plain data."""
    try:
        found = read(text)
    except yaml.YAMLError as error:
        raise _unreadable(" ".join(str(error).split())) from error
    return found if isinstance(found, dict) else {}


def _unreadable(why: str) -> InvalidRuleFile:
    return InvalidRuleFile(
        Message(nl=f"Het regelbestand is onleesbaar: {why}", en=f"Cannot read the file: {why}")
    )


def _finding(kind: str, text: str, path: str, said: Message, code: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "line": line_of(text, path),
        "field": path,
        "code": code,
        "text": asdict(said),
    }


def _programme_of(rules: ProgrammeRules, named: str) -> str | None:
    """The programme whose rule set has this version; None for a date."""
    every = (one for code in rules.programmes() for one in rules.rule_sets(code))
    return next((one.programme for one in every if one.version == named), None)


def _day(rules: ProgrammeRules, named: str) -> date:
    """The date itself, or the first day of a rule set's version."""
    every = (one for code in rules.programmes() for one in rules.rule_sets(code))
    first = next((one.valid_from for one in every if one.version == named), None)
    return _date(named) if first is None else first


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            say(
                "een datum JJJJ-MM-DD, of de versie van een regelset",
                "a date YYYY-MM-DD, or the version of a rule set",
            )
        ) from error


def _described(rules: ProgrammeRules, code: str, day: date) -> dict[str, Any]:
    found = rules.rule_set(code, day)
    return {
        "label": asdict(rules.label(code)),
        "version": found.version,
        "status": found.status,
        "legal_reference": found.legal_reference,
        "sources": list(found.sources),
        "values": plain_values(found),
        "left_open": sorted(found.left_open),
    }


def _show_plan(plan: dict[str, Any]) -> None:
    """What changes, for people."""
    if plan["published"]:
        sys.stdout.write(say("Geen wijzigingen.", "No changes.") + "\n")
    for turn in plan["changes"]:
        sys.stdout.write(
            f"{turn['programme']} {say('vanaf', 'from')} {turn['on']} ({turn['rule_set']})\n"
        )
        for one in turn["rules"]:
            sys.stdout.write(f"  {one['text'][language()]}\n")
