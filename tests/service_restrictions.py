"""Programs under the restrictions of a unit, as far as they can be had without systemd.

systemd is not the first process of the machines on which tests run, so that it starts no service
there. What a unit says is read from the unit, and done by `tests/restricted/enter.py`.
"""

from __future__ import annotations

import errno
import json
import socket
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests import other_accounts, service_units
from tests.other_accounts import ROOT, Account, as_account
from tests.service_units import Unit, permitted_calls, system_calls

_ENTER = Path(__file__).resolve().parent / "restricted" / "enter.py"


@cache
def why_not() -> str:
    """Why no program can run so here; empty if one can."""
    return service_units.why_not() or other_accounts.why_not()


def under(
    unit: Unit,
    account: Account,
    *command: object,
    writable: Sequence[Path] = (),
    visible: Sequence[Path] = (),
) -> list[str]:
    """A command line that runs a program under a unit's restrictions.

    Args:
        unit: The unit.
        account: In place of the unit's.
        command: What is run.
        writable: In place of the unit's `ReadWritePaths`.
        visible: What else of /tmp it sees.
    """
    given = json.dumps(_specification(unit, writable, visible))
    variables = ["env", *unit.words("Environment")] if unit.words("Environment") else []
    line = as_account(
        account, sys.executable, "-I", "-S", _ENTER, "filters", given, *variables, *command
    )
    if unit.entries and not unit.value("CapabilityBoundingSet"):
        become = line.index("setpriv")
        line[become + 1 : become + 1] = ["--bounding-set=-all", "--inh-caps=-all"]
    return [sys.executable, "-I", "-S", str(_ENTER), "places", given, *line]


def _specification(unit: Unit, writable: Sequence[Path], visible: Sequence[Path]) -> dict[str, Any]:
    families = unit.words("RestrictAddressFamilies")
    namespaces = unit.values("RestrictNamespaces")
    refused: set[str] = set()
    for key, calls in (
        ("ProtectClock", system_calls("@clock")),
        ("ProtectKernelModules", system_calls("@module")),
        ("ProtectKernelLogs", frozenset({"syslog"})),
        ("ProtectHostname", frozenset({"sethostname", "setdomainname"})),
        ("PrivateDevices", system_calls("@raw-io")),
    ):
        if unit.is_on(key):
            refused |= calls
    permitted = permitted_calls(unit)
    proc = {"ProtectProc": "hidepid", "ProcSubset": "subset"}
    usual = ("", "default", "all")
    options = [
        f"{name}={unit.value(key)}" for key, name in proc.items() if unit.value(key) not in usual
    ]
    error = unit.value("SystemCallErrorNumber")
    return {
        "needed": [
            *(str(Path(one).resolve()) for one in (ROOT, sys.base_prefix, sys.prefix)),
            *(str(path) for path in visible),
        ],
        "writable": [str(path) for path in writable],
        "private_tmp": unit.is_on("PrivateTmp"),
        "private_devices": unit.is_on("PrivateDevices"),
        "private_network": unit.is_on("PrivateNetwork"),
        "protect_home": unit.is_on("ProtectHome"),
        "protect_system": unit.value("ProtectSystem"),
        "protect_kernel_tunables": unit.is_on("ProtectKernelTunables"),
        "protect_control_groups": unit.is_on("ProtectControlGroups"),
        "proc": ",".join(options),
        "no_new_privileges": unit.is_on("NoNewPrivileges"),
        "families": [getattr(socket, name) for name in families] if families else None,
        "no_writable_code": unit.is_on("MemoryDenyWriteExecute"),
        "no_realtime": unit.is_on("RestrictRealtime"),
        "no_suid": unit.is_on("RestrictSUIDSGID"),
        "one_personality": unit.is_on("LockPersonality"),
        "namespaces": _namespaces(namespaces),
        "refused": sorted(refused),
        "permitted": None if permitted is None else sorted(permitted),
        "error": getattr(errno, error) if error else 0,
    }


def _namespaces(values: Sequence[str]) -> list[str] | None:
    """The kinds that may still be made; None for all."""
    kinds = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"}
    allowed: set[str] | None = None
    for value in values:
        if value in ("no", "yes"):
            allowed = None if value == "no" else set()
        elif value.startswith("~"):
            allowed = (kinds if allowed is None else allowed) - set(value[1:].split())
        else:
            allowed = (allowed or set()) | set(value.split())
    return None if allowed is None else sorted(allowed)
