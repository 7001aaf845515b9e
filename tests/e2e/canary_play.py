"""Plays the canary's story and asks everything of everybody, before an erasure and after it."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from typer.testing import CliRunner

from connectors.client import HubClient
from connectors.credentials import load_credentials
from connectors.world import registry
from connectors.world.hub_clock import HubClock
from connectors.world.inboxes import Inboxes
from connectors.world.organisations import CAW, HAGELAND, OCMW_TIENEN, VDAB
from connectors.world.performance import performance
from connectors.world.script import Sight
from tests.consumers.receivers import Receiver
from tests.e2e import canary_answers, canary_receiver, canary_search
from tests.e2e.canary_story import CASE, SEED, story
from tests.e2e.canary_values import LATER_PHONE, OTHER_PHONE, OWN_CAW, OWN_FILE, PERSON, REFUSED
from tests.e2e.canary_world import PARTIES
from tests.e2e.running_hub import event
from tests.isolation.commands import apps

if TYPE_CHECKING:
    from contextlib import ExitStack

    from connectors.world.playing import Player
    from tests.e2e.canary_world import CanaryWorld

BEFORE, AFTER = "before", "after"
SUBSCRIPTIONS: Final = "/v1/subscriptions"
PATIENCE_SECONDS: Final = 60.0
TODAY: Final = datetime.now(UTC).date()


def play(world: CanaryWorld, stack: ExitStack) -> None:
    """Play the story, ask everything, erase, and ask everything again.

    Args:
        world: a hub without anybody in it.
        stack: closes the connections.
    """
    player = stack.enter_context(
        performance(
            world.where,
            lambda who: load_credentials(world.credentials(who)),
            _registry(),
            language="nl",
            report=lambda _day, _sent: None,
            remembers=lambda _case: True,
        )
    )
    receiver = stack.enter_context(Receiver(canary_receiver.answer))
    subscription = _subscribed(world, receiver.url)
    played = player.play(story(TODAY).steps)
    assert not played.surprises, played.surprises
    clock = HubClock(world.where.management)
    stack.callback(clock.close)
    clock.move_to(datetime.now(UTC))
    _files(world, stack)
    things = {**_things(player), "subscription_id": subscription}
    _received(world, receiver, subscription)
    for who in PARTIES:
        came = player.inboxes.of(who, frozenset({things["trajectory_id"]}))
        text = json.dumps([[one.type, dict(one.attributes), one.data] for one in came])
        world.write("deliveries", who, text.encode())
    events = [str(one.answer.receipt.event_id) for one in played.sent if one.answer.receipt]
    canary_answers.everything(world, BEFORE, things, events)
    canary_answers.bad_input(world, things["trajectory_id"])
    canary_search.copy(world.data, world.folder / "hub-before")
    things["order_id"] = _erase(world, things["trajectory_id"])
    _changed(world, player, things["trajectory_id"])
    canary_answers.everything(world, AFTER, things, events)


def _registry() -> dict[str, Any]:
    """The world's, with a case holder whose client may read Kafka too."""
    found = registry.document(SEED)
    for organisation in found["organisations"]:
        for one in organisation["participants"]:
            if one["id"] == VDAB:
                one["clients"][0]["scopes"].append("sj_kafka_read")
    return found


def _subscribed(world: CanaryWorld, url: str) -> str:
    """VDAB's webhook, which gets what its inbox gets; its id."""
    headers = {"idempotency-key": "canary"}
    made = world.call(VDAB, "POST", SUBSCRIPTIONS, json={"url": url}, headers=headers)
    assert (made.status_code, made.json()["state"]) == (201, "active"), made.text
    return str(made.json()["id"])


def _received(world: CanaryWorld, receiver: Receiver, subscription: str) -> None:
    """Wait until nothing is to be sent any more; some of it was refused for good."""
    path = f"{SUBSCRIPTIONS}/{subscription}/deliveries"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = world.call(VDAB, "GET", path, params={"limit": "500"}).json()["deliveries"]
        states = {one["state"] for one in found}
        if {"delivered", "failed"} <= states and "pending" not in states:
            break
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    for one in receiver.got:
        world.write("deliveries", VDAB, one.body)


