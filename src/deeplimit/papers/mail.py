"""An issue as a mail, and its way to the server."""

from __future__ import annotations

import hashlib
import re
import smtplib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from deeplimit.papers.issues import Issue
from deeplimit.papers.sheet import to_html, to_text

__all__ = ["Server", "as_address", "compose", "send"]

_SECONDS = 30.0
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,250}")
_LOCAL = ("localhost", "127.0.0.1", "::1")
_SECURITIES = ("starttls", "tls", "none")


@dataclass(frozen=True)
class Server:
    """A mail server and how to talk to it.

    Parameters
    ----------
    host : str
        Its name.
    port : int, optional
        587, with "tls" 465, by default.
    security : str, default="starttls"
        "starttls", "tls" from the beginning, or "none".
    user : str, optional
        If the server asks who is sending.
    password : str, optional
        The user's.

    Raises
    ------
    ValueError
        If a setting does not suit, or a password would go over the net as it is.

    Examples
    --------
    >>> from deeplimit.papers.mail import Server
    >>> Server("mail.example.org", user="me", password="secret")
    Server(host='mail.example.org', port=587, security='starttls', user='me')
    """

    host: str
    port: int | None = None
    security: str = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.host:
            raise ValueError("no mail server is named: --host, or DEEPLIMIT_SMTP_HOST.")
        if not re.fullmatch(r"[A-Za-z0-9.:_-]{1,253}", self.host):
            raise ValueError(f"{self.host!r} is no name of a mail server.")
        if self.security not in _SECURITIES:
            raise ValueError(f"security is one of {', '.join(_SECURITIES)}; got {self.security!r}.")
        if self.port is None:
            object.__setattr__(self, "port", 465 if self.security == "tls" else 587)
        if not 1 <= (self.port or 0) <= 65535:
            raise ValueError(f"{self.port} is no port.")
        if bool(self.user) != bool(self.password):
            what = "password (DEEPLIMIT_SMTP_PASSWORD)" if self.user else "user (--user)"
            raise ValueError(f"the mail server's {what} is missing.")
        if self.password and self.security == "none" and self.host not in _LOCAL:
            raise ValueError(
                "a password is not sent without encryption: use --security starttls or tls."
            )


def as_address(text: str) -> str:
    """Check an address of a mail; a line break in one would be another header.

    Parameters
    ----------
    text : str
        Such as ``me@example.org``.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> from deeplimit.papers.mail import as_address
    >>> as_address("me@example.org")
    'me@example.org'
    """
    wrong = f"{text!r} is no mail address such as me@example.org."
    if not _ADDRESS.fullmatch(text):
        raise ValueError(wrong)
    try:
        Address(addr_spec=text)
    except Exception:  # several kinds, IndexError among them, by what is wrong with it
        raise ValueError(wrong) from None
    return text


def compose(issue: Issue, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """Make a mail of plain text and, beside it, the page.

    Parameters
    ----------
    issue : Issue
        With at least one entry.
    sender : str
        Address.
    recipients : sequence of str
        Addresses, at least one.

    Returns
    -------
    EmailMessage
        Its Message-ID follows from the papers: a mail that is sent again is known as the same.

    Raises
    ------
    ValueError
        If an address is none, or no one is to get it.
    """
    if not recipients:
        raise ValueError("who is to get the mail? --to ADDRESS.")
    sender = as_address(sender)
    checked = [as_address(recipient) for recipient in recipients]
    message = EmailMessage(policy=SMTP)
    n = len(issue.entries)
    message["Subject"] = f"{issue.headline}: {n} new"
    message["From"] = sender
    message["To"] = ", ".join(checked)
    message["Date"] = format_datetime(datetime.now(UTC))
    said = f"{issue.day} {[entry.title for entry in issue.entries]} {sorted(checked)}"
    name = hashlib.sha256(said.encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{name}@{sender.rpartition('@')[2]}>"
    message.set_content(to_text(issue), cte="quoted-printable")
    message.add_alternative(to_html(issue), subtype="html", cte="quoted-printable")
    return message


def send(message: EmailMessage, server: Server) -> list[str]:
    """Hand a mail to a server.

    Parameters
    ----------
    message : EmailMessage
        From `compose`.
    server : Server
        The server.

    Returns
    -------
    list of str
        Recipients whom the server refused, others having been accepted.

    Raises
    ------
    ValueError
        If the server did not take the mail, whatever the reason: one sentence says which.
    """
    where = f"the mail server {server.host!r}"
    try:
        # What was taken is sent, even if the server then fails to say goodbye.
        return sorted(_hand_over(message, server))
    except smtplib.SMTPAuthenticationError:
        wrong = f"{where} does not accept the user {server.user!r} with this password"
    except smtplib.SMTPRecipientsRefused as error:
        wrong = f"{where} refuses every recipient: {', '.join(sorted(error.recipients))}"
    except smtplib.SMTPSenderRefused as error:
        wrong = f"{where} refuses mail from {error.sender!r}: {_said(error)}"
    except smtplib.SMTPNotSupportedError as error:
        wrong = f"{where}: {error}"
    except smtplib.SMTPResponseException as error:
        wrong = f"{where} refuses the mail: {_said(error)}"
    except smtplib.SMTPException as error:
        wrong = f"{where} broke off: {error}"
    except ssl.SSLError as error:
        # A certificate that does not hold has a message; other faults have a reason, or neither.
        told = (getattr(error, name, None) for name in ("verify_message", "reason"))
        reason = next(filter(None, told), "it is not encrypted as it should be")
        wrong = f"no safe connection to {where} at port {server.port}: {reason}"
    except socket.gaierror:
        wrong = f"{where} is not known"
    except TimeoutError:
        wrong = f"{where} does not answer at port {server.port}"
    except OSError as error:
        wrong = f"{where} cannot be reached at port {server.port}: {error.strerror or error}"
    raise ValueError(" ".join(f"{wrong.rstrip('.')}; nothing was sent or recorded.".split()))


def _hand_over(message: EmailMessage, server: Server) -> list[str]:
    port = server.port or 0
    client: smtplib.SMTP
    if server.security == "tls":
        context = ssl.create_default_context()
        client = smtplib.SMTP_SSL(server.host, port, timeout=_SECONDS, context=context)
    else:
        client = smtplib.SMTP(server.host, port, timeout=_SECONDS)
    try:
        if server.security == "starttls":
            client.starttls(context=ssl.create_default_context())
        if server.user and server.password:
            client.login(server.user, server.password)
        refused = client.send_message(message)
    except BaseException:
        client.close()
        raise
    try:
        client.quit()
    except (smtplib.SMTPException, OSError):
        client.close()
    return list(refused)


def _said(error: smtplib.SMTPResponseException) -> str:
    said = error.smtp_error
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return f"{error.smtp_code} {text}"[:200]
