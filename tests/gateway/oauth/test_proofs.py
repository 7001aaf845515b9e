"""The judge of DPoP proofs: the standard's own examples, its rules one by one, and its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from gateway import errors
from gateway.oauth import proofs as judging
from gateway.oauth.nonces import LIFETIME_SECONDS, Nonces
from gateway.oauth.proofs import Proofs
from gateway.oauth.used_proofs import UsedProofs
from tests.proof_forger import Forger

if TYPE_CHECKING:
    from joserfc.jwk import Key

HUB = "https://hub.example.org"
URL = f"{HUB}/v1/events"
TOKEN = "a.b.c"
NOW = 1_790_000_000

_KEY = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNo"
    "UklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERW"
    "clUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
)
TOKEN_REQUEST = (  # RFC 9449 figure 2
    f"{_KEY}.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4"
    "YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg"
    "4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
REFRESH_REQUEST = (  # figure 6
    f"{_KEY}.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4"
    "YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjY1Mjk2fQ.pAqut2IRDm_De6PR93SYmGBPXpwrAk90e8cP2hjiaG5Qs"
    "GSuKDYW7_X620BxqhvYC8ynrrvZLTk41mSRroapUA"
)
RESOURCE_REQUEST = (  # figure 12
    f"{_KEY}.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5l"
    "eGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNF"
    "c05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF"
    "8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
ATH = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
STANDARD = [
    (TOKEN_REQUEST, "https://server.example.com", "POST", "/token", None, 1_562_262_616),
    (REFRESH_REQUEST, "https://server.example.com", "POST", "/token", None, 1_562_265_296),
    (
        RESOURCE_REQUEST,
        "https://resource.example.org",
        "GET",
        "/protectedresource",
        ATH,
        1_562_262_618,
    ),
]


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now_seconds = float(NOW)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.now_seconds


def judge_and_forger(key: Key | None = None, algorithm: str = "ES256") -> tuple[Proofs, Forger]:
    """A judge, and a client of it that has a nonce, at one moment."""
    judge = Proofs([HUB], now=lambda: NOW)
    forger = Forger(algorithm=algorithm, now=lambda: NOW, nonce=judge.fresh_nonce())
    if key is not None:
        forger.key = key
    return judge, forger


def refusal(judge: Proofs, proof: str, method: str = "POST", path: str = "/v1/events") -> str:
    """Why a proof for a resource is refused; its text never holds the proof."""
    with pytest.raises(errors.InvalidProof) as refused:
        judge.check(proof, method, path, Forger().claims("", "", TOKEN)["ath"])
    assert not proof or proof not in f"{refused.value} {refused.value.facts}"
    return str(refused.value.facts.get("reason", "nonce_required"))


@pytest.mark.parametrize(("proof", "address", "method", "path", "ath", "at"), STANDARD)
def test_the_examples_of_the_standard(  # noqa: PLR0917 - one row of the table
    proof: str, address: str, method: str, path: str, ath: str | None, at: int
) -> None:
    """RFC 9449 figures 2, 6 and 12 are right in all but the nonce, which this hub always asks."""
    judge = Proofs([address], now=lambda: at)

    with pytest.raises(errors.NonceRequired):
        judge.check(proof, method, path, ath)


@pytest.mark.parametrize(("proof", "address", "method", "path", "ath", "at"), STANDARD)
def test_the_examples_are_held_to_every_rule(  # noqa: PLR0917 - one row of the table
    proof: str, address: str, method: str, path: str, ath: str | None, at: int
) -> None:
    """The same examples fail for another method, path, time or token, and with a changed end."""
    wrong: list[tuple[str, str, str, str | None, int, str]] = [
        (proof, "PUT", path, ath, at, "htm"),
        (proof, method, "/other", ath, at, "htu"),
        (proof, method, path, "A" * 43, at, "ath"),
        (proof, method, path, ath, at + 61, "iat"),
        (proof, method, path, ath, at - 11, "iat"),
        (f"{proof[:-3]}AAA", method, path, ath, at, "signature"),
    ]
    for changed, its_method, its_path, its_hash, now, reason in wrong:
        judge = Proofs([address], now=lambda now=now: now)  # type: ignore[misc] # bound now
        with pytest.raises(errors.InvalidProof) as refused:
            judge.check(changed, its_method, its_path, its_hash)
        assert refused.value.facts.get("reason") == reason


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ECKey.generate_key("P-256"), "ES256"),
        (RSAKey.generate_key(2048), "PS256"),
        (OKPKey.generate_key("Ed25519"), "EdDSA"),
        (OKPKey.generate_key("Ed25519"), "Ed25519"),
    ],
    ids=["ES256", "PS256", "EdDSA", "Ed25519"],
)
def test_a_good_proof_counts_once(key: Key, algorithm: str) -> None:
    """Each algorithm of FAPI 2.0 is taken; the same proof a second time is not."""
    judge, forger = judge_and_forger(key, algorithm)
    text = forger.proof("POST", URL, TOKEN)
    ath = forger.claims("POST", URL, TOKEN)["ath"]

    proof = judge.check(text, "POST", "/v1/events", ath)
    judge.use(proof, "a-client")

    assert proof.thumbprint == forger.thumbprint
    with pytest.raises(errors.InvalidProof, match="used_before"):
        judge.use(judge.check(text, "POST", "/v1/events", ath), "a-client")


@pytest.mark.parametrize(
    ("changes", "fix"),
    [
        ({"iat": NOW - 100}, "Set the clock"),
        ({"htu": "https://elsewhere.example.org/v1/events"}, f"Call the hub at {HUB}"),
        ({"jti": None}, "Make a new one"),
    ],
)
def test_a_refusal_says_what_to_do(changes: dict[str, Any], fix: str) -> None:
    """Whoever reads it learns what is wrong and how to go on, and nothing that was sent."""
    judge, forger = judge_and_forger()
    with pytest.raises(errors.InvalidProof) as refused:
        judge.check(forger.proof("POST", URL, **changes), "POST", "/v1/events", None)

    assert fix in refused.value.detail.en
    assert "elsewhere" not in refused.value.detail.en


def test_only_used_proofs_leave_a_key_behind() -> None:
    """Whoever is no client cannot fill the memory of keys; a client's is read once."""
    judge, forger = judge_and_forger()
    kept: dict[bytes, Any] = vars(judge)["_keys"]

    proof = judge.check(forger.proof("POST", URL), "POST", "/v1/events", None)
    assert not kept
    judge.use(proof, "a-client")
    again = judge.check(forger.proof("POST", URL), "POST", "/v1/events", None)

    assert kept == {proof.header: proof.key}
    assert again.key is proof.key


