"""The certificates of the broker's own listeners."""

import stat
from pathlib import Path

from cryptography import x509

from gateway.embedded.certificates import ensure_certificates


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
