"""One invented person whose every value is found nowhere else, and who may have which of them.

Accents are there on purpose: they are written differently in a URL, in JSON and in a log line.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from connectors.world import places
from connectors.world.organisations import CARE_HOME, CAW, HAGELAND, OCMW_TIENEN, VDAB
from connectors.world.people import Person, invented_number

if TYPE_CHECKING:
    from collections.abc import Mapping

BORN: Final = date(1988, 7, 19)
PERSON: Final = Person(
    given_name="Kanariëlle",
    family_name="Testkanariënveld",
    birth_date=BORN,
    insz=invented_number(BORN, 731),
    phone="+32000731951",
    email="kanarielle.731951@example.org",
    language="nl",
    postcode="3300",
    place=places.place(places.TIENEN),
)
OTHER_PHONE, LATER_PHONE = "+32000731952", "+32000731954"
COMPETENCE: Final = "weet zingende kooitjes te vlechten"
NOTE: Final = "belt liever na het zangkoor"
REMARKS: Final = "begint graag met de volière"
REMARK: Final = "bewijs gezien bij de vogelwacht"
MENTOR_PHONE: Final = "+32000731953"
OWN_CAW, OWN_OCMW, OWN_FILE = "CAW-KANARIE-731", "OT-KANARIE-732", "OT-KANARIE-733"
REFUSED: Final = "weigerkanarië"
"""Stands in a row that the connector refuses, so that only its sender's own files hold it."""


@dataclass(frozen=True, slots=True)
class Value:
    """One text of the person.

    Attributes:
        senders: who gave it to the hub.
        given_to: who else an agreement gives it to, and may find it in answers and own files.
        why: the rule.
    """

    text: str
    senders: frozenset[str]
    given_to: frozenset[str]
    why: str

    @property
    def holders(self) -> frozenset[str]:
        """Everybody who may have it."""
        return self.senders | self.given_to


def _value(text: str, senders: set[str], given_to: set[str], why: str) -> Value:
    return Value(text, frozenset(senders), frozenset(given_to), why)


_TEAM = {OCMW_TIENEN, HAGELAND, VDAB}
"""Handler, organiser and case holders: a partner and a work floor are not among them."""

VALUES: Final[Mapping[str, Value]] = {
    "given name": _value(
        PERSON.given_name,
        {CAW, OCMW_TIENEN, HAGELAND},
        {VDAB, CARE_HOME},
        "field set `name`: the team, and a work floor so that it knows who comes",
    ),
    "family name": _value(
        PERSON.family_name,
        {CAW, OCMW_TIENEN},
        {HAGELAND, VDAB},
        "field set `name`, audience team: no work floor",
    ),
    "phone, as the CAW has it": _value(
        PERSON.phone, {CAW}, _TEAM, "field set `identify`, audience team"
    ),
    "phone, as the OCMW has it": _value(
        OTHER_PHONE,
        {OCMW_TIENEN},
        {HAGELAND, VDAB},
        "field set `identify`; the CAW is given `core` and `decision` only",
    ),
    "e-mail": _value(
        PERSON.email, {CAW, OCMW_TIENEN}, {HAGELAND, VDAB}, "field set `identify`, audience team"
    ),
    "national number": _value(
        PERSON.insz,
        {OCMW_TIENEN},
        {VDAB},
        "field set `insz`: between authorities with their own ground, never an organiser",
    ),
    "competence in own words": _value(COMPETENCE, {CAW}, _TEAM, "field set `core`, audience team"),
    "phone, as it became": _value(
        LATER_PHONE,
        {VDAB},
        {OCMW_TIENEN},
        "given after the CAW's order; the organiser's part was over",
    ),
    "note": _value(
        NOTE,
        {CAW},
        _TEAM - {HAGELAND},
        "field set `note`: target, handler and case holder of the referral it stands in; who "
        "handles another referral of the case is one of the team",
    ),
    "remarks": _value(REMARKS, {OCMW_TIENEN}, {CAW, HAGELAND, VDAB}, "field set `core`, team"),
    "remark on the outcome": _value(
        REMARK, {VDAB}, {OCMW_TIENEN, HAGELAND}, "field set `outcome`, audience case team"
    ),
    "mentor's phone": _value(
        MENTOR_PHONE,
        {HAGELAND},
        {OCMW_TIENEN, VDAB},
        "field set `staff_contact`; the grant to a work floor has no such set",
    ),
    "the CAW's own number": _value(OWN_CAW, {CAW}, set(), "returned to its sender only"),
    "the OCMW's own number": _value(OWN_OCMW, {OCMW_TIENEN}, set(), "returned to its sender only"),
    "the OCMW's own number in its file": _value(
        OWN_FILE, {OCMW_TIENEN}, set(), "returned to its sender only"
    ),
    "refused row": _value(
        REFUSED, {OCMW_TIENEN}, set(), "a dead letter stays with its sender until it is sent"
    ),
}
OF_CAW_ALONE: Final = (
    "phone, as the CAW has it",
    "competence in own words",
    "note",
    "the CAW's own number",
)
"""What nobody but the CAW gave the hub, so that its order takes it from everybody."""
OF_OTHERS: Final = (
    ("phone, as the OCMW has it", VDAB),
    ("national number", VDAB),
    ("remarks", CAW),
    ("mentor's phone", OCMW_TIENEN),
    ("phone, as it became", OCMW_TIENEN),
)
"""What others said of the same person, and who has to be given it all the same afterwards."""
