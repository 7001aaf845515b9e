"""Client certificates: over TLS at the gateway itself, and told by a proxy that is listed."""

from __future__ import annotations

import base64
import ssl
import threading
import time
from contextlib import contextmanager
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import ValidationError

from gateway import errors
from gateway.api.client_certificates import HEADER, PEER, UNIX, ClientCertificates, thumbprint
from gateway.embedded.certificates import Certificates, ensure_certificates
from gateway.oauth.senders import CERTIFICATE
from gateway.serving import partners_config
from gateway.settings import HubSettings
from tests.gateway.api.front_app import app_of
from tests.hub_front import ASSERTION_TYPE, PARTNER, HubFront, hub_front
from tests.registry_fixtures import sqlite_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.api.application import Gateway

PROXY, ELSEWHERE = "192.0.2.10", "198.51.100.7"
OWN = "own-certificate"


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority, a server's certificate (`broker`), and those of two clients."""
    folder = tmp_path_factory.mktemp("tls")
    return ensure_certificates(folder, ("broker", "relay", "route"))


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubFront]:
    """An issuer and a verifier of a test installation."""
    folder = tmp_path_factory.mktemp("front")
    with hub_front(sqlite_url(folder), folder) as opened:
        yield opened


def der_of(material: Certificates, client: str) -> bytes:
    """A client's certificate in DER."""
    pem = material.of(client).read_bytes()
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def told(der: bytes) -> bytes:
    """A certificate as RFC 9440 §2.1 has it in a header."""
    return b":" + base64.b64encode(der) + b":"


def scope_of(address: str | None, *headers: bytes, **members: Any) -> dict[str, Any]:
    """A request's scope from an address with these Client-Cert headers."""
    client = None if address is None else (address, 5000)
    return {"client": client, "headers": [(HEADER, one) for one in headers], **members}


def settled(scope: dict[str, Any], *networks: str) -> str | None:
    """Whose certificate the request shows, with these networks listed."""
    ClientCertificates([ip_network(one) for one in networks]).settle(scope)
    found: str | None = scope.get(CERTIFICATE)
    return found


def test_a_listed_proxy_tells_the_certificate(material: Certificates) -> None:
    """By address, by network, in IPv6, as IPv4 in IPv6, and over a Unix socket."""
    der = der_of(material, "relay")
    header, expected = told(der), thumbprint(der)

    assert settled(scope_of(PROXY, header), PROXY) == expected
    assert settled(scope_of(PROXY, header), "203.0.113.0/24", "192.0.2.0/24") == expected
    assert settled(scope_of("2001:db8::1", header), "2001:db8::/64") == expected
    assert settled(scope_of(f"::ffff:{PROXY}", header), PROXY) == expected
    assert settled(scope_of(None, b"  " + header + b" ", **{UNIX: True})) == expected


@pytest.mark.parametrize("address", [ELSEWHERE, "127.0.0.1", "::1", "nowhere", None])
def test_a_header_from_elsewhere_is_refused(material: Certificates, address: str | None) -> None:
    """Whoever is not listed cannot say whose certificate it has; also not on this machine."""
    header = told(der_of(material, "relay"))

    for networks in ((), (PROXY,)):
        with pytest.raises(errors.CertificateHeaderRefused):
            settled(scope_of(address, header), *networks)
        with pytest.raises(errors.CertificateHeaderRefused):
            settled(scope_of(address, header, **{PEER: OWN}), *networks)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"::",
        b":AAAA:",
        b"AAAA",
        b":AAAA",
        b":%%%%:",
        b":AAAA:;x=1",
        b":AAAA:, :AAAA:",
        b"-----BEGIN CERTIFICATE-----",
        b"\xff\xfe",
    ],
)
def test_what_is_no_certificate_is_refused(value: bytes) -> None:
    """A listed proxy too has to send one byte sequence that is a certificate."""
    with pytest.raises(errors.CertificateHeaderRefused):
        settled(scope_of(PROXY, value), PROXY)


def test_two_headers_are_refused(material: Certificates) -> None:
    """One of them may be the caller's own, which the proxy should have removed."""
    header = told(der_of(material, "relay"))

    with pytest.raises(errors.CertificateHeaderRefused):
        settled(scope_of(PROXY, header, header), PROXY)


def test_a_proxys_own_certificate_is_not_its_callers() -> None:
    """A connection's certificate counts, unless a proxy made the connection."""
    assert settled(scope_of(ELSEWHERE, **{PEER: OWN}), PROXY) == OWN
    assert settled(scope_of(PROXY, **{PEER: OWN}), PROXY) is None
    assert settled(scope_of(None, **{PEER: OWN, UNIX: True})) is None


