"""What may go out at once."""

from __future__ import annotations

from connectors.world import acts
from connectors.world.dice import Dice
from connectors.world.organisations import HAGELAND, OCMW_TIENEN, VDAB
from connectors.world.people import invent
from connectors.world.places import TIENEN, place
from connectors.world.script import Script, Sending
from connectors.world.waves import waves


def _script(key: str = "x") -> Script:
    return Script(1, key, invent(Dice(1, key), 1, place(TIENEN)))


def _names(script: Script, known: set[str]) -> list[list[str]]:
    return [
        [one.name for one in wave if isinstance(one, Sending)]
        for wave in waves(script.steps, known)
    ]


def test_another_sender_waits() -> None:
    """What somebody else sends in the same case goes in a later wave."""
    script = _script()
    referral = acts.refer(script, OCMW_TIENEN, HAGELAND)
    acts.acknowledge(script, HAGELAND, referral)
    acts.accept(script, HAGELAND, referral)

    assert _names(script, {"x"}) == [
        ["referral.created"],
        ["referral.acknowledged", "referral.accepted"],
    ]


def test_a_new_case_is_known_after_its_first_answer() -> None:
    """What names a trajectory waits until the hub has told it, also from the same sender."""
    script = _script()
    referral = acts.refer(script, OCMW_TIENEN, HAGELAND)
    acts.endorse(script, OCMW_TIENEN, referral)

    assert _names(script, set()) == [["referral.created"], ["referral.endorsed"]]


def test_after_a_refusal_comes_a_new_batch() -> None:
    """A refusal blocks what follows it in a batch, so nothing does."""
    script = _script()
    acts.refer(script, VDAB, HAGELAND, answer="no_agreement")
    acts.refer(script, VDAB, HAGELAND, as_="second")

    assert len(waves(script.steps, {"x"})) == 2


def test_other_cases_do_not_wait() -> None:
    """Cases of different people share waves."""
    one, other = _script("one"), _script("other")
    for script in (one, other):
        referral = acts.refer(script, OCMW_TIENEN, HAGELAND)
        acts.accept(script, HAGELAND, referral)
    made = waves([*one.steps, *other.steps], {"one", "other"})

    assert [len(wave) for wave in made] == [2, 2]


def test_a_look_comes_after_what_was_sent() -> None:
    """What somebody has to see is looked for once it went out."""
    script = _script()
    acts.refer(script, OCMW_TIENEN, HAGELAND)
    script.sees(HAGELAND, "referral.created")

    assert [len(wave) for wave in waves(script.steps, set())] == [1, 1]
