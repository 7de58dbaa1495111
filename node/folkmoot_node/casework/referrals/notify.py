"""Sends messages by GOV.UK Notify."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
from joserfc import jwt
from joserfc.jwk import OctKey

from folkmoot_node.casework.referrals.postbox import MailFault, Message
from folkmoot_node.settings.casework import NotifySettings
from folkmoot_operator.key_files import KeyFile
from folkmoot_web.clock import Clock

SECONDS = 20
"""How long Notify may take to answer."""
_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_KEY = re.compile(rf".*?({_UUID})-({_UUID})")
_CREATED = 201
_TOO_MANY = 429


def by_notify(
    settings: NotifySettings, home: Path, clock: Clock | None = None
) -> Callable[[Message], None]:
    """What sends a message by GOV.UK Notify.

    Args:
        settings: Of the service there.
        home: To which paths are relative.
        clock: The time; Notify refuses what is 30 seconds off. By default that of the machine.

    Raises:
        Problem: Exit code SETTINGS, if the API key cannot be read.
    """
    file = KeyFile(home / settings.key_file, "the API key of GOV.UK Notify", "Correct key_file")
    match = _KEY.fullmatch(file.content().decode("utf-8", "replace").strip())
    if match is None:
        raise file.wrong("is no API key: it has a name, the service's id and a secret")
    service, secret = match.groups()
    now = clock or (lambda: int(time.time()))

    def send(message: Message) -> None:
        token = jwt.encode(
            {"alg": "HS256", "typ": "JWT"},
            {"iss": service, "iat": now()},
            OctKey.import_key(secret),
        )
        try:
            answer = httpx2.post(
                f"{settings.address}/v2/notifications/email",
                headers={"Authorization": f"Bearer {token}"},
                json={
                    "email_address": message.address,
                    "template_id": settings.template,
                    "personalisation": {"subject": message.subject, "text": message.text},
                    "reference": message.reference,
                },
                timeout=SECONDS,
            )
        except httpx2.HTTPError as error:
            raise MailFault(
                f"GOV.UK Notify cannot be reached ({type(error).__name__})", is_passing=True
            ) from None
        if answer.status_code == _CREATED:
            return
        is_passing = answer.status_code == _TOO_MANY or answer.status_code >= 500
        # Its answer may quote the address or the text: only the number is kept.
        raise MailFault(
            f"GOV.UK Notify refuses the message ({answer.status_code})", is_passing=is_passing
        )

    return send
