"""A signature holds for one agreement, one content, one act and one party, and nothing else."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey, RSAKey, import_key

from gateway.errors import SignatureRefused
from gateway.exchange import agreement_statement as statements
from gateway.exchange.agreement_statement import Statement, read, sign
from gateway.exchange.credentials import new_private_jwk, public_part
from gateway.exchange.registry import Credential
from schemas.canonical import canonical
from schemas.moments import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_780_000_000
KEY, OTHER = new_private_jwk(), new_private_jwk()
OURS = Statement("prot-2026-014", "ab" * 32, "accept", "urn:be:kbo:1999000150", NOW * 1_000_000)
KEYS = (Credential(jwk=public_part(OTHER)), Credential(jwk=public_part(KEY)))


def forged(
    payload: Any = None, *, key: dict[str, Any] | None = None, **header: Any
) -> Callable[[], str]:
    """A compact JWS made by hand: any payload, any header; a header of None is left out."""

    def make() -> str:
        content = payload if isinstance(payload, bytes) else canonical(payload or OURS.plain())
        signing = import_key(key or KEY)
        named = {"alg": "ES256", "kid": (key or KEY)["kid"], "typ": statements.TYPE, **header}
        protected = {name: value for name, value in named.items() if value is not None}
        registry = jws.JWSRegistry(algorithms=[named["alg"]], strict_check_header=False)
        return jws.serialize_compact(protected, content, signing, registry=registry)

    return make


def said(**changes: Any) -> dict[str, Any]:
    """The statement with changes; None leaves a member out."""
    return {name: value for name, value in {**OURS.plain(), **changes}.items() if value is not None}


def test_what_was_signed_is_read_back() -> None:
    """Every key type with its one algorithm; the key comes along without its private part."""
    rsa = RSAKey.generate_key(2048)
    okp = OKPKey.generate_key("Ed25519")
    for private in (KEY, rsa.as_dict(private=True), okp.as_dict(private=True)):
        public = Credential(jwk=public_part(private))
        found = read(sign(OURS, private), OURS, [public], NOW)

        assert found.statement == OURS
        assert found.key == public.jwk
        assert "d" not in found.key


def test_what_is_signed_is_the_canonical_statement() -> None:
    """Anybody can check it with an ordinary library: header, payload and hash as documented."""
    header, payload, _ = sign(replace(OURS, act="reject", reason="other"), KEY).split(".")

    def plain(part: str) -> Any:
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))

    assert plain(header) == {"alg": "ES256", "kid": KEY["kid"], "typ": "schakel-agreement+jws"}
    assert plain(payload) == {
        "act": "reject",
        "agreement_id": "prot-2026-014",
        "at": to_rfc3339(NOW * 1_000_000),
        "document_hash": "ab" * 32,
        "party": "urn:be:kbo:1999000150",
        "reason": "other",
    }


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"act": "revoke"}, "act"),
        ({"act": "reject"}, "act"),
        ({"document_hash": "cd" * 32}, "document_hash"),
        ({"agreement_id": "prot-2026-015"}, "agreement_id"),
        ({"party": "urn:be:kbo:1999000249"}, "party"),
    ],
)
def test_a_signature_serves_nothing_else(changed: dict[str, Any], name: str) -> None:
    """An acceptance replayed as another act, for other content or by another party is refused."""
    with pytest.raises(SignatureRefused) as refused:
        read(sign(OURS, KEY), replace(OURS, **changed), KEYS, NOW)

    assert [one.name for one in refused.value.invalid] == [f"jws.{name}"]


@pytest.mark.parametrize(
    ("mutant", "name"),
    [
        (forged(key=OTHER, kid=KEY["kid"]), "signature"),
        (forged(key=new_private_jwk()), "kid"),
        (forged(kid=None), "header"),
        (forged(typ=None), "header"),
        (forged(typ="JWT"), "header"),
        (forged(jwk=public_part(KEY)), "header"),
        (forged(jku="https://example.org/keys"), "header"),
        (forged(crit=["typ"]), "header"),
        (forged(b64=False, crit=["b64"]), "header"),
        (forged(kid="../../keys"), "kid"),
        (forged(said(reason="other")), "jws"),
        (forged(said(extra="x")), "jws"),
        (forged(said(at=None)), "jws"),
        (forged(said(at="yesterday")), "jws"),
        (forged(said(at=to_rfc3339((NOW + 61) * 1_000_000))), "at"),
        (forged(said(at=to_rfc3339((NOW - 8 * 86_400) * 1_000_000))), "at"),
        (forged(b"[]"), "jws"),
        (forged(b"{}"), "jws"),
        (forged(b"\xff"), "jws"),
        (forged(canonical(OURS.plain()) + b"\n"), "jws"),
        (forged(json.dumps(OURS.plain()).encode()), "jws"),
        (lambda: "", "jws"),
        (lambda: "a.b", "jws"),
        (lambda: "é.b.c", "jws"),
        (lambda: "x" * 5_000, "jws"),
        (lambda: sign(OURS, KEY) + "=", "signature"),
        (lambda: sign(OURS, KEY) + "\n", "signature"),
        (lambda: sign(OURS, KEY).rpartition(".")[0] + ".", "signature"),
        (lambda: sign(OURS, KEY).rpartition(".")[0] + "." + "A" * 86, "signature"),
    ],
)
def test_mutants_are_refused(mutant: Callable[[], str], name: str) -> None:
    """Whatever is wrong with key, header, payload or signature, it is 422 and says where."""
    with pytest.raises(SignatureRefused) as refused:
        read(mutant(), OURS, KEYS, NOW)

    assert refused.value.status == 422
    assert [one.name for one in refused.value.invalid] == [f"jws.{name}"]


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", "ES384"])
def test_no_other_algorithm(algorithm: str) -> None:
    """A header cannot choose: no signature at all, and no public key as a shared secret."""
    header = {"alg": algorithm, "kid": KEY["kid"], "typ": statements.TYPE}
    parts = [canonical(header), canonical(OURS.plain())]
    text = ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts)
    secret = OctKey.import_key(canonical(public_part(KEY)))
    signed = (
        {"HS256": jws.serialize_compact(header, parts[1], secret, algorithms=["HS256"])}
        if (algorithm == "HS256")
        else {}
    )
    with pytest.raises(SignatureRefused) as refused:
        read(signed.get(algorithm, f"{text}.AAAA"), OURS, KEYS, NOW)

    assert [one.name for one in refused.value.invalid] == ["jws.alg"]


def test_a_key_that_ended_signs_no_more() -> None:
    """With `not_after` passed the key is as unknown; before it both keys count."""
    ended = Credential(jwk=public_part(KEY), not_after=NOW)
    assert read(sign(OURS, KEY), OURS, [ended], NOW - 1).statement == OURS
    with pytest.raises(SignatureRefused) as refused:
        read(sign(OURS, KEY), OURS, [ended], NOW)

    assert [one.name for one in refused.value.invalid] == ["jws.kid"]


def test_an_unusable_key_is_not_repeated() -> None:
    """The refusal says nothing of the key that was given."""
    with pytest.raises(SignatureRefused) as refused:
        sign(OURS, {"kty": "EC", "crv": "P-256", "d": "geheim"})

    assert "geheim" not in str(refused.value)
    assert refused.value.__cause__ is None
