"""Mail servers on loopback that behave as told, and keep what they were given."""

from __future__ import annotations

import asyncio
import threading
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from email.message import EmailMessage

USER, PASSWORD = "hub", "correct horse"


class MailServer:
    """A real SMTP server on a thread of its own; use as a context manager.

    Args:
        port: to listen on; any when 0.
        rcpt, data: say what to answer to a recipient and to a text, None for yes. Once `data` was
            asked the server has the text.
        tls: makes it offer STARTTLS, and take nothing without it and a log-in.
        at_once: speaks TLS from the first byte instead.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        rcpt: Callable[[], str | None] = lambda: None,
        data: Callable[[], str | None] = lambda: None,
        tls: ssl.SSLContext | None = None,
        at_once: bool = False,
    ) -> None:
        self.got: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.asked = threading.Event()
        self._rcpt, self._data = rcpt, data
        self._tls, self._at_once = tls, at_once
        self._loop = asyncio.new_event_loop()
        listening = self._loop.create_server(
            self._session, "127.0.0.1", port, ssl=tls if at_once else None
        )
        self._server = self._loop.run_until_complete(listening)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """A recipient."""
        answer = await self._told(self._rcpt)
        if answer is not None:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """A text."""
        self.recipients += envelope.rcpt_tos
        self.got.append(message_from_bytes(envelope.content, policy=default))
        answer = await self._told(self._data)
        if answer == "drop":
            server.transport.abort()
        return answer or "250 OK"

    async def _told(self, answer: Callable[[], str | None]) -> str | None:
        said = answer()
        if said == "hang":
            self.asked.set()
            await asyncio.sleep(60)
        return said

    def _session(self) -> SMTP:
        offers = self._tls is not None and not self._at_once
        return SMTP(
            self,
            hostname="mail.example.org",
            loop=self._loop,
            tls_context=None if self._at_once else self._tls,
            require_starttls=offers,
            auth_required=offers,
            auth_require_tls=offers,
            authenticator=_authenticate if self._tls else None,
        )

    def _run(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._ended())
            self._loop.close()

    async def _ended(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _authenticate(_server: Any, _session: Any, _envelope: Any, _kind: str, given: Any) -> Any:
    right = isinstance(given, LoginPassword) and given == LoginPassword(
        USER.encode(), PASSWORD.encode()
    )
    return AuthResult(success=right, handled=False)
