"""Mail is given to a server that proves who it is, or not at all; an address is only an address."""

from __future__ import annotations

import ssl
import threading
from typing import TYPE_CHECKING

import pytest

from consumers.mail import Letter, Mailer, MailSettings, is_address
from gateway.embedded.certificates import ensure_certificates
from tests.consumers.mail_servers import PASSWORD, USER, MailServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consumers.mail import Security

LETTER = Letter("0195a000", "desk@ocmw.example.org", "Twee / two: é", "Regel één.\n.\nLine two.\n")


def settings(port: int, security: Security = "none", **more: object) -> MailSettings:
    """Of a server on loopback."""
    return MailSettings("127.0.0.1", port, security, "hub@schakel.example.org", **more)  # type: ignore[arg-type]  # each test names its own


def yes() -> bool:
    """Leave to begin."""
    return True


def test_a_letter_arrives_as_it_was_written() -> None:
    """With accents and a lone dot, marked as a machine's, under an id of its own."""
    with MailServer() as server:
        posted = Mailer(settings(server.port)).send(LETTER, yes)
    (got,) = server.got

    assert posted.kind == "sent"
    assert server.recipients == [LETTER.to]
    assert (got["To"], got["From"]) == (LETTER.to, "hub@schakel.example.org")
    assert (got["Subject"], got.get_content().replace("\r\n", "\n")) == (
        LETTER.subject,
        LETTER.text,
    )
    assert got["Message-ID"] == "<0195a000@schakel.example.org>"
    assert got["Auto-Submitted"] == "auto-generated"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A server's context for this machine, and its authority."""
    made = ensure_certificates(tmp_path_factory.mktemp("tls"), ("broker",))
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(made.of("broker"))
    return served, made.authority


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_is_checked_before_anything_is_said(
    tls: tuple[ssl.SSLContext, Path], tmp_path: Path, security: Security
) -> None:
    """Under an authority that is known it logs in and sends; under none it does not even try."""
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n")
    with MailServer(tls=tls[0], at_once=security == "tls") as server:
        known = settings(server.port, security, user=USER, password_file=password, ca=tls[1])
        unknown = settings(server.port, security, user=USER, password_file=password)
        sent = Mailer(known).send(LETTER, yes)
        refused = Mailer(unknown).send(LETTER, yes)
        password.write_text("wrong")
        locked = Mailer(known).send(LETTER, yes)

    assert (sent.kind, sent.code, len(server.got)) == ("sent", "", 1)
    assert (refused.kind, refused.code, refused.is_away) == ("later", "tls_failed", True)
    assert (locked.kind, locked.code, locked.is_away) == ("later", "smtp_535", True)


def test_a_server_without_starttls_gets_nothing() -> None:
    """It does not go on in the clear."""
    with MailServer() as server:
        posted = Mailer(settings(server.port, "starttls")).send(LETTER, yes)

    assert (posted.kind, posted.code, server.got) == ("later", "not_supported", [])


@pytest.mark.parametrize(
    ("place", "answer", "kind", "code", "away"),
    [
        ("rcpt", "451 later", "later", "smtp_451", False),
        ("rcpt", "550 unknown", "refused", "smtp_550", False),
        ("data", "452 full", "later", "smtp_452", False),
        ("data", "554 no", "refused", "smtp_554", False),
        ("data", "drop", "unsure", "connection_lost", False),
    ],
)
def test_what_a_server_says_is_told_apart(
    place: str,
    answer: str,
    kind: str,
    code: str,
    away: bool,  # noqa: FBT001 - a column
) -> None:
    """Whether it has the letter, has it not, or may have it."""
    says: dict[str, Callable[[], str | None]] = {place: lambda: answer}
    with MailServer(**says) as server:  # type: ignore[arg-type]  # one of the two
        posted = Mailer(settings(server.port)).send(LETTER, yes)

    assert (posted.kind, posted.code, posted.is_away) == (kind, code, away)


def test_without_leave_nothing_is_said() -> None:
    """And where nobody listens, nobody is asked for leave."""
    asked = threading.Event()

    def leave() -> bool:
        asked.set()
        return True

    with MailServer() as server:
        withheld = Mailer(settings(server.port)).send(LETTER, lambda: False)
    away = Mailer(settings(server.port)).send(LETTER, leave)

    assert (withheld.kind, server.got) == ("withheld", [])
    assert (away.kind, away.code, away.is_away, asked.is_set()) == (
        "later",
        "connection_failed",
        True,
        False,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "desk",
        "desk@localhost",
        "a b@example.org",
        "desk@example.org\r\nBcc: other@example.org",
        "desk@example.org\n",
        "desk@example.org>\rRCPT TO:<x@example.org",
        '"desk"@example.org',
        "desk@example.org, x@example.org",
        "Desk <desk@example.org>",
        "désk@example.org",
        ".desk@example.org",
        "desk@-example.org",
        "desk@[127.0.0.1]",
        "x" * 65 + "@example.org",
        "desk@" + "a." * 124 + "org",
    ],
)
def test_only_a_plain_address_is_one(text: str) -> None:
    """No line breaks, names, lists, quotes or literals."""
    assert not is_address(text)


@pytest.mark.parametrize("text", ["desk@example.org", "a.b+c@sub.example.org", "x@a-b.example.org"])
def test_a_plain_address_is_one(text: str) -> None:
    """As people have them."""
    assert is_address(text)
