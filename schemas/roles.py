"""The roles of `domain.md` §3.2: the letter used in tables and headers, the name used by people."""

from __future__ import annotations

from schemas.errors import Message

LETTER: dict[str, str] = {
    "pes": "V",
    "welfare_centre": "O",
    "organiser": "W",
    "local_partner": "P",
    "host": "H",
    "social_economy": "S",
    "training": "T",
    "local_authority": "G",
    "hub": "HUB",
    "hub_admin": "A",
    "auditor": "D",
}
"""Role name to role letter."""

NAME: dict[str, str] = {letter: name for name, letter in LETTER.items()}
"""Role letter to role name."""

PARTNER_LETTERS: frozenset[str] = frozenset("VOWPHSTG")
"""Letters of the roles that an organisation can take part in trajectories with."""

LABEL: dict[str, Message] = {
    "V": Message(nl="arbeidsbemiddelingsdienst", en="public employment service"),
    "O": Message(nl="OCMW", en="public welfare centre"),
    "W": Message(nl="organisator", en="organiser"),
    "P": Message(nl="lokale partner", en="local partner"),
    "H": Message(nl="werkplek", en="host"),
    "S": Message(nl="sociale economie", en="social economy"),
    "T": Message(nl="opleiding", en="training"),
    "G": Message(nl="lokaal bestuur", en="local authority"),
    "HUB": Message(nl="de hub", en="the hub"),
    "A": Message(nl="beheerder van de hub", en="hub administrator"),
    "D": Message(nl="auditor", en="auditor"),
}
"""Role letter to the words on a screen."""


def letter(role: str) -> str:
    """Return the letter of a role given by name or by letter.

    Raises:
        KeyError: when it is neither.
    """
    return role if role in NAME else LETTER[role]
