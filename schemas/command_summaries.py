"""One line of help for each sub-command of ours, so that help imports none of them."""

from __future__ import annotations

from typing import Final

from schemas.errors import Message

SUMMARIES: Final[dict[str, Message]] = {
    "agreement": Message(
        nl="overeenkomsten opstellen, uitproberen, tekenen, vergelijken en opzeggen",
        en="write, try, sign, compare and revoke agreements",
    ),
    "audit": Message(
        nl="nagaan wie wat over wie kreeg, en waarom",
        en="see who was given what about whom, and why",
    ),
    "broker": Message(
        nl="de ingebouwde Kafka starten, stoppen of bekijken",
        en="start, stop or inspect the embedded Kafka",
    ),
    "client": Message(
        nl="OAuth-clients van deelnemers maken, vervangen of intrekken",
        en="create, rotate or revoke participants' OAuth clients",
    ),
    "connector": Message(
        nl="een connector controleren of laten lopen",
        en="check or run a connector",
    ),
    "db": Message(
        nl="de databanken van de hub bijwerken",
        en="upgrade the hub's databases",
    ),
    "dead-letters": Message(
        nl="wat webhooks niet konden bezorgen: zien, opnieuw aanbieden, opgeven",
        en="what webhooks could not deliver: see, redrive, discard",
    ),
    "events": Message(
        nl="een gebeurtenis opzoeken of meelezen",
        en="find an event or follow along",
    ),
    "evidence": Message(
        nl="cijfers tonen, met wat er geteld is",
        en="show figures and what they count",
    ),
    "keys": Message(
        nl="de sleutels van de sleutelopslag en van tokens bekijken of vervangen",
        en="inspect or replace the keys of the key store and of tokens",
    ),
    "programmes": Message(
        nl="programmaregels publiceren, vergelijken en uitleggen",
        en="publish, compare and explain programme rules",
    ),
    "registry": Message(
        nl="organisaties, deelnemers en overeenkomsten laden",
        en="load organisations, participants and agreements",
    ),
    "run": Message(
        nl="één rol van de hub laten lopen",
        en="run one role of the hub",
    ),
    "schemas": Message(
        nl="de gebeurtenissen en hun velden tonen of controleren",
        en="show or check the events and their fields",
    ),
    "subject": Message(
        nl="wat over één persoon gedaan wordt: samenvoegen, verbeteren, bezwaar, wissen",
        en="what is done about one person: merge, rectify, object, erase",
    ),
    "trace": Message(
        nl="de hele weg van één gebeurtenis tekenen",
        en="draw the whole way of one event",
    ),
    "up": Message(
        nl="alles op deze machine starten",
        en="start everything on this machine",
    ),
    "verify": Message(
        nl="een bestand met uitwisselingsrecords nakijken, zonder de hub",
        en="check a file of exchange records, without the hub",
    ),
    "world": Message(
        nl="een verzonnen wereld maken, spelen of vertellen",
        en="make, play or tell an invented world",
    ),
}