def test_settings_name_networks_and_not_the_world(tmp_path: Path) -> None:
    """A proxy list is addresses and networks; one that trusts everybody is refused."""
    good = HubSettings(data=tmp_path, proxies="192.0.2.10, 2001:db8::/64")

    assert [str(one) for one in good.proxy_networks] == ["192.0.2.10/32", "2001:db8::/64"]
    assert good.takes_certificates
    assert not HubSettings(data=tmp_path).takes_certificates
    for wrong in ("0.0.0.0/0", "::/0", "proxy.example.org", "192.0.2.1/24"):
        with pytest.raises(ValidationError):
            HubSettings(data=tmp_path, proxies=wrong)
    with pytest.raises(ValidationError):
        HubSettings(data=tmp_path, tls_client_ca=tmp_path / "ca.pem")


@contextmanager
def served(app: Gateway, settings: HubSettings) -> Iterator[tuple[str, int]]:
    """The interface as the gateway's process serves it; gives the address."""
    config = partners_config(app, settings)
    config.lifespan = "off"
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()
    finally:
        server.should_exit = True
        thread.join()


def token_of(front: HubFront, client: httpx.Client, **options: Any) -> dict[str, Any]:
    """A token asked for over this client's connection."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": front.assertion(PARTNER),
    }
    answer = client.post("/oauth/token", data=form, **options)
    assert answer.status_code == httpx.codes.OK, answer.text
    body: dict[str, Any] = answer.json()
    return body


def bearer(token: dict[str, Any]) -> dict[str, str]:
    """The header of a certificate-bound token, whose type is Bearer (RFC 8705)."""
    assert token["token_type"] == "Bearer"
    return {"authorization": f"Bearer {token['access_token']}"}


def test_tls_at_the_gateway(front: HubFront, material: Certificates, tmp_path: Path) -> None:
    """A token is its certificate's: with another one or none 401, on every connection anew."""
    settings = HubSettings(
        data=tmp_path,
        port=0,
        tls_certificate=material.of("broker"),
        tls_client_ca=material.authority,
    )
    with served(app_of(front), settings) as address:
        url = f"https://127.0.0.1:{address[1]}"

        def client(name: str | None, folder: Certificates = material) -> httpx.Client:
            context = ssl.create_default_context(cafile=str(material.authority))
            if name is not None:
                context.load_cert_chain(folder.of(name))
            return httpx.Client(base_url=url, verify=context)

        with client("relay") as own, client("route") as other, client(None) as none:
            headers = bearer(token_of(front, own))
            free = bearer(token_of(front, none))
            answers = [one.get("/v1/me", headers=headers) for one in (own, other, none, own)]
            injected = none.get(
                "/v1/me",
                headers={**headers, "client-cert": told(der_of(material, "relay")).decode()},
            )
            unbound = none.get("/v1/me", headers=free)
        stranger = ensure_certificates(tmp_path / "other", ("broker", "relay"))
        with client("relay", stranger) as foreign, pytest.raises(httpx.TransportError):
            foreign.get("/v1/me", headers=headers)

    assert [one.status_code for one in answers] == [200, 401, 401, 200]
    assert [one.json()["reason"] for one in answers[1:3]] == ["other_certificate", "no_certificate"]
    assert (injected.status_code, injected.json()["code"]) == (400, "client_cert_refused")
    assert unbound.status_code == 200


def test_behind_a_proxy_on_a_unix_socket(
    front: HubFront, material: Certificates, tmp_path: Path
) -> None:
    """The proxy's header binds the token and is asked again with each call."""
    path = tmp_path / "hub.sock"
    relay = {"client-cert": told(der_of(material, "relay")).decode()}
    route = {"client-cert": told(der_of(material, "route")).decode()}
    with (
        served(app_of(front), HubSettings(data=tmp_path, socket=path)),
        httpx.Client(
            base_url="http://hub.test", transport=httpx.HTTPTransport(uds=str(path))
        ) as client,
    ):
        token = bearer(token_of(front, client, headers=relay))
        statuses = [
            client.get("/v1/me", headers={**token, **shown}).status_code
            for shown in (relay, route, {}, relay)
        ]

    assert statuses == [200, 401, 401, 200]


def test_header_injection_over_the_network(
    front: HubFront, material: Certificates, tmp_path: Path
) -> None:
    """From an address that is not listed the header is refused, at the issuer too."""
    header = {"client-cert": told(der_of(material, "relay")).decode()}
    with (
        served(app_of(front, PROXY), HubSettings(data=tmp_path, port=0)) as address,
        httpx.Client(base_url=f"http://127.0.0.1:{address[1]}") as client,
    ):
        answers = [
            client.post("/oauth/token", data={}, headers=header),
            client.get("/v1/me", headers=header),
            client.get("/v1/feed", headers=header),
            client.post("/v1/events", headers=header),
        ]

    assert {(one.status_code, one.json()["code"]) for one in answers} == {
        (400, "client_cert_refused")
    }
