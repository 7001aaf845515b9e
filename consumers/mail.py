"""Mail by SMTP: one short text to one address, given to the operator's own mail server.

TLS checks the server's certificate for its name. An address that is not a plain one never comes
near a command or a header. Everything here blocks.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECONDS: Final = 10.0
LONGEST_ADDRESS: Final = 254
PERMANENT: Final = 500
"""From here on the server will not take it at another time either."""
_ACCEPTED: Final = range(200, 300)
_LOCAL: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(rf"(?=.{{1,64}}@){_LOCAL}@(?:{_LABEL}\.)+{_LABEL}")

Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Which server takes the hub's mail.

    Attributes:
        security: `starttls` after a greeting in the clear, `tls` from the first byte, or `none`.
        password_file: read at each connection, so that it can be replaced.
        ca: authorities of the server's certificate; the system's when None.
    """

    host: str
    port: int
    security: Security
    sender: str
    user: str | None = None
    password_file: Path | None = None
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """What to send; its repr shows no address.

    Attributes:
        id: becomes the Message-ID, so that a server that knows it can drop a second one.
    """

    id: str
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of it.

    Attributes:
        kind: `sent`; `later` or `refused`, when the server certainly does not have it; `unsure`,
            when it may have it; `withheld`, when `begin` said no.
        code: why, such as `smtp_451`; no text of the server's.
        is_away: nothing can be sent to anybody now.
    """

    kind: Literal["sent", "later", "refused", "unsure", "withheld"]
    code: str = ""
    is_away: bool = False


def is_address(text: str) -> bool:
    """Whether this is one plain mail address: ASCII, no quotes, no spaces, a name with a dot."""
    return len(text) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def domain_of(address: str) -> str:
    """What stands behind the @, in lower case."""
    return address.rpartition("@")[2].lower()


class Mailer:
    """Sends letters, each over a connection of its own. Raises OSError when `ca` is unreadable."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._tls = ssl.create_default_context(cafile=settings.ca)

    def send(self, letter: Letter, begin: Callable[[], bool]) -> Posted:
        """Give a letter to the server; blocks, for ten seconds at each step of it.

        Args:
            letter: whose address has to be one for `is_address`.
            begin: called once the server has taken sender and recipient, right before the text:
                from then on it may have it. Without its leave nothing is sent.
        """
        try:
            server = self._connected()
        except smtplib.SMTPResponseException as error:
            return _away(f"smtp_{error.smtp_code}")
        except smtplib.SMTPNotSupportedError:
            return _away("not_supported")
        except ssl.SSLError:
            return _away("tls_failed")
        except (OSError, smtplib.SMTPException):
            return _away("connection_failed")
        try:
            return self._given(server, letter, begin)
        finally:
            # Whatever a server says to a farewell, what it took it has.
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()

    def _connected(self) -> smtplib.SMTP:
        """A connection that is safe and logged in. Raises OSError, smtplib.SMTPException."""
        one = self._settings
        # The name it greets with: asking the machine for its own may wait for a name server.
        name = domain_of(one.sender)
        server = (
            smtplib.SMTP_SSL(one.host, one.port, name, timeout=SECONDS, context=self._tls)
            if one.security == "tls"
            else smtplib.SMTP(one.host, one.port, name, timeout=SECONDS)
        )
        try:
            if one.security == "starttls":
                server.starttls(context=self._tls)
            if one.user and one.password_file is not None:
                server.login(one.user, one.password_file.read_text("utf-8").strip())
            server.ehlo_or_helo_if_needed()
        except BaseException:
            server.close()
            raise
        return server

    def _given(self, server: smtplib.SMTP, letter: Letter, begin: Callable[[], bool]) -> Posted:
        content = _message(letter, self._settings.sender).as_bytes()
        refused = self._addressed(server, letter)
        if refused is not None:
            return refused
        if not begin():
            return Posted("withheld")
        try:
            code = server.data(content)[0]
        except smtplib.SMTPDataError as error:
            return _refusal(error.smtp_code)
        except (OSError, smtplib.SMTPException):
            return Posted("unsure", "connection_lost")
        return Posted("sent") if code in _ACCEPTED else _refusal(code)

    def _addressed(self, server: smtplib.SMTP, letter: Letter) -> Posted | None:
        """Name sender and recipient; None when the server takes both."""
        try:
            code = server.mail(self._settings.sender)[0]
            if code not in _ACCEPTED:
                return _away(f"smtp_{code}")
            code = server.rcpt(letter.to)[0]
        except (OSError, smtplib.SMTPException):
            return _away("connection_failed")
        return None if code in _ACCEPTED else _refusal(code)


def _away(code: str) -> Posted:
    return Posted("later", code, is_away=True)


def _refusal(code: int) -> Posted:
    return Posted("refused" if code >= PERMANENT else "later", f"smtp_{code}")


def _message(letter: Letter, sender: str) -> EmailMessage:
    """The letter as it travels; the policy refuses a header with a line break in it."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{letter.id}@{domain_of(sender)}>"
    # RFC 3834: no machine answers this one.
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "nl, en"
    message.set_content(letter.text)
    return message
