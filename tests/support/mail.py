"""A real SMTP server that keeps what it is sent, and refuses what a test tells it to."""

from __future__ import annotations

import email
import ssl
from collections.abc import Callable
from email import policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from support.servers import free_port


class MailServer(Controller):
    """Takes mail at `port`.

    Parameters
    ----------
    tls
        What STARTTLS is done with; None: it is not offered. Where it is, nothing is taken without.
    password
        Of the user ``observatory``, who must log in; empty: nobody needs to.
    refuse
        Gives the reply to a recipient (``"550 no such user"``), or to the mail itself for ``"DATA"``; empty: taken.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        password: str = "",
        refuse: Callable[[str], str] = lambda who: "",
    ) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.logins = 0
        self._password = password
        self._refuse = refuse
        more: dict[str, Any] = {"require_starttls": True, "tls_context": tls} if tls is not None else {}
        if password:
            more |= {"authenticator": self._is_known, "auth_required": True, "auth_require_tls": tls is not None}
        super().__init__(self, hostname="127.0.0.1", port=free_port(), **more)

    def address(self, *to: str, login: str = "", **options: str) -> str:
        """How apprise is told of it."""
        scheme = "mailtos" if self.SMTP_kwargs.get("tls_context") else "mailto"
        settings = {"from": "observatory@shop.example", "to": ",".join(to or ("oncall@shop.example",))} | options
        query = "&".join(f"{name}={value}" for name, value in settings.items())
        return f"{scheme}://{login and login + '@'}127.0.0.1:{self.port}?{query}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *about: object) -> None:
        self.stop()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        """Whether a recipient is taken."""
        refused = self._refuse(address)
        if refused:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        """Keep a mail."""
        refused = self._refuse("DATA")
        if refused:
            return refused
        content = envelope.content
        assert isinstance(content, bytes)
        parsed = email.message_from_bytes(content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"

    def _is_known(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins += 1
        is_known = (data.login, data.password) == (b"observatory", self._password.encode())
        return AuthResult(success=is_known, handled=is_known)
