"""What one decision costs: by event type, and as a case and the registry grow.

The cost of a decision must grow with neither, so both growths are ratios to the smallest of the
same run. `lines_of` counts the lines that a decision executes: the same question without a clock.
"""

from __future__ import annotations

import gc
import sys
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.exchange.decide import decide
from gateway.exchange.decision import Accepted, Context
from gateway.exchange.registry import Organisation, Participant, RegisteredAgreement, Registry
from gateway.exchange.state_rows import dumps, loads_trajectory
from schemas.agreement import parse_agreement
from schemas.lifecycle import NONE, lifecycles
from tests.gateway.exchange import cast
from tests.gateway.exchange.test_decide_product import PEOPLE, SUBJECTS, prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.exchange.state import Trajectory
    from gateway.exchange.submission import Submission

LENGTHS = (1, 10, 100, 1000)
"""Events of a case."""
AGREEMENTS = (10, 300, 3000)
CONTACT = {
    "kind": "phone",
    "with": ["organiser"],
    "on": "2026-05-20",
    "topics": ["progress"],
    "signal": "none",
}
ROUNDS, REPEATS = 5, 200


def microseconds(submission: Submission, context: Context, repeats: int = REPEATS) -> float:
    """The best of a few rounds, so that other work on the machine counts least."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(repeats):
            decide(submission, context)
        best = min(best, (time.perf_counter() - began) / repeats)
    return best * 1e6


def lines_of(work: Callable[[], object]) -> int:
    """How many lines of Python a piece of work executes; loops count each turn."""
    counted = 0

    def trace(_frame: Any, event: str, _argument: Any) -> Any:
        nonlocal counted
        counted += event == "line"
        return trace

    before = sys.gettrace()
    gc.collect()
    gc.disable()  # what others left behind must not be cleared away, and counted, in between
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
        gc.enable()
    return counted


def accepted_events() -> Iterator[tuple[str, Submission, Context]]:
    """Each event type once, with a sender and a state in which it is accepted."""
    for kind in SUBJECTS:
        table = lifecycles()[kind]
        for name in dict.fromkeys(row.event for row in table.transitions):
            found = next(_accepted(kind, name), None)
            if found is not None:
                yield name, *found


def _accepted(kind: str, name: str) -> Iterator[tuple[Submission, Context]]:
    people = [participant for _, participant in PEOPLE]
    sources = {one for row in lifecycles()[kind].by_event[name] for one in row.sources}
    for state in sorted(sources - ({NONE} if kind == "trajectory" else set())):
        for participant in people:
            sent, context = prepared(kind, name, state, participant)
            if name == "trajectory.organiser_changed":  # only of somebody who has files open
                running = cast.case_with("placement", "active")
                context = replace(context, trajectory=replace(running, state=state))
            if isinstance(decide(sent, context), Accepted):
                yield sent, context


def contact() -> Submission:
    """An everyday event: the organiser records a contact."""
    return cast.submission(
        "guidance.contact_recorded", cast.RELATED["W"], CONTACT, trajectory_id=cast.TRAJECTORY
    )


@cache
def grown(length: int) -> Trajectory:
    """A case with so many events behind it, of the kinds that a long case has most of."""
    case = cast.case_with("placement", "active")
    for number in range(length):
        decided = decide(contact(), replace(cast.context(case), now=cast.NOW + number))
        if not isinstance(decided, Accepted) or decided.trajectory is None:
            raise RuntimeError(f"not accepted: {decided}")
        case = loads_trajectory(dumps(decided.trajectory))
    return case


@cache
def registry_of(agreements: int) -> Registry:
    """The cast's registry, among so many agreements of other organisations."""
    known = cast.registry()
    others = [f"urn:schakel:org:other-{number}" for number in range(agreements)]
    documents = [
        parse_agreement(cast.document([one, cast.urn_of(cast.RELATED["V"])], f"prot-{number}"))
        for number, one in enumerate(others)
    ]
    return Registry.build(
        version=1,
        environment="test",
        organisations=[*known.organisations.values(), *(Organisation(one, one) for one in others)],
        participants=[
            *known.participants.values(),
            *(Participant(one, one, one, "P", one, frozenset({cast.NIS})) for one in others),
        ],
        agreements=[
            *known.agreements.values(),
            *(RegisteredAgreement(one, "active") for one in documents),
        ],
    )


def by_length(length: int) -> tuple[Submission, Context]:
    """The everyday event on a case of a length."""
    return contact(), cast.context(grown(length))


def by_agreements(number: int) -> tuple[Submission, Context]:
    """The everyday event, with so many agreements of others."""
    context = cast.context(cast.case_with("placement", "active"))
    return contact(), replace(context, registry=registry_of(number))


def figures(repeats: int = REPEATS) -> dict[str, float]:
    """Every cost in microseconds, by its name."""
    found = {
        f"decide {name}, us": microseconds(sent, context, repeats)
        for name, sent, context in accepted_events()
    }
    for length in LENGTHS:
        found[f"decide in a case of {length} events, us"] = microseconds(
            *by_length(length), repeats
        )
    for number in AGREEMENTS:
        found[f"decide among {number} agreements, us"] = microseconds(
            *by_agreements(number), repeats
        )
    return found
