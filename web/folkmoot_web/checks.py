"""Checks of a site that a product's `doctor` makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from folkmoot_operator.certificate_lives import life_of
from folkmoot_operator.checks import Finding, State, failed
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import Problem
from folkmoot_web.settings import WebSettings


def certificate(
    name: str, folder: Path, settings: WebSettings, now: int, restart: str
) -> Iterator[Finding]:
    """Whether the site's certificate and key belong together and are valid; nothing without TLS.

    Args:
        name: Of the check.
        folder: The product's, to which paths in the settings are relative.
        settings: Of the site.
        now: Seconds since 1970-01-01T00:00:00Z.
        restart: The command that has to be started again after a renewal.
    """
    if settings.tls is None:
        return
    from cryptography import x509

    from folkmoot_web.serving import require_pair

    path = folder / settings.tls.certificate
    try:
        require_pair(path, folder / settings.tls.key)
        # The first is the site's own; those after it lead to a root.
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except Problem as problem:
        yield failed(name, problem)
        return
    except ValueError:
        what = f"{path} does not begin with a certificate of the form X.509"
        yield Finding(name, State.FAIL, what, "Name a PEM file with the site's own first")
        return
    begins = int(found.not_valid_before_utc.timestamp())
    remedy = f"Renew {path}, and start `{restart}` again"
    if now < begins:
        what = f"it is not valid before {to_text(begins)}, by this machine's clock"
        yield Finding(name, State.FAIL, what, "Set the clock, or name another certificate")
        return
    life = life_of(name, found, now, soon=remedy, ended=remedy)
    yield Finding(name, life.state, f"it {life}", life.remedy)
