"""Certificates of the broker's internal and controller listeners, made on the first start.

One authority per data folder signs one certificate per service; its name (`CN=relay`) is the
service's principal on the broker. Files are PEM, mode 0600, each service's private key and
certificate in one file. Names carry `CN=`, which no participant id can hold, so that no token can
name a service. Only the broker's certificate is a server's, so that no other service can pose as
it.
"""

import datetime as dt
import ipaddress
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# The embedded broker's own machine only; renewing is removing DATA/tls and starting again.
_VALID = dt.timedelta(days=3650)
_BACKDATED = dt.timedelta(days=1)
_AUTHORITY = "schakel-embedded"
_SERVER = "broker"


@dataclass(frozen=True, slots=True)
class Certificates:
    """The folder DATA/tls; `hosts` are names of a new broker's certificate besides loopback's."""

    folder: Path
    hosts: tuple[str, ...] = ()

    @property
    def authority(self) -> Path:
        """The certificate that both sides trust."""
        return self.folder / "ca.pem"

    def of(self, service: str) -> Path:
        """Return the file with a service's key and certificate, made when it is missing."""
        path = self.folder / f"{service}.pem"
        if not path.exists():
            _issue(self.folder, service, self.hosts)
        return path

    def hand_out(self, service: str, folder: Path) -> None:
        """Put all that one service needs, and nothing else, in a folder of its own."""
        for path in (self.authority, self.of(service)):
            _write(folder / path.name, path.read_bytes())


def ensure_certificates(
    folder: Path, services: tuple[str, ...], *, hosts: tuple[str, ...] = ()
) -> Certificates:
    """Make the authority and the services' certificates where they are missing; idempotent."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    if not (folder / "ca-key.pem").exists():
        _make_authority(folder)
    certificates = Certificates(folder, hosts)
    for service in services:
        certificates.of(service)
    return certificates


def discard(folder: Path) -> None:
    """Remove the authority and all it signed, so that the next start makes new ones; idempotent."""
    # The authority last, its key first: the next start finds a whole one or none, also when killed.
    last = [folder / "ca-key.pem", folder / "ca.pem"]
    for path in [*(one for one in folder.glob("*.pem") if one not in last), *last]:
        path.unlink(missing_ok=True)


def _make_authority(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(_AUTHORITY)
    certificate = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(folder / "ca.pem", certificate.public_bytes(serialization.Encoding.PEM))
    # The key last: its presence says that the authority is complete.
    _write(folder / "ca-key.pem", _private(key))


def _issue(folder: Path, service: str, names: tuple[str, ...]) -> None:
    authority = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    signer = serialization.load_pem_private_key((folder / "ca-key.pem").read_bytes(), None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is an elliptic curve key")
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _for_use(_builder(_name(service), authority.subject, key.public_key()), service, names)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    # Kafka reads PKCS#8 key and chain from one file.
    chain = certificate.public_bytes(serialization.Encoding.PEM)
    _write(folder / f"{service}.pem", _private(key) + chain)


def _for_use(
    builder: x509.CertificateBuilder, service: str, names: tuple[str, ...]
) -> x509.CertificateBuilder:
    if service != _SERVER:
        uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        return builder.add_extension(uses, critical=False)
    # The broker is its own client too, on the controller's listener.
    uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    hosts: list[x509.GeneralName] = [
        *(x509.DNSName(name) for name in names),
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")),
    ]
    alternatives = x509.SubjectAlternativeName(hosts)
    return builder.add_extension(uses, critical=False).add_extension(alternatives, critical=False)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _VALID)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes) -> None:
    # Renamed into place with mode 0600 from the first byte on: never half written, never readable.
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).replace(path)
