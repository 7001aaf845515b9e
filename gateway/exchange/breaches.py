"""What becomes of a broken programme rule: an intention is refused, a fact is recorded and flagged.

What was only planned can still be put right by whoever plans it. What has happened has happened:
refusing it would leave the hub without it, so it is taken and said to whoever has to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from gateway.exchange.decision import Warning as Notice
from gateway.exchange.draft import broken
from schemas.codelists import code_list
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft
    from schemas.errors import Message

WARNING_RAISED = "trajectory.warning_raised"
RULE_BREACH = "rule_breach"
"""Code of the warning on a decision; the code of the rule is in its `rules`."""


def intention(_draft: Draft, code: str, message: Message, field: str | None = None) -> NoReturn:
    """Refuse what somebody wants to do: plan, start in the future, extend.

    Args:
        code: stable code of the rule; the refusal's own code.
        message: what is wrong and what to do.
        field: the one to mend, when there is one.

    Raises:
        RuleBroken: always.
    """
    raise broken(code, message.nl, message.en, field)


def fact(draft: Draft, code: str, message: Message, kind: str | None = None) -> None:
    """Take what has happened, warn the sender, and warn who is responsible where there is a kind.

    The same rule is said once a decision; where the case's table has no warning in its state,
    only the sender is told.

    Args:
        draft: the decision.
        code: stable code of the rule.
        message: what was breached.
        kind: code of the list `warning_kind` to raise; None takes the rule's own when it is one.
    """
    if any(code in one.rules for one in draft.warnings if one.code == RULE_BREACH):
        return
    draft.warnings.append(Notice(RULE_BREACH, message, (code,)))
    known = code_list("warning_kind").codes
    kind = kind or (code if code in known else None)
    if kind is not None and lifecycles()["trajectory"].transition(WARNING_RAISED, draft.case.state):
        draft.follow(WARNING_RAISED, draft.case.id, kind=kind, detail_code=code)