def _files(world: CanaryWorld, stack: ExitStack) -> None:
    """The OCMW refers once more by a file with a row that is wrong; the organiser gets a file."""
    row = _row()
    other = {"dossiernummer": "OT-99", "voornaam": "Amina", "familienaam": "Testers"}
    wrong = {**row, **other, "telefoon": "", "e-mail": "", "programma": REFUSED}
    world.drop(OCMW_TIENEN, "toeleiding.csv", [row, wrong])
    world.connector(OCMW_TIENEN, "ocmw-tienen")
    query = {"sourcerecordid": OWN_FILE}
    (case,) = world.call(OCMW_TIENEN, "GET", "/v1/trajectories", params=query).json()[
        "trajectories"
    ]
    gateway = world.where.gateway
    credentials = load_credentials(world.credentials(HAGELAND))
    client = stack.enter_context(HubClient(gateway, credentials))
    sight = Sight(datetime.now(UTC), HAGELAND, CASE, "referral.created")
    inboxes = Inboxes(lambda _who: client, lambda _case: True)
    assert inboxes.has(sight, str(case["trajectory_id"]))
    world.connector(HAGELAND, "wijk-werk-hageland")


def _row() -> dict[str, str]:
    return {
        "dossiernummer": OWN_FILE,
        "programma": "wijk-werken",
        "redenen": "arbeidsritme",
        "organisator": "wijk-werk hageland",
        "voornaam": PERSON.given_name,
        "familienaam": PERSON.family_name,
        "geboortedatum": PERSON.birth_date.strftime("%d/%m/%Y"),
        "postcode": PERSON.postcode,
        "telefoon": OTHER_PHONE,
        "e-mail": PERSON.email,
        "taal": "nederlands",
        "inkomen": "leefloon",
        "uren per week": "12",
        "maatschappelijk werker": "Onthaal activering",
        "telefoon dienst": "+32 000 16 00 01",
        "geïnformeerd op": TODAY.strftime("%d/%m/%Y"),
        "toelichting": "",
        "status": "nieuw",
        "interne nota": "",
    }


def _things(player: Player) -> dict[str, str]:
    case = player.played.cases[CASE]
    first = next(one for one in player.played.sent if one.step.who == CAW)
    receipt = first.answer.receipt
    assert receipt is not None
    return {
        "trajectory_id": case,
        "event_id": str(receipt.event_id),
        "referral_id": str(receipt.aggregate_id),
        "sourcerecordid": OWN_CAW,
        "agreement_id": "wereld-hageland-partners",
        "order_id": case,
        "indicator": "exits",
    }


def _erase(world: CanaryWorld, case: str) -> str:
    """The CAW orders, the hub destroys, and the operator replaces the key."""
    words = ["subject", "erase", "--case", case, "--ground", "gdpr_17_1_a"]
    code, said = canary_answers.run(
        world, f"commands/{AFTER}", CAW, [*words, "--reason", "asked in writing", "--json"]
    )
    assert code == 0, said
    order = str(json.loads(said[said.index("{") :])["erasure_id"])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _order(world, order)["erased"]["keys_destroyed_at"] is None:
        assert time.monotonic() < deadline, _order(world, order)
        time.sleep(0.2)
    options = ["rotate", "--now", "--data", str(world.data), "--json"]
    done = CliRunner().invoke(apps()["keys"], options)
    assert done.exit_code == 0, done.output
    world.write(f"commands/{AFTER}", "operator", done.output.encode())
    time.sleep(2.5)  # each process forgets what was destroyed within two seconds
    return order


def _order(world: CanaryWorld, order: str) -> Any:
    return world.call(CAW, "GET", f"/v1/erasures/{order}").json()


def _changed(world: CanaryWorld, player: Player, case: str) -> None:
    """The case holder tells a new number, which reaches the OCMW that was it before."""
    changed = {"person": {"phone": LATER_PHONE}}
    sent = event("subject.details_changed", VDAB, changed, trajectoryid=case)
    with HubClient(world.where.gateway, load_credentials(world.credentials(VDAB))) as client:
        client.publish(sent)
    shows = {"person.phone": LATER_PHONE}
    sight = Sight(datetime.now(UTC), OCMW_TIENEN, CASE, "subject.details_changed", shows)
    assert player.inboxes.has(sight, case)
