"""The hub calls public addresses over https and nothing else."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

import pytest

from consumers.addresses import AddressPolicy, SystemResolver, Target
from consumers.errors import AddressRefused

PUBLIC, TESTING = AddressPolicy(), AddressPolicy(allows_loopback=True)

INSIDE = [
    "0.0.0.0",  # noqa: S104
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
OUTSIDE = ["1.1.1.1", "8.8.8.8", "193.191.0.1", "2606:4700:4700::1111", "2a02:1800::1"]


@dataclass
class Names:
    """A name service that gives its answers in turn, the last one for ever."""

    answers: list[list[str]]
    asked: list[str] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> list[str]:
        """The next answer."""
        del port
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize("address", INSIDE)
def test_no_special_address_is_called(address: str) -> None:
    """Neither as a literal nor behind a name, alone or beside a public one."""
    literal = f"[{address}]" if ":" in address else address
    assert not PUBLIC.allows(ipaddress.ip_address(address))
    with pytest.raises(AddressRefused):
        PUBLIC.target(f"https://{literal}/hook")
    for answer in ([address], ["1.1.1.1", address]):
        with pytest.raises(AddressRefused):
            PUBLIC.choose(Target("https", "hook.example.org", 443), Names([answer]))


@pytest.mark.parametrize("address", OUTSIDE)
def test_public_addresses_are_called(address: str) -> None:
    """The address that was judged is the one that comes back, and it was asked for once."""
    names = Names([[address]])

    assert PUBLIC.choose(Target("https", "hook.example.org", 443), names) == address
    assert names.asked == ["hook.example.org"]


@pytest.mark.parametrize(
    "url",
    [
        "http://hook.example.org/",
        "https://hook.example.org:22/",
        "https://user:pw@hook.example.org/",
        "https://hook.example.org/#x",
        "https:///hook",
        "https://hook.example.org:99999/",
        "https://hook.example.org\\@127.0.0.1/",
        "https://hook.example.org/ a",
        "https://höok.example.org/",
        "https://127.0.0.1/",
        "https://[::1/",
        "ftp://hook.example.org/",
        "file:///etc/passwd",
        "https://hook.example.org/" + "a" * 2048,
        "https://hook..example.org/",
        "https://.example.org/",
        "https://example.org../",
        "https://./",
        f"https://{'a' * 64}.example.org/",
        f"https://{'a.' * 121}example.orgs/",
        "",
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    """The error names the field and repeats nothing of the URL."""
    with pytest.raises(AddressRefused) as caught:
        PUBLIC.target(url, "oauth.token_endpoint")

    (fault,) = caught.value.invalid
    assert fault.name == "oauth.token_endpoint"
    for told in (caught.value.detail.nl, caught.value.detail.en):
        assert "example.org" not in told


@pytest.mark.parametrize(
    "host", ["example.org.", f"{'a' * 63}.example.org", f"{'a.' * 121}example.org"]
)
def test_names_at_the_edge_of_what_there_may_be(host: str) -> None:
    """A dot at the end, and the longest label and name."""
    assert PUBLIC.target(f"https://{host}/").host == host


@pytest.mark.parametrize("host", ["a..b", "a" * 64])
def test_a_name_that_cannot_be_asked_for_has_no_address(host: str) -> None:
    """Also when it was kept before such names were refused."""
    with pytest.raises(OSError, match="cannot be asked"):
        SystemResolver().resolve(host, 443)


def test_loopback_is_for_test_installations() -> None:
    """There it goes without TLS and on any port; nothing else inside is opened by it."""
    assert TESTING.target("http://127.0.0.1:5000/hook") == Target("http", "127.0.0.1", 5000)
    assert TESTING.choose(Target("http", "::1", 80), Names([[]])) == "::1"
    for answer in (["10.0.0.1"], ["1.1.1.1"], ["127.0.0.1", "1.1.1.1"]):
        with pytest.raises(AddressRefused):
            TESTING.choose(Target("http", "hook.example.org", 80), Names([answer]))
    with pytest.raises(AddressRefused):
        TESTING.choose(Target("https", "hook.example.org", 443), Names([["169.254.169.254"]]))


def test_a_name_without_an_address_is_no_refusal() -> None:
    """It may have one later, so it is told apart."""
    with pytest.raises(OSError, match="no address"):
        PUBLIC.choose(Target("https", "hook.example.org", 443), Names([[]]))
