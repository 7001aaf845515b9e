"""The front ends that bytes of strangers reach, each as one function of bytes.

A target returns for whatever is accepted or refused with one of our errors. Anything else is a
finding: it would be a 500, or the end of the process.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from consumers.clock import FixedClock
from gateway.api.publishing import Publisher
from gateway.exchange.scopes import SCOPES
from gateway.oauth.proofs import Proofs
from gateway.oauth.senders import Senders
from gateway.oauth.verifier import Principal, Verifier
from schemas import codec, strictjson
from schemas.agreement import document_hash, parse_agreement
from schemas.avsc import NAMESPACE
from schemas.canonical import canonical
from schemas.catalogue import catalogue
from schemas.compatibility import check
from schemas.errors import SchakelError, StrictJsonError
from schemas.subjects import same_schema, subjects
from tests.fuzz.corpus_files import COMPARED
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from collections.abc import Callable

HUB: Final = "https://hub.example.org"
TODAY: Final = date(2026, 5, 20)


class OneKey:
    """A key set of one signing key; there is never a newer one."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "fuzz", "use": "sig"})

    def published(self) -> KeySet:
        """The key's public part."""
        return KeySet([ECKey.import_key(self.key.as_dict(private=False))])

    def refresh(self) -> bool:
        """Nothing newer."""
        return False


def avro() -> Callable[[bytes], None]:
    """A framed Avro body as a partner sends it, and the checks of its data."""

    def target(data: bytes) -> None:
        with suppress(SchakelError):
            event, sent = codec.decode_submitted(data)
            codec.parse(event, sent, environment="test", on=TODAY)

    return target


def token() -> Callable[[bytes], None]:
    """The compact form, the header and the claims of access tokens and of DPoP proofs.

    Bytes that are a JSON object are signed first, or no mutant would ever pass the signature.
    """
    keys, registry = OneKey(), cast.registry()
    public = {name: keys.key.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}
    proofs = Proofs([HUB])
    verifier = Verifier(issuer=HUB, keys=keys, registry=lambda: registry, senders=Senders(proofs))

    def target(data: bytes) -> None:
        text = data.decode("latin-1")
        with suppress(StrictJsonError, JoseError, TypeError, ValueError):
            claims = strictjson.loads(data)
            if isinstance(claims, dict):
                header: dict[str, Any] = {"alg": "ES256", "typ": "at+jwt", "kid": "fuzz"}
                if "htm" in claims:
                    header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": public}
                text = jwt.encode(header, claims, keys.key, algorithms=["ES256"])
        with suppress(SchakelError):
            verifier.verify(text)
        with suppress(SchakelError):
            proofs.check(text, "POST", "/v1/events", None)

    return target


def cloudevents() -> Callable[[bytes], None]:
    """An event in structured mode: strict JSON, envelope, admission and the data's checks."""
    clock = FixedClock(cast.NOW)
    registry = cast.registry()
    publisher = Publisher(catalogue(), "test", lambda: registry, clock)
    partner = registry.participants[cast.RELATED["P"]]
    principal = Principal(
        client_id="fuzz",
        participant=partner.id,
        scopes=frozenset(SCOPES),
        trusted_trace=False,
        role=partner.role,
    )

    def target(data: bytes) -> None:
        with suppress(SchakelError):
            body = strictjson.loads(data)
            publisher.structured(body, principal, "00-" + "1" * 32 + "-" + "1" * 16 + "-00")

    return target


def agreement() -> Callable[[bytes], None]:
    """An agreement document: strict JSON, the checks, its RFC 8785 form and its hash."""

    def target(data: bytes) -> None:
        with suppress(SchakelError):
            document = strictjson.loads(data)
            parse_agreement(document)
            assert canonical(strictjson.loads(canonical(document))) == canonical(document)
            document_hash(document)

    return target


def compatibility() -> Callable[[bytes], None]:
    """A schema that anybody may compare with a published one of ours, or ask the id of."""
    subject = f"{NAMESPACE}.{catalogue().event(COMPARED).record}"
    known = strictjson.loads(subjects()[subject][-1].schema.encode())

    def target(data: bytes) -> None:
        with suppress(SchakelError):
            schema = strictjson.loads(data)
            if isinstance(schema, dict):
                same_schema(subject, schema)
                check(schema, [known])

    return target


def planted() -> Callable[[bytes], None]:
    """Breaks on one input in four thousand million, which only a guided fuzzer comes upon."""

    def target(data: bytes) -> None:
        if data[:1] == b"f" and data[1:2] == b"u" and data[2:3] == b"z" and data[3:4] == b"z":
            raise LookupError

    return target


TARGETS: Final[dict[str, Callable[[], Callable[[bytes], None]]]] = {
    "agreement": agreement,
    "avro": avro,
    "cloudevents": cloudevents,
    "compatibility": compatibility,
    "token": token,
}
PLANTED: Final = "planted"