def test_an_id_is_one_keys_own() -> None:
    """Nobody can use up another's `jti`; the key itself cannot use it again in another proof."""
    judge, forger = judge_and_forger()
    _, other = judge_and_forger()
    other.nonce = forger.nonce
    claims = {"jti": "the-same"}

    for one in (forger, other):
        judge.use(judge.check(one.proof("POST", URL, **claims), "POST", "/v1/events", None), "c")

    later = judge.check(
        forger.proof("POST", URL, iat=NOW - 30, **claims), "POST", "/v1/events", None
    )
    with pytest.raises(errors.InvalidProof, match="used_before"):
        judge.use(later, "c")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"htm": "GET"}, "htm"),
        ({"htm": "post"}, "htm"),
        ({"htm": None}, "htm"),
        ({"htm": ["POST"]}, "htm"),
        ({"htu": f"{HUB}/v1/feed"}, "htu"),
        ({"htu": "https://other.example.org/v1/events"}, "htu"),
        ({"htu": "http://hub.example.org/v1/events"}, "htu"),
        ({"htu": f"{URL}/"}, "htu"),
        ({"htu": None}, "htu"),
        ({"htu": 5}, "htu"),
        ({"htu": "\ud7ff"}, "htu"),
        ({"iat": NOW - 61}, "iat"),
        ({"iat": NOW + 11}, "iat"),
        ({"iat": float(NOW)}, "iat"),
        ({"iat": str(NOW)}, "iat"),
        ({"iat": True}, "iat"),
        ({"iat": None}, "iat"),
        ({"exp": NOW - 1}, "times"),
        ({"exp": "later"}, "times"),
        ({"nbf": NOW + 11}, "times"),
        ({"jti": ""}, "jti"),
        ({"jti": "x" * 129}, "jti"),
        ({"jti": "two words"}, "jti"),
        ({"jti": 7}, "jti"),
        ({"jti": None}, "jti"),
        ({"ath": None}, "ath"),
        ({"ath": ""}, "ath"),
        ({"ath": "A" * 43}, "ath"),
        ({"nonce": 5}, "nonce"),
        ({"nonce": None}, "nonce_required"),
        ({"nonce": "x"}, "nonce_required"),
        ({"nonce": "A" * 32}, "nonce_required"),
    ],
    ids=str,
)
def test_a_wrong_claim_is_refused(changes: dict[str, Any], reason: str) -> None:
    """One claim that is not right is enough, and it is named."""
    judge, forger = judge_and_forger()

    assert refusal(judge, forger.proof("POST", URL, TOKEN, **changes)) == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"typ": None}, "typ"),
        ({"typ": "JWT"}, "typ"),
        ({"typ": "at+jwt"}, "typ"),
        ({"alg": None}, "alg"),
        ({"alg": "none"}, "alg"),
        ({"alg": "HS256"}, "alg"),
        ({"alg": "RS256"}, "alg"),
        ({"alg": "ES384"}, "alg"),
        ({"alg": "PS256"}, "jwk"),
        ({"alg": ["ES256"]}, "alg"),
        ({"crit": ["exp"]}, "crit"),
        ({"b64": False}, "crit"),
        ({"jwk": None}, "jwk"),
        ({"jwk": "key"}, "jwk"),
        ({"jwk": {}}, "jwk"),
        ({"jwk": OctKey.generate_key(256).as_dict()}, "private_key"),
        ({"jwk": ECKey.generate_key("P-256").as_dict(private=True)}, "private_key"),
        ({"jwk": ECKey.generate_key("P-384").as_dict(private=False)}, "jwk"),
        ({"jwk": RSAKey.generate_key(2048).as_dict(private=False)}, "jwk"),
        ({"jwk": ECKey.generate_key("P-256").as_dict(private=False)}, "signature"),
    ],
)
def test_a_wrong_header_is_refused(changes: dict[str, Any], reason: str) -> None:
    """Type, algorithm and key are on lists; a private or a foreign key is refused."""
    judge, forger = judge_and_forger()
    header = {**forger.header(), **changes}

    assert refusal(judge, forger.sign(header, forger.claims("POST", URL, TOKEN))) == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"x": "AAAA"}, "jwk"),
        ({"x": "A" * 43}, "jwk"),
        ({"y": None}, "jwk"),
        ({"y": 5}, "jwk"),
        ({"x": "é" * 43}, "jwk"),
        ({"use": "enc"}, "jwk"),
        ({"alg": "ES384"}, "jwk"),
        ({"crv": "secp256k1"}, "jwk"),
        ({"d": "AAAA"}, "private_key"),
    ],
    ids=str,
)
def test_a_wrong_key_is_refused(changes: dict[str, Any], reason: str) -> None:
    """A point that is not on the curve, a key for something else, half a key."""
    judge, forger = judge_and_forger()
    header = forger.header()
    jwk = {name: one for name, one in {**header["jwk"], **changes}.items() if one is not None}

    text = forger.sign({**header, "jwk": jwk}, forger.claims("POST", URL, TOKEN))

    assert refusal(judge, text) == reason


