"""Checks of a node, each with a remedy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from folkmoot_node.answering.reconcile import reconcile, require_complete
from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.linkage.addresses import missing_extra
from folkmoot_node.operations.retention import expired
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.scoring.binding import bind_for, ended_licence
from folkmoot_node.sources.connect import load_plugins
from folkmoot_operator.private_files import is_open_to_others
from folkmoot_operator.problems import ExitCode, Problem

_MIN_FREE = 2 * 1024**3
"""Bytes of disk that a run on a large council may need."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        check: What was checked.
        ok: False if it fails, and the node cannot do its work.
        detail: What was found.
        remedy: What to do, if it fails or somebody should look at it; else empty.
    """

    check: str
    ok: bool
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Warned:
    """What a check found that does not fail, and that somebody should look at.

    Attributes:
        detail: What was found.
        remedy: What to do about it.
    """

    detail: str
    remedy: str


def examine(folder: Path, *, offline: bool) -> Iterator[Finding]:
    """Checks a node's home folder, from the ground up."""
    try:
        with open_home(folder) as home:
            yield Finding("settings", True, f"{home.config.name} ({home.config.council})")
            for check, look in _CHECKS.items():
                yield _guarded(check, lambda look=look: look(home))  # type: ignore[misc]
            if not offline:
                yield _guarded("coordinator", lambda: _coordinator(home))
    except Problem as problem:
        yield Finding("settings", False, str(problem), problem.remedy)


def _guarded(check: str, look: Callable[[], str | Warned]) -> Finding:
    try:
        found = look()
        if isinstance(found, Warned):
            return Finding(check, True, found.detail, found.remedy)
        return Finding(check, True, found)
    except Problem as problem:
        return Finding(check, False, str(problem), problem.remedy)
    except Exception as error:
        remedy = str(getattr(error, "remedy", "Run the command again with --debug"))
        text = str(error) if hasattr(error, "remedy") else type(error).__name__
        return Finding(check, False, text, remedy)


def _keys(home: NodeHome) -> str:
    private = (home.keys.policy_key, home.keys.tls_key, home.config.key_file)
    for path in private:
        if path.is_file() and is_open_to_others(path):
            raise Problem(
                f"{path.name} can be read by others",
                remedy=f"chmod 600 {path}",
                exit_code=ExitCode.SETTINGS,
            )
    return "private keys are readable by this account alone"


def _release_policy(home: NodeHome) -> str:
    signed = home.release_policy()
    balance = home.balance()
    return (
        f"signed by {signed.signer}; rho {balance.period_remaining} of {balance.cap} "
        f"left in the period, {balance.lifetime_remaining} of {balance.lifetime_cap} for all time"
    )


def _sources(home: NodeHome) -> str | Warned:
    plugins = load_plugins()
    policy = load_policy(home.config.risk_policy)
    binding = bind_for(policy, home.config, plugins, home.today())
    found = f"{policy.name}: {len(policy.factors)} factors, {len(binding.sources)} sources fit"
    if plugins.broken:
        found += f"; broken plugins: {'; '.join(map(str, plugins.broken))}"
    if not binding.unlicensed:
        return found
    warnings = [ended_licence(field, end) for field, end in binding.unlicensed.items()]
    return Warned("; ".join([found, *(problem for problem, _ in warnings)]), warnings[0][1])


def _scores(home: NodeHome) -> str:
    with home.open_store() as store:
        run = store.run
    configured = load_policy(home.config.risk_policy)
    other = ""
    if run.policy_digest != configured.digest:
        other = f"; by another policy than the one in node.toml: {run.policy_path}"
    return f"run {run.run_id}, reference date {run.reference_date}{other}"


def _linkage(home: NodeHome) -> str:
    settings = home.config.linkage
    libraries = {
        "addresses": ("uk_address_matcher", settings.addresses),
        "people": ("splink", settings.people),
    }
    asked = {way: name for way, (name, table) in libraries.items() if table is not None}
    if not asked:
        return "off: records without a UPRN count for nobody"
    if any(find_spec(library) is None for library in asked.values()):
        raise missing_extra()
    return f"by {' and '.join(asked)}"


def _retention(home: NodeHome) -> str:
    found = expired(home)
    if found:
        kinds = ", ".join(dict.fromkeys(item.kind.value for item in found))
        raise Problem(
            f"{len(found)} past the policy's retention rule: {kinds}",
            remedy="Run `folkmoot-node purge --dry-run` to see them, then `folkmoot-node purge`",
            exit_code=ExitCode.REFUSED,
        )
    return "nothing is past the policy's retention rule"


def _evidence(home: NodeHome) -> str:
    entries = home.ledger.verify().length
    home.egress.verify()
    home.audit.verify()
    home.outbox.verify()
    home.check_answers_are_paid()
    home.check_receipts()
    require_complete(home)
    return f"ledger of {entries} entries, egress log and outbox are unbroken"


def _disk(home: NodeHome) -> str:
    free = shutil.disk_usage(home.config.home).free
    if free < _MIN_FREE:
        raise Problem(
            f"{free / 1024**3:.1f} GiB free",
            remedy="Free at least 2 GiB for a scoring run",
            exit_code=ExitCode.SETTINGS,
        )
    return f"{free / 1024**3:.0f} GiB free"


def _identity(home: NodeHome) -> str:
    identity = home.identity()
    if identity.is_expired(home.clock()):
        home.connect()  # raises the Problem that says what to do
    return f"certificate until {identity.not_after:%Y-%m-%d %H:%M} UTC"


def _coordinator(home: NodeHome) -> str:
    with home.connect() as client:
        version = client.negotiate()
        comparison = reconcile(home, client, version)
    lost = len(comparison.lost_there)
    if lost:
        raise Problem(
            f"the coordinator has lost {lost} answers of this council that it had receipted",
            where=home.coordinator().address,
            remedy="Tell the region: it was restored from an older backup. `folkmoot-node serve` "
            "sends them again where the round is open",
            exit_code=ExitCode.VERIFICATION,
        )
    return (
        f"{home.coordinator().address} reached, wire version {version}; "
        f"both hold the same {comparison.known} answers"
    )


_CHECKS: dict[str, Callable[[NodeHome], str | Warned]] = {
    "keys": _keys,
    "policies and sources": _sources,
    "linkage": _linkage,
    "release policy": _release_policy,
    "evidence": _evidence,
    "disk": _disk,
    "scores": _scores,
    "retention": _retention,
    "enrolment": _identity,
}
