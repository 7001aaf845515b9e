"""The OAuth scopes there are, and which a participant's role may hold (`design/domain.md` §4).

A scope says what a client may try; what its participant may do is decided per event by role,
agreement, territory, membership and lifecycle. Administrators and auditors never see payloads, so
they hold no scope that reads or writes events.
"""

LABEL: dict[str, tuple[str, str]] = {
    "sj_offer_write": ("aanbod publiceren", "publish offers"),
    "sj_referral_write": ("toeleidingen en trajecten", "send referrals and trajectory events"),
    "sj_referral_read": ("toeleidingen lezen", "read referrals"),
    "sj_placement_write": ("plaatsingen melden", "send placements"),
    "sj_guidance_write": ("begeleiding melden", "send guidance"),
    "sj_outcome_write": ("uitkomsten melden", "send outcomes"),
    "sj_rights_write": ("verworven rechten melden", "send acquired rights"),
    "sj_feed_read": (
        "de eigen postbus, webhooks en cijfers",
        "the own inbox, webhooks and figures",
    ),
    "sj_kafka_read": ("het eigen Kafka-onderwerp lezen", "read the own Kafka topic"),
    "sj_agreement_write": ("overeenkomsten en mandaten", "propose and accept agreements"),
    "sj_admin": ("het register beheren", "administer the registry"),
    "sj_audit": ("logboeken inkijken", "read the logs"),
}
"""Scope to what it lets a client try, in Dutch and English."""

SCOPES: frozenset[str] = frozenset(LABEL)

_BY_OFFICE: dict[str, frozenset[str]] = {
    "A": frozenset({"sj_admin", "sj_audit", "sj_agreement_write"}),
    "D": frozenset({"sj_audit"}),
}
_OF_PARTNERS = SCOPES - {"sj_admin", "sj_audit"}


def allowed_scopes(role: str) -> frozenset[str]:
    """The scopes that clients of a participant in this role (a letter) may hold."""
    return _BY_OFFICE.get(role, _OF_PARTNERS)
