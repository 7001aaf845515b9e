"""The certificates of the broker's own listeners."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.embedded.certificates import discard, ensure_certificates


def test_files_are_their_owners_only(tmp_path: Path) -> None:
    """Every file is 0600 in a folder of 0700."""
    ensure_certificates(tmp_path / "tls", ("broker", "relay"))

    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700
    assert {path.name for path in (tmp_path / "tls").iterdir()} == {
        "ca.pem",
        "ca-key.pem",
        "broker.pem",
        "relay.pem",
    }
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (tmp_path / "tls").iterdir())


def test_a_certificate_names_its_service(tmp_path: Path) -> None:
    """The name is the principal on the broker, signed by the folder's authority."""
    certificates = ensure_certificates(tmp_path / "tls", ("broker",))
    relay = x509.load_pem_x509_certificate(certificates.of("relay").read_bytes())
    authority = x509.load_pem_x509_certificate(certificates.authority.read_bytes())

    relay.verify_directly_issued_by(authority)
    assert relay.subject.rfc4514_string() == "CN=relay"


def test_a_second_start_keeps_them(tmp_path: Path) -> None:
    """Nothing is made anew that is there."""
    first = ensure_certificates(tmp_path / "tls", ("broker",)).of("broker").read_bytes()

    assert ensure_certificates(tmp_path / "tls", ("broker",)).of("broker").read_bytes() == first


@pytest.mark.parametrize(("service", "is_server"), [("broker", True), ("relay", False)])
def test_only_the_broker_can_serve(tmp_path: Path, service: str, *, is_server: bool) -> None:
    """A service's certificate is a client's: with its key nobody can pose as the broker."""
    file = ensure_certificates(tmp_path / "tls", (), hosts=("kafka",)).of(service)
    extensions = x509.load_pem_x509_certificate(file.read_bytes()).extensions
    uses = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    names = [one for one in extensions if isinstance(one.value, x509.SubjectAlternativeName)]

    assert ExtendedKeyUsageOID.CLIENT_AUTH in uses
    assert (ExtendedKeyUsageOID.SERVER_AUTH in uses) is is_server
    assert bool(names) is is_server


def test_a_service_is_handed_its_own_key_only(tmp_path: Path) -> None:
    """In a folder of its own are the authority's certificate and that one service's file."""
    certificates = ensure_certificates(tmp_path / "tls", ("broker", "relay"))
    own = tmp_path / "own"
    own.mkdir()

    certificates.hand_out("relay", own)

    assert {path.name for path in own.iterdir()} == {"ca.pem", "relay.pem"}
    assert (own / "relay.pem").read_bytes() == certificates.of("relay").read_bytes()
    assert stat.S_IMODE((own / "relay.pem").stat().st_mode) == 0o600


def test_what_was_discarded_is_made_anew(tmp_path: Path) -> None:
    """After discarding, a new authority signs new certificates."""
    first = ensure_certificates(tmp_path / "tls", ("relay",)).of("relay").read_bytes()

    discard(tmp_path / "tls")
    renewed = ensure_certificates(tmp_path / "tls", ("relay",))

    relay = x509.load_pem_x509_certificate(renewed.of("relay").read_bytes())
    relay.verify_directly_issued_by(x509.load_pem_x509_certificate(renewed.authority.read_bytes()))
    assert renewed.of("relay").read_bytes() != first


def test_an_operator_makes_the_certificates_of_several_machines(tmp_path: Path) -> None:
    """The script of the containers makes them for a broker of any name, in a folder of each."""
    script = Path(__file__).parents[3] / "deploy" / "containers" / "issue-certificates.py"
    folder = tmp_path / "certificates"
    command = [sys.executable, str(script), "--folder", str(folder), "--host", "kafka.example.org"]

    subprocess.run(command, check=True)

    services = ("broker", "admin", "relay", "route", "kafka-door")
    made = {str(one.relative_to(folder)) for one in folder.rglob("*.pem")}
    assert made >= {f"{one}/{file}" for one in services for file in ("ca.pem", f"{one}.pem")}
    broker = x509.load_pem_x509_certificate((folder / "broker" / "broker.pem").read_bytes())
    names = broker.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "kafka.example.org" in names.get_values_for_type(x509.DNSName)
