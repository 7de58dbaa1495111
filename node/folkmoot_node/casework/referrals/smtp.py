"""Sends messages by the council's mail server."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path

from folkmoot_node.casework.referrals.postbox import MailFault, Message
from folkmoot_node.settings.casework import SmtpSettings
from folkmoot_operator.key_files import KeyFile

SECONDS = 20
"""How long the server may take to answer."""
_PERMANENT = 500
"""SMTP replies from here on are not to be tried again."""


def by_smtp(settings: SmtpSettings, home: Path) -> Callable[[Message], None]:
    """What sends a message by a mail server.

    Args:
        settings: Of the server.
        home: To which paths are relative.

    Raises:
        Problem: Exit code SETTINGS, if the password cannot be read.
    """
    password = ""
    if settings.password_file is not None:
        file = KeyFile(home / settings.password_file, "the mail password", "Correct password_file")
        password = file.content().decode("utf-8").strip()

    def send(message: Message) -> None:
        try:
            with _connect(settings, home) as server:
                if settings.user is not None:
                    server.login(settings.user, password)
                server.send_message(_mail(settings, message), settings.sender, [message.address])
        except smtplib.SMTPRecipientsRefused as error:
            # The reply may quote the address, so only its number is kept.
            code = next(iter(error.recipients.values()))[0]
            raise _fault("refuses the address of the service", code) from None
        except smtplib.SMTPAuthenticationError as error:
            raise MailFault(
                f"the mail server does not know the user ({error.smtp_code})", is_passing=False
            ) from None
        except smtplib.SMTPResponseException as error:
            raise _fault("refuses the message", error.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise MailFault(
                "the mail server does not offer what the settings ask", is_passing=False
            ) from None
        except ssl.SSLCertVerificationError:
            raise MailFault(
                "the certificate of the mail server is not valid", is_passing=False
            ) from None
        except (OSError, smtplib.SMTPException) as error:
            raise MailFault(
                f"the mail server cannot be reached ({type(error).__name__})", is_passing=True
            ) from None

    return send


def _connect(settings: SmtpSettings, home: Path) -> smtplib.SMTP:
    if settings.security == "none":
        return smtplib.SMTP(settings.host, settings.port, timeout=SECONDS)
    trusted = str(home / settings.ca_file) if settings.ca_file is not None else None
    context = ssl.create_default_context(cafile=trusted)
    if settings.security == "tls":
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=SECONDS, context=context)
    server = smtplib.SMTP(settings.host, settings.port, timeout=SECONDS)
    try:
        server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server


def _mail(settings: SmtpSettings, message: Message) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = settings.sender
    mail["To"] = message.address
    mail["Subject"] = message.subject
    mail["Date"] = formatdate()
    # The same for every attempt, so that a server that has it already can know it again.
    mail["Message-ID"] = f"<{message.reference}@{settings.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    return mail


def _fault(how: str, code: int) -> MailFault:
    return MailFault(f"the mail server {how} ({code})", is_passing=code < _PERMANENT)
