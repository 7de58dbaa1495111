"""What a database's error means for an operator. Its text is shown only where it is safe.

Messages of databases quote values: `invalid input syntax for type integer: "..."`. So a
message is passed on only for faults of connections, names and rights.
"""

from __future__ import annotations

import re
from enum import Enum
from urllib.parse import quote, quote_plus

from folkmoot_sdk import PluginError


class Failure(Enum):
    """Sorts of failure: what is wrong, what to do, whether trying again may help."""

    UNREACHABLE = (
        "cannot be reached",
        "Check that the database runs, its address, and the network and firewalls between",
        True,
    )
    LOST = (
        "closed the connection while it was read",
        "Try again; if it happens again, look into the database's log",
        True,
    )
    BUSY = ("is busy or starting", "Try again later", True)
    TIME_OUT = (
        "did not answer in time",
        "Try again when it is less busy; or raise `statement_seconds`, or make the query simpler",
        True,
    )
    LOGIN = (
        "does not accept the account",
        "Check the user of the `url`, and the password's file, variable or ~/.pgpass",
        False,
    )
    TLS = (
        "cannot be trusted",
        "Set `ca_file` to the certificate authority of the server's certificate, and write the "
        "host in `url` as the certificate names it",
        False,
    )
    NO_DATABASE = ("has no such database or host", "Correct `url`", False)
    FORBIDDEN = (
        "does not let the account read this",
        "Grant SELECT on what the mapping names, or correct the mapping",
        False,
    )
    MISSING = (
        "does not have what the mapping names",
        "Correct `table`, `query` or a column in the mapping",
        False,
    )
    WRONG = ("cannot run the statement", "Correct `query` in the mapping", False)
    WRITES = ("refuses a statement that would write", "Let `query` in the mapping only read", False)
    VALUE = (
        "meets a value with which the statement fails",
        "Correct `query` in the mapping: some row does not allow what it converts or computes",
        False,
    )
    ENCODING = (
        "holds text that is not in the encoding that it states",
        "Correct the texts, or turn them into text in `query`",
        False,
    )
    UNKNOWN = ("fails", "Look into the database's log at this time", False)

    @property
    def transient(self) -> bool:
        """True if trying again may help."""
        return bool(self.value[2])

    def error(self, where: str, code: str = "", said: str = "") -> PluginError:
        """The error for the node.

        Args:
            where: The database, table or query.
            code: Of the database, such as an SQLSTATE.
            said: What the database said, where that is safe.
        """
        problem, remedy, transient = self.value
        known = "; ".join(part for part in (code, " ".join(said.split())) if part)
        shown = f"{problem} ({known})" if known else problem
        return PluginError(where, shown, remedy, transient=transient)


SAFE = frozenset({
    Failure.UNREACHABLE, Failure.LOGIN, Failure.TLS, Failure.NO_DATABASE, Failure.FORBIDDEN,
    Failure.MISSING, Failure.WRITES,
})  # fmt: skip
"""Failures of which the database's message names no value of a record."""

_STATES = {
    "57014": Failure.TIME_OUT,
    "57P01": Failure.LOST,
    "57P02": Failure.LOST,
    "57P03": Failure.BUSY,
    "57P04": Failure.NO_DATABASE,
    "57P05": Failure.LOST,
    "55P03": Failure.BUSY,
    "42501": Failure.FORBIDDEN,
    "42P01": Failure.MISSING,
    "42703": Failure.MISSING,
    "3F000": Failure.MISSING,
    "42S02": Failure.MISSING,
    "42S22": Failure.MISSING,
    "25006": Failure.WRITES,
    "HYT00": Failure.TIME_OUT,
    "HYT01": Failure.UNREACHABLE,
}
_CLASSES = {
    "08": Failure.LOST,
    "28": Failure.LOGIN,
    "3D": Failure.NO_DATABASE,
    "53": Failure.BUSY,
    "40": Failure.BUSY,
    "22": Failure.VALUE,
    "42": Failure.WRONG,
    "0A": Failure.WRONG,
}


def of_state(state: str) -> Failure:
    """The failure that an SQLSTATE stands for (SQL standard; PostgreSQL, appendix A)."""
    return _STATES.get(state) or _CLASSES.get(state[:2], Failure.UNKNOWN)


def without(secret: str, said: str) -> str:
    """A message without a password, in clear or as it stands in a URL."""
    for written in {secret, quote(secret, safe=""), quote(secret, safe=" "), quote_plus(secret)}:
        said = said.replace(written, "***") if written else said
    return said


_CONNECTING = (
    (r"certificate|does not support SSL|SSL error:", Failure.TLS),
    (r"password|authentication|no pg_hba\.conf entry|role .* does not exist", Failure.LOGIN),
    (r"database .* does not exist|Name or service not known", Failure.NO_DATABASE),
    (r"not known|invalid|permission denied for database", Failure.NO_DATABASE),
    (r"starting up|shutting down|recovery|too many|slots are reserved|terminating", Failure.BUSY),
    (r"FATAL", Failure.LOGIN),
)


def of_connecting(said: str) -> Failure:
    """The failure that libpq's words mean; it gives no SQLSTATE when it cannot connect."""
    for pattern, failure in _CONNECTING:
        if re.search(pattern, said):
            return failure
    return Failure.UNREACHABLE
