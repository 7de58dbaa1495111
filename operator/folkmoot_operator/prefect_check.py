"""Whether the history of runs can be kept: Prefect is there, and a server of your own answers."""

from __future__ import annotations

import base64
import importlib.util
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from folkmoot_operator.checks import Check, Finding, State
from folkmoot_operator.prefect_settings import PrefectSettings

_NAME = "Prefect"
_SECONDS = 5.0


def prefect(settings: PrefectSettings, home: Path, install: str, *, offline: bool) -> Check:
    """Whether runs are recorded, where the settings want that. Without Prefect work goes on.

    Args:
        settings: The table `[prefect]`.
        home: The folder to which the paths in the settings are relative.
        install: How Prefect is installed, as the beginning of a sentence.
        offline: Whether a server of your own is left alone.
    """

    def look() -> Iterator[Finding]:
        if not settings.enabled:
            yield Finding(_NAME, State.OK, "off: no history of runs is kept")
        elif importlib.util.find_spec("prefect") is None:
            what = "it is not installed, so that no history of runs is kept"
            remedy = f"{install}; or set enabled = false in the table [prefect]"
            yield Finding(_NAME, State.WARN, what, remedy)
        elif settings.url is None:
            yield Finding(_NAME, State.OK, "`serve` runs a server of its own")
        elif offline:
            yield Finding(_NAME, State.OK, f"{settings.url} was not asked")
        else:
            yield _asked(settings, home)

    return Check(_NAME, look)


def _asked(settings: PrefectSettings, home: Path) -> Finding:
    assert settings.url is not None
    request = urllib.request.Request(f"{settings.url}/health")  # noqa: S310  # http(s), checked
    if settings.auth_file is not None:
        try:
            password = (home / settings.auth_file).read_bytes().strip()
        except OSError as error:
            what = f"{settings.auth_file} cannot be read ({error.strerror})"
            remedy = "Write `user:password` into it, readable by this program's account"
            return Finding(_NAME, State.WARN, what, remedy)
        request.add_header("Authorization", f"Basic {base64.b64encode(password).decode()}")
    try:
        context = ssl.create_default_context(
            cafile=None if settings.ca_file is None else home / settings.ca_file
        )
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(request, timeout=_SECONDS):
            return Finding(_NAME, State.OK, f"{settings.url} answers")
    except urllib.error.HTTPError as error:
        what = f"{settings.url} answers with status {error.code}"
    except (OSError, ValueError) as error:
        what = f"{settings.url} does not answer ({type(error).__name__})"
    remedy = "Start it, or correct the table [prefect]; runs go on and are not recorded meanwhile"
    return Finding(_NAME, State.WARN, what, remedy)
