"""A copy of a PostgreSQL database at one moment, by PostgreSQL's own `pg_dump`."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import URL, make_url

from folkmoot_operator.private_files import open_private
from folkmoot_operator.problems import ExitCode, Problem

_SECONDS = 24 * 3600
_VARIABLES = {
    "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY", "host": "PGHOST", "port": "PGPORT", "service": "PGSERVICE",
    "passfile": "PGPASSFILE", "application_name": "PGAPPNAME",
}  # fmt: skip
"""Parts of a URL's query, and the variables by which PostgreSQL's programs take them."""


def is_postgresql(url: str | URL) -> bool:
    """Whether a database is PostgreSQL."""
    return make_url(url).get_backend_name() == "postgresql"


def dump(url: str | URL, copy: Path) -> None:
    """Writes a database to a file, which `pg_restore` reads; others may use it meanwhile.

    The password goes by the environment, which other accounts cannot read.

    Args:
        url: Where the database is, for SQLAlchemy.
        copy: The file; replaced.

    Raises:
        Problem: Exit code SETTINGS, if `pg_dump` is not installed; UNREACHABLE, if it failed.
    """
    parsed = make_url(url)
    words = ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--no-password"]
    if shutil.which(words[0]) is None:
        raise Problem(
            "pg_dump, which copies a PostgreSQL database, is not installed",
            where=parsed.render_as_string(hide_password=True),
            remedy="Install PostgreSQL's client programs (on Debian: apt-get install "
            f"postgresql-client); or run where they are: {shlex.join([*words, '--file=COPY'])}",
            exit_code=ExitCode.SETTINGS,
        )
    with open_private(copy, append=False) as file:
        done = subprocess.run(
            words, stdout=file, stderr=subprocess.PIPE, env=_environment(parsed),
            timeout=_SECONDS, check=False,
        )  # fmt: skip
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Problem(
            f"pg_dump could not copy the database ({said[-1][:300] if said else done.returncode})",
            where=parsed.render_as_string(hide_password=True),
            remedy="Check that it is running, and that pg_dump is no older than it. The backups "
            "there are stay as they are",
            exit_code=ExitCode.UNREACHABLE,
        )


def how_to_load(copy: Path) -> str:
    """The commands that bring a copy back, for people."""
    words = ["pg_restore", "--no-owner", "--exit-on-error", "--dbname=NAME", str(copy)]
    return f"make an empty database, `{shlex.join(words)}`, and name it in the settings"


def _environment(url: URL) -> dict[str, str]:
    found = {
        "PGHOST": url.host, "PGPORT": url.port and str(url.port), "PGUSER": url.username,
        "PGDATABASE": url.database, "PGPASSWORD": url.password,
        **{variable: url.query.get(name) for name, variable in _VARIABLES.items()
           if name in url.query},
    }  # fmt: skip
    given = {name: str(value) for name, value in found.items() if value}
    return {**os.environ, **given}
