"""A PostgreSQL server of the tests' own, from the programs of the operating system."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.ports import free_port
from tests.waiting import wait_until

ACCOUNT = "postgres"
"""PostgreSQL refuses to run as root; Debian's package makes this account."""
ADMINISTRATOR = "folkmoot_test"
PASSWORD = "administrator's-password"
_PATIENCE = 60  # seconds


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`; None if PostgreSQL is not installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name.zfill(4))
    found = shutil.which("initdb")
    folders = [*reversed(debian), *([Path(found).resolve().parent] if found else [])]
    return next((path for path in folders if (path / "postgres").exists()), None)


def missing() -> str:
    """Why there can be no server here; empty if there can."""
    if programs() is None:
        return "PostgreSQL is not installed; on Debian: apt-get install postgresql"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(ACCOUNT)
        except KeyError:
            return f"root cannot run PostgreSQL, and there is no account {ACCOUNT!r}"
    return ""


@dataclass
class PostgreSQL:
    """A server on a free port of 127.0.0.1.

    Attributes:
        folder: Of its data and its log.
        port: Where it listens.
    """

    folder: Path
    port: int
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> str:
        """What the server wrote, statements included."""
        return (self.folder / "log").read_text("utf-8", errors="replace")

    def url(self, database: str = "postgres", scheme: str = "postgresql", user: str = "") -> str:
        """The address of a database; without a password."""
        return f"{scheme}://{user or ADMINISTRATOR}@127.0.0.1:{self.port}/{database}"

    def run(self, sql: str, database: str = "postgres") -> str:
        """Runs SQL as the administrator; rows as lines of text."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", ADMINISTRATOR, "-d", database]
        command = [_program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", *where]
        environment = os.environ | {"PGPASSWORD": PASSWORD}
        done = subprocess.run(
            command, input=sql, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def create(self, database: str) -> str:
        """Makes an empty database, in place of one of this name; returns the name."""
        self.run(
            f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE);\nCREATE DATABASE "{database}";'
        )
        return database

    def start(self, settings: Mapping[str, str] | None = None) -> None:
        """Starts it and waits until it answers."""
        arguments = [_program("postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)]
        chosen = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "log_statement": "all",
            "log_line_prefix": "%a|",
            "fsync": "off",
            **(settings or {}),
        }
        for key, value in chosen.items():
            arguments += ["-c", f"{key}={value}"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                arguments, stdout=log, stderr=log, cwd=self.folder, **_account()
            )
        wait_until(self._answers, "PostgreSQL to answer")

    def kill(self) -> None:
        """Ends it at once, as a failure of power does."""
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        """Ends it in order."""
        self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_PATIENCE)
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"PostgreSQL does not start:\n{self.log}")
        try:
            self.run("SELECT 1")
        except RuntimeError:
            return False
        return True


@contextmanager
def postgresql_server() -> Iterator[PostgreSQL]:
    """A new server with an empty database, gone afterwards.

    The folder is not in pytest's own, into which another account cannot look.
    """
    folder = Path(tempfile.mkdtemp(prefix="folkmoot-postgresql-"))
    try:
        secret = folder / "administrator"
        secret.write_text(PASSWORD, "utf-8")
        if os.geteuid() == 0:
            account = pwd.getpwnam(ACCOUNT)
            for path in (folder, secret):
                os.chown(path, account.pw_uid, account.pw_gid)
        options = ["-U", ADMINISTRATOR, "--pwfile", str(secret), "-A", "scram-sha-256"]
        subprocess.run(
            [_program("initdb"), "-D", str(folder / "data"), "--no-sync", "-E", "UTF8",
             "--locale", "C.UTF-8", *options],
            check=True, capture_output=True, cwd=folder, **_account(),  # type: ignore
        )  # fmt: skip
        server = PostgreSQL(folder, free_port())
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _program(name: str) -> str:
    folder = programs()
    assert folder is not None
    return str(folder / name)


def _account() -> dict[str, object]:
    """Who runs the server: the caller, or another account where that is root."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam(ACCOUNT)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
