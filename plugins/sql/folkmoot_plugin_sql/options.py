"""Options of the source, and what they say of the connection."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from folkmoot_sdk import PluginError, Secret
from folkmoot_sdk.parameters import nearest, parameter
from folkmoot_sdk.source import SourceOptions

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

APPLICATION = "folkmoot"
"""What the database's administrators see the connections called."""
TLS_MODES = ("verify-full", "verify-ca", "require", "disable")
_ELSEWHERE = ("PGHOST", "PGHOSTADDR", "PGSERVICE")
"""Environment variables by which libpq goes elsewhere than the URL says."""
_MAX_PORT = 65_535
_SECRETS = ("password", "passwd", "pwd", "passfile", "sslpassword")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlOptions(SourceOptions):
    """Options of the source, in `node.toml`.

    Attributes:
        mapping: The mapping file.
        url: Where the database is, without a password.
        password_file: The password, from a file.
        password_variable: The password, from an environment variable.
        connect_seconds: How long to wait for a connection.
        statement_seconds: How long reading the whole table may take.
        batch_rows: Rows held at once, where the database does not send Arrow.
        sslmode: Of PostgreSQL; empty for verify-full, or disable on this machine.
        ca_file: Of PostgreSQL: the certificate authority that signed the server's certificate.

    Raises:
        ValueError: If they contradict each other, or the URL holds a password.
    """

    mapping: Path = parameter(description="The mapping file, relative to the node's home.")
    url: str = parameter(
        description="Such as postgresql://folkmoot@db.example.gov.uk/revenues; no password in it."
    )
    password_file: Secret | None = parameter(
        default=None,
        secret=True,
        description="File with the password, mode 0600, relative to the node's home.",
    )
    password_variable: Secret | None = parameter(
        default=None,
        secret=True,
        variable=True,
        description="Environment variable with the password, instead of a file.",
    )
    connect_seconds: int = parameter(
        default=10, unit="seconds", minimum=1, maximum=600, description="Time-out of connecting."
    )
    statement_seconds: int = parameter(
        default=1800,
        unit="seconds",
        minimum=1,
        maximum=86400,
        description="Time-out of reading the table.",
    )
    batch_rows: int = parameter(
        default=50_000,
        unit="rows",
        minimum=100,
        maximum=1_000_000,
        description="Rows read at once from databases other than PostgreSQL.",
    )
    sslmode: str = parameter(
        default="",
        choices=TLS_MODES,
        description="PostgreSQL: verify-full (default), verify-ca, require, disable.",
    )
    ca_file: Path | None = parameter(
        default=None, description="PostgreSQL: file of the certificate authority (PEM)."
    )

    def __post_init__(self) -> None:
        parsed = self.parsed
        if self.password_file is not None and self.password_variable is not None:
            raise ValueError("give either `password_file` or `password_variable`")
        if parsed.port is not None and not 0 < parsed.port <= _MAX_PORT:
            raise ValueError(f"`url`: a port is from 1 to {_MAX_PORT}")
        if parsed.get_backend_name() != "postgresql" and (self.sslmode or self.ca_file):
            raise ValueError("`sslmode` and `ca_file` are for PostgreSQL; see the driver's own")

    @property
    def parsed(self) -> URL:
        """The URL.

        Raises:
            ValueError: If it is none, or holds a password. Never shows it then.
        """
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            parsed = make_url(self.url)
        except (ArgumentError, ValueError):
            raise ValueError(
                "`url` is not one, such as postgresql://folkmoot@db.example.gov.uk/revenues"
            ) from None
        keys = {key.lower() for key in parsed.query}
        quoted = str(parsed.query.get("odbc_connect", "")).lower()
        if parsed.password is not None or keys.intersection(_SECRETS) or "pwd=" in quoted:
            raise ValueError(
                "`url` holds a password; take it out, change it if this file was shared, and "
                "give it by `password_file` or `password_variable`"
            )
        return parsed

    @property
    def where(self) -> str:
        """The database, for messages."""
        parsed = self.parsed
        host = parsed.host or str(parsed.query.get("host", ""))
        port = f":{parsed.port}" if parsed.port else ""
        return f"{parsed.get_backend_name()}://{host}{port}/{parsed.database or ''}"

    @property
    def is_local(self) -> bool:
        """True if the connection does not leave this machine."""
        if any(os.environ.get(name) for name in _ELSEWHERE):
            return False
        named = [self.parsed.host, *_listed(self.parsed.query.get("host"))]
        named += _listed(self.parsed.query.get("hostaddr"))
        return all(_is_local(host) for given in named if given for host in given.split(","))

    @property
    def tls(self) -> dict[str, str]:
        """The parameters of libpq about TLS."""
        mode = self.sslmode or ("prefer" if self.is_local else "verify-full")
        ca = {} if self.ca_file is None else {"sslrootcert": str(self.base / self.ca_file)}
        return {"sslmode": mode, **ca}

    def secret(self) -> str:
        """The password; empty if there is none, or libpq finds it in `~/.pgpass`.

        Raises:
            PluginError: If it cannot be had.
        """
        given = self.password_file or self.password_variable
        return "" if given is None else given.reveal()


def refuse_keys(options: SqlOptions, allowed: tuple[str, ...]) -> None:
    """Refuses parameters in the URL that something else sets, or that nobody knows.

    Raises:
        PluginError: Naming the parameter.
    """
    for key in options.parsed.query:
        if key not in allowed:
            raise PluginError(
                "options.url",
                f"has the parameter {key!r}, which cannot stand there",
                f"Use the source's options. {nearest(key, allowed)}",
            )


def _listed(value: str | tuple[str, ...] | None) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def _is_local(host: str) -> bool:
    if host == "localhost" or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