def test_weak_and_endless_keys_are_refused() -> None:
    """RSA keys have 2048 to 4096 bits and a small exponent, so that verifying stays cheap."""
    with pytest.warns(SecurityWarning):
        judge, forger = judge_and_forger(RSAKey.generate_key(1024), "PS256")
    assert refusal(judge, forger.proof("POST", URL, TOKEN)) == "jwk"
    judge, forger = judge_and_forger(RSAKey.generate_key(2048), "PS256")
    header = forger.header()
    jwk = {**header["jwk"], "e": "AQAAAAAAAAAB"}

    assert refusal(judge, forger.sign({**header, "jwk": jwk}, {})) == "jwk"


@pytest.mark.parametrize("spelling", ["HTTPS://HUB.example.org:443/v1/events?x=1#y", URL])
def test_an_address_has_many_spellings(spelling: str) -> None:
    """The same address in another spelling is the same address (RFC 9449 §4.3)."""
    judge, forger = judge_and_forger()

    proof = judge.check(forger.proof("POST", spelling), "POST", "/v1/events", None)

    assert proof.thumbprint == forger.thumbprint


def test_a_nonce_ends() -> None:
    """A nonce is good for longer than a token lives, and not for ever."""
    clock = Clock()
    nonces = Nonces(clock.now)
    nonce = nonces.fresh()

    clock.now_seconds += LIFETIME_SECONDS
    assert nonces.is_good(nonce)
    clock.now_seconds += 1
    assert not nonces.is_good(nonce)


