"""Mutants of a signed JWT: its structure, encoding, signature, header and claims, one at a time.

Every mutant is made from a good JWT and has to be refused. What a reader may take for the same is
left out: ECDSA's second signature (r, n - s), members that are not defined.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any, Final

import orjson
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from schemas.proofs import encoded

if TYPE_CHECKING:
    from collections.abc import Iterator

ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256: no number of a signature reaches it."""

REGISTRY: Final = jws.JWSRegistry(algorithms=["ES256", "ES384", "RS256"], strict_check_header=False)
FLIPS: Final = range(0, 64, 5)
NOTHING: Final[tuple[Any, ...]] = (None, 5, "", [], {}, True)
MISSING: Final = "missing"


@dataclass(frozen=True)
class Jwt:
    """A good JWT in its parts, and the key that signed it with ES256."""

    header: dict[str, Any]
    claims: dict[str, Any]
    key: ECKey

    def text(self) -> str:
        """It, signed."""
        return self.signed(self.header, self.claims)

    def signed(self, header: Any, claims: Any) -> str:
        """Other parts, signed with the same key; bytes stay as they are."""
        return self.signed_segments(_segment(header), _segment(claims))

    def signed_segments(self, header: str, claims: str) -> str:
        """Two segments, signed with the same key."""
        return f"{header}.{claims}.{encoded(self.signature(f'{header}.{claims}'))}"

    def signature(self, text: str) -> bytes:
        """The key's signature over a text."""
        return bytes(REGISTRY.algorithms["ES256"].sign(text.encode(), self.key))


def mutants(
    good: Jwt, required: tuple[str, ...], allowed: tuple[tuple[str, Any], ...] = ()
) -> Iterator[tuple[str, str]]:
    """Every mutant with a name.

    Args:
        good: signed again for each mutant of header and claims.
        required: the claims without which it must be refused.
        allowed: pairs of a claim and a value that are right after all.
    """
    text = good.text()
    yield from structure(text)
    yield from encodings(good, text)
    yield from signatures(good, text)
    yield from headers(good)
    yield from claims(good, required, allowed)


