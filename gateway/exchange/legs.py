"""Why somebody does not get an event, as one sentence for each leg that can stop it.

The legs of a refused submission are in `gateway.errors`; these are the legs of a recipient: at
acceptance (`recipients`), at hand-over (`authorise`, `render`) and on the way (`journey`).
"""

from consumers.errors import LOST
from schemas.errors import Message

LEGS: dict[str, Message] = {
    "age": Message(
        nl="De gebeurtenis is ouder dan de afspraak toelaat.",
        en="The event is older than the agreement lets through.",
    ),
    "agreement": Message(
        nl="Er is geen actieve afspraak van de zender naar deze deelnemer.",
        en="There is no active agreement from the sender to this participant.",
    ),
    "audience": Message(
        nl="Niets in deze gebeurtenis is bestemd voor deze rol.",
        en="Nothing in this event is meant for this role.",
    ),
    "consent_withdrawn": Message(
        nl="De persoon heeft de toestemming ingetrokken waarop dit steunt.",
        en="The person has withdrawn the consent that this rests on.",
    ),
    "door": Message(
        nl="De afspraak laat deze manier van afhalen niet toe.",
        en="The agreement does not allow this door.",
    ),
    "erased": Message(nl="De gegevens zijn gewist.", en="The data was erased."),
    "event": Message(
        nl="De afspraak gaat niet over dit soort gebeurtenis.",
        en="The agreement is not about this kind of event.",
    ),
    "host_referral": Message(
        nl="Een werkplek krijgt geen gegevens over doorverwijzingen.",
        en="A host gets nothing about referrals.",
    ),
    "ledger_row_missing": Message(
        nl="De gebeurtenis is nog niet zichtbaar in het grootboek.",
        en="The event is not visible in the ledger yet.",
    ),
    "membership": Message(
        nl="Deze deelnemer is niet bij het traject betrokken.",
        en="This participant has no part in the trajectory.",
    ),
    "membership_ended": Message(
        nl="Deze deelnemer is intussen niet meer bij het traject betrokken.",
        en="This participant has left the trajectory since.",
    ),
    "objection": Message(
        nl="De persoon maakt bezwaar tegen deze verwerking.",
        en="The person objects to this processing.",
    ),
    "own_event": Message(
        nl="Niemand krijgt zijn eigen gebeurtenis terug.",
        en="Nobody gets its own event back.",
    ),
    "participant_inactive": Message(
        nl="Deze deelnemer neemt nu niet deel.", en="This participant does not take part now."
    ),
    "purpose": Message(
        nl="De afspraak dient een ander doel.", en="The agreement serves another purpose."
    ),
    "referral_not_sent": Message(
        nl="De doorverwijzing is nog niet verstuurd: tot dan ziet niemand wie het is.",
        en="The referral has not been sent yet: until then nobody sees who it is about.",
    ),
    "territory": Message(
        nl="De afspraak geldt niet voor deze gemeente.",
        en="The agreement does not hold for this municipality.",
    ),
    "territory_lost": Message(
        nl="Deze deelnemer bedient deze gemeente niet meer.",
        en="This participant no longer serves this municipality.",
    ),
    "unpublishable": Message(
        nl="Kafka neemt deze kopie niet aan; de beheerder van de hub ziet waarom.",
        en="Kafka does not take this copy; the operator of the hub sees why.",
    ),
    "validity": Message(
        nl="De afspraak geldt vandaag niet.", en="The agreement is not valid today."
    ),
}
"""Leg to the sentence for people."""

WAITS: dict[str, Message] = {
    "not_fetched": Message(
        nl="Ligt klaar in de inbox; nog niet afgehaald.",
        en="Ready in the inbox; not fetched yet.",
    ),
    "not_tried": Message(
        nl="Wacht op zijn beurt, of op een eerdere gebeurtenis van dit traject.",
        en="Waits for its turn, or for an earlier event of this trajectory.",
    ),
    "not_published": Message(
        nl="Wacht op Kafka; de gebeurtenis is veilig vastgelegd.",
        en="Waits for Kafka; the event is safely recorded.",
    ),
    "not_routed": Message(
        nl="Staat in Kafka; wordt zo dadelijk verdeeld.",
        en="Is in Kafka; will be routed in a moment.",
    ),
    "not_written": Message(
        nl="Ligt klaar in de inbox; wordt nog in het eigen Kafka-onderwerp geschreven.",
        en="Ready in the inbox; still to be written to the participant's own Kafka topic.",
    ),
    "set_aside": Message(
        nl="Kafka weigerde de gebeurtenis; de beheerder van de hub is verwittigd.",
        en="Kafka refused the event; the hub's operator has been warned.",
    ),
}
"""Why an event is still on its way, to the sentence for people."""


ATTEMPTS: dict[str, Message] = {
    **LOST,
    "address_refused": Message(
        nl="De naam van de ontvanger leidt naar een adres dat de hub niet oproept.",
        en="The receiver's name leads to an address that the hub does not call.",
    ),
    "answer_incomplete": Message(
        nl="Het antwoord van de ontvanger brak af.", en="The receiver's answer broke off."
    ),
    "connection_failed": Message(
        nl="De ontvanger is niet bereikbaar.", en="The receiver cannot be reached."
    ),
    "name_unknown": Message(
        nl="De naam van de ontvanger heeft geen adres.", en="The receiver's name has no address."
    ),
    "not_rendered": Message(
        nl="De gebeurtenis kon niet geopend worden.", en="The event could not be opened."
    ),
    "redirected": Message(
        nl="De ontvanger verwees door; dat volgt de hub niet.",
        en="The receiver redirected, which the hub does not follow.",
    ),
    "timeout": Message(
        nl="De ontvanger antwoordde niet op tijd.", en="The receiver did not answer in time."
    ),
    "tls_failed": Message(
        nl="Het certificaat van de ontvanger klopt niet.",
        en="The receiver's certificate does not hold.",
    ),
    "token_refused": Message(
        nl="De tokendienst van de ontvanger gaf geen token.",
        en="The receiver's token endpoint gave no token.",
    ),
}
"""What the last attempt at a webhook came to, to the sentence for people."""


def reason(code: str) -> Message:
    """The sentence of a leg, a wait or an attempt; an unknown code speaks for itself."""
    known = LEGS.get(code) or WAITS.get(code) or ATTEMPTS.get(code)
    if known is None and code.startswith("http_"):
        status = code.removeprefix("http_")
        told = (f"De ontvanger antwoordde {status}.", f"The receiver answered {status}.")
        return Message(nl=told[0], en=told[1])
    return known or Message(nl=code, en=code)