@pytest.mark.parametrize("change", ["", "x", "é" * 32, "*" * 32, "longer"])
def test_only_own_nonces_are_good(change: str) -> None:
    """Another gateway's, a changed or an invented nonce is not."""
    nonces = Nonces(lambda: NOW)
    good = nonces.fresh()

    assert nonces.is_good(good)
    assert not nonces.is_good(Nonces(lambda: NOW).fresh())
    assert not nonces.is_good(change)
    for place in range(len(good)):
        other = "A" if good[place] != "A" else "B"
        assert not nonces.is_good(f"{good[:place]}{other}{good[place + 1 :]}")


def test_a_proof_of_another_gateway_is_challenged_anew() -> None:
    """A proof that one gateway took is worth nothing at the other, nor after a restart."""
    first, forger = judge_and_forger()
    second, _ = judge_and_forger()
    text = forger.proof("POST", URL, TOKEN)
    ath = forger.claims("POST", URL, TOKEN)["ath"]
    first.use(first.check(text, "POST", "/v1/events", ath), "a-client")

    with pytest.raises(errors.NonceRequired) as challenged:
        second.check(text, "POST", "/v1/events", ath)
    forger.nonce = challenged.value.facts["nonce"]
    answer = second.check(forger.proof("POST", URL, TOKEN), "POST", "/v1/events", ath)
    second.use(answer, "a-client")

    with pytest.raises(errors.NonceRequired):
        first.check(forger.proof("POST", URL, TOKEN), "POST", "/v1/events", ath)


def test_the_memory_is_bounded_and_fails_closed() -> None:
    """Full means refused, for one client and for all; what has ended makes room."""
    clock = Clock()
    used = UsedProofs(clock.now, capacity=8)
    until = NOW + judging.BACK_SECONDS

    assert [used.use("one", "key", str(n), until) for n in range(2)] == [True, True]
    with pytest.raises(errors.TooManyCalls):
        used.use("one", "key", "3", until)
    for client in ("two", "three", "four"):
        assert all(used.use(client, client, str(n), until) for n in range(2))
    with pytest.raises(errors.Overloaded):
        used.use("five", "five", "1", until)
    assert not used.use("one", "key", "1", until)

    assert used.remembered == 8
    clock.now_seconds = until + 10
    assert used.remembered == 0
    assert used.use("five", "key", "1", until + 60)


def test_what_was_used_is_remembered_as_long_as_it_counts() -> None:
    """To the last second in which the proof would be taken, it is refused."""
    clock = Clock()
    judge = Proofs([HUB], now=clock.now)
    forger = Forger(now=clock.now, nonce=judge.fresh_nonce())
    text = forger.proof("POST", URL, iat=NOW + judging.AHEAD_SECONDS)
    judge.use(judge.check(text, "POST", "/v1/events", None), "c")

    clock.now_seconds += judging.AHEAD_SECONDS + judging.BACK_SECONDS
    with pytest.raises(errors.InvalidProof, match="used_before"):
        judge.use(judge.check(text, "POST", "/v1/events", None), "c")
    clock.now_seconds += 1
    with pytest.raises(errors.InvalidProof, match="iat"):
        judge.check(text, "POST", "/v1/events", None)