def structure(text: str) -> Iterator[tuple[str, str]]:
    """Segments that are gone, empty, doubled, in another order; text around and inside."""
    parts = text.split(".")
    for place in range(3):
        rest = [one for n, one in enumerate(parts) if n != place]
        yield f"segment {place} is gone", ".".join(rest)
        yield f"segment {place} is empty", ".".join([*parts[:place], "", *parts[place + 1 :]])
        yield f"segment {place} is doubled", ".".join([*parts[: place + 1], *parts[place:]])
        yield f"segment {place} alone", parts[place]
    for order in list(permutations(range(3)))[1:]:
        yield f"order {order}", ".".join(parts[n] for n in order)
    for around in (".{}", "{}.", "{}.x", "x{}", '"{}"', "{0},{0}", "{} x", "{}\t", "Bearer {}"):
        yield f"as {around}", around.format(text)
    for of in range(1, 8):
        yield f"cut after {of}/8", text[: len(text) * of // 8]
    yield "nothing but dots", ".."
    yield "five segments, as JWE", f"{text}.{parts[0]}.{parts[1]}"
    yield (
        "JSON serialisation",
        orjson.dumps({"protected": parts[0], "payload": parts[1], "signature": parts[2]}).decode(),
    )
    yield "upper case", text.upper()
    yield "lower case", text.lower()
    yield "backwards", text[::-1]
    yield "escaped dots", text.replace(".", "%2E")
    yield "very long", text + "A" * 5000


def encodings(good: Jwt, text: str) -> Iterator[tuple[str, str]]:
    """Spellings of base64url that are not the one, also where the signature fits them."""
    parts = text.split(".")
    for place in range(3):
        for name, change in (
            ("padding", f"{parts[place]}="),
            ("much padding", f"{parts[place]}===="),
            ("a line break", f"{parts[place][:9]}\n{parts[place][9:]}"),
            ("a space", f"{parts[place][:9]} {parts[place][9:]}"),
            ("an asterisk", f"{parts[place][:9]}*{parts[place][9:]}"),
            ("a foreign letter", f"{parts[place][:9]}é{parts[place][9:]}"),
            ("one letter less", parts[place][:-1]),
            ("one letter more", f"{parts[place]}A"),
        ):
            changed = [*parts[:place], change, *parts[place + 1 :]]
            yield f"segment {place} with {name}", ".".join(changed)
            if place < 2 and name in ("padding", "an asterisk", "a foreign letter"):
                yield f"segment {place} with {name}, signed", _resigned(good, changed)
    raw = [orjson.dumps(good.header), orjson.dumps(good.claims)]
    for place, body in enumerate(raw):
        for name, other in (
            ("nothing", b""),
            ("null", b"null"),
            ("a list", b"[" + body + b"]"),
            ("a text", b'"' + body.hex().encode() + b'"'),
            ("a number", b"1"),
            ("half of it", body[: len(body) // 2]),
            ("a second document", body + body),
            ("UTF-16", body.decode().encode("utf-16")),
            ("a broken character", body[:-1] + b',"x":"\xff"}'),
            ("a NUL", body[:-1] + b"\x00}"),
            ("NaN", body[:-1] + b',"x":NaN}'),
            ("much depth", body[:-1] + b',"x":' + b"[" * 2000 + b"]" * 2000 + b"}"),
        ):
            both = [other if n == place else one for n, one in enumerate(raw)]
            yield f"segment {place} is {name}, signed", good.signed(*both)


def signatures(good: Jwt, text: str) -> Iterator[tuple[str, str]]:
    """Other bytes, other keys, other texts."""
    head, _, signature = text.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    for place in FLIPS:
        flipped = bytes(one ^ 1 if n == place else one for n, one in enumerate(raw))
        yield f"byte {place} flipped", f"{head}.{encoded(flipped)}"
    r, s = raw[:32], raw[32:]
    last = ORDER.to_bytes(32)
    for name, other in (
        ("zeros", bytes(64)),
        ("ones", b"\xff" * 64),
        ("r is zero", bytes(32) + s),
        ("s is zero", r + bytes(32)),
        ("r is the order", last + s),
        ("s is the order", r + last),
        ("s and r", s + r),
        ("too short", raw[:63]),
        ("too long", raw + b"\x00"),
        ("of another text", good.signature("x.y")),
        ("of the header alone", good.signature(head.split(".")[0])),
    ):
        yield f"signature: {name}", f"{head}.{encoded(other)}"
    stranger = Jwt(good.header, good.claims, ECKey.generate_key("P-256"))
    yield "signature of another key", stranger.text()


def headers(good: Jwt) -> Iterator[tuple[str, str]]:
    """Algorithms, types and keys that are not on the list, signed with the right key."""
    value: Any
    for value in (
        *("none", "None", "NONE", "", "HS256", "RS256", "RS512", "ES384", "ES512", "ES256K"),
        *("es256", "ES256 ", "PS256", "EdDSA", "RSA1_5", "dir"),
        *(5, None, [], ["ES256"], {}, True),
    ):
        changed = {**good.header, "alg": value}
        yield f"alg {value!r}", good.signed(changed, good.claims)
        yield f"alg {value!r}, not signed", f"{_segment(changed)}.{_segment(good.claims)}."
    for name in ("alg", "typ"):
        rest = {one: value for one, value in good.header.items() if one != name}
        yield f"no {name}", good.signed(rest, good.claims)
    for value in ("jwe", "at+JWT", "dpop+JWT", "application/json", *NOTHING):
        yield f"typ {value!r}", good.signed({**good.header, "typ": value}, good.claims)
    for value in (5, [], {}, True, "unknown", "../../etc/passwd"):
        if "kid" in good.header:
            yield f"kid {value!r}", good.signed({**good.header, "kid": value}, good.claims)
    for value in (["exp"], ["b64"], ["unknown"], [], "exp", 5, {}):
        extra: dict[str, Any] = {"crit": value, "unknown": 1, "exp": 1, "b64": True}
        yield f"crit {value!r}", good.signed({**good.header, **extra}, good.claims)
    stranger = ECKey.generate_key("P-256")
    own = {"jwk": stranger.as_dict(private=False), "kid": "own"}
    yield "a key of its own", Jwt({**good.header, **own}, good.claims, stranger).text() + "A"
    for name, secret in (
        ("PEM", good.key.as_pem(private=False)),
        ("JWK", orjson.dumps(good.key.as_dict(private=False))),
        ("nothing", b""),
    ):
        head = f"{_segment({**good.header, 'alg': 'HS256'})}.{_segment(good.claims)}"
        digest = hmac.digest(secret, head.encode(), "sha256")
        yield f"HS256 with {name} as the secret", f"{head}.{encoded(digest)}"
    for algorithm, key in (
        ("RS256", RSAKey.generate_key(2048)),
        ("ES384", ECKey.generate_key("P-384")),
    ):
        head = f"{_segment({**good.header, 'alg': algorithm})}.{_segment(good.claims)}"
        signature = REGISTRY.algorithms[algorithm].sign(head.encode(), key)
        yield f"{algorithm} with another kind of key", f"{head}.{encoded(signature)}"


def claims(
    good: Jwt, required: tuple[str, ...], allowed: tuple[tuple[str, Any], ...]
) -> Iterator[tuple[str, str]]:
    """Each claim gone, of every other kind, and in a list; signed with the right key."""
    for name in required:
        rest = {one: value for one, value in good.claims.items() if one != name}
        yield f"no {name}", good.signed(good.header, rest)
        for value in (*NOTHING, [good.claims[name]], {"value": good.claims[name]}, -1, 1e300):
            if (name, value) not in allowed:
                changed = {**good.claims, name: value}
                yield f"{name} {value!r}", good.signed(good.header, changed)


def _segment(part: Any) -> str:
    return encoded(part if isinstance(part, bytes) else orjson.dumps(part))


def _resigned(good: Jwt, parts: list[str]) -> str:
    return good.signed_segments(parts[0], parts[1])
