"""Stops scoring and releasing when the configuration has left what was approved.

It looks at how the node is set up and never at households: whether a round is answered must not
depend on a record. Callers use `permission`, which loads this where a council asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.plugins.placement import Way
from folkmoot_node.scrutiny.approval import COMMAND, Approval, approvals
from folkmoot_node.scrutiny.approved_facts import approvable
from folkmoot_node.scrutiny.differences import Difference, Kind, differences, is_number
from folkmoot_node.scrutiny.gather.configuration import gather_configuration
from folkmoot_node.settings.node_toml import FILE_NAME, NodeConfig, load_config
from folkmoot_node.settings.scrutiny import ScrutinySettings, Stop
from folkmoot_operator.moments import day_text
from folkmoot_operator.problems import ExitCode, Problem

_WEIGHT, _TRUST = "weight", "trust"
_FACTORS, _PLUGINS = "policy.risk.factors.", "plugins."
_SUNSET, _POLICY = "policy.risk.sunset", "policy.risk.sha256"
MAX_NAMED = 10
"""Changes that a message names; `dossier diff` shows all."""


def stopping(
    settings: ScrutinySettings, changes: Sequence[Difference]
) -> tuple[tuple[Stop, Difference], ...]:
    """Those changes at which this node stops, each with the first stop that it falls under.

    Args:
        settings: The council's list.
        changes: What differs from the approved facts.
    """
    found = []
    for change in changes:
        stop = next((one for one in settings.stops if _RULES[one](settings, change)), None)
        if stop is not None:
            found.append((stop, change))
    return tuple(found)


def _is_added(prefix: str) -> Callable[[ScrutinySettings, Difference], bool]:
    return lambda _, change: (
        change.kind is Kind.ADDED
        and change.key.startswith(prefix)
        and ("." not in change.key.removeprefix(prefix))
    )


def _is_weight(settings: ScrutinySettings, change: Difference) -> bool:
    """Another weight, or none any more: a factor that goes had a weight."""
    if not change.key.startswith(_FACTORS):
        return False
    _name, _, fact = change.key.removeprefix(_FACTORS).partition(".")
    if change.kind is Kind.REMOVED:
        return fact in ("", _WEIGHT)
    if fact != _WEIGHT or change.kind is Kind.ADDED:
        return False
    if not (is_number(change.before) and is_number(change.now)):
        return True
    return bool(abs(change.now - change.before) > settings.weight_change * abs(change.before))


def _in_process(_: ScrutinySettings, change: Difference) -> bool:
    """A plugin that runs in the node's own process, and did not."""
    if not change.key.startswith(_PLUGINS):
        return False
    now = change.now
    if isinstance(now, Mapping):  # a plugin that was added
        now = now.get(f"{change.key}.{_TRUST}")
    elif not change.key.endswith(f".{_TRUST}"):
        return False
    return bool(now == Way.IN_PROCESS.value)


_RULES: Mapping[Stop, Callable[[ScrutinySettings, Difference], bool]] = {
    Stop.NEW_SOURCE: _is_added("sources."),
    Stop.NEW_FACTOR: _is_added(_FACTORS),
    Stop.WEIGHT_CHANGED: _is_weight,
    Stop.SUNSET_MOVED: lambda _, change: change.key == _SUNSET,
    Stop.PLUGIN_IN_PROCESS: _in_process,
    Stop.ROLE_ADDED: _is_added("people.roles."),
    Stop.ANY_CHANGE: lambda _settings, _change: True,
}


def require_approved_run(config: NodeConfig, policy: Path | None) -> None:
    """Checks that nothing at which this council stops has changed since the last approval.

    Args:
        config: The node's settings.
        policy: The policy by which households are scored; that of the settings if None.

    Raises:
        Problem: Exit code REFUSED, naming what has changed; as `gather_configuration`.
    """
    with open_home(config.named) as node:
        if policy is not None:
            node = replace(node, config=_with_policy(config, policy.resolve()))
        require_approved(node, "nothing is scored")


def require_approved_release(node: NodeHome, scored_by: bytes) -> None:
    """The same, before a round is answered from the scores there are.

    The settings are read again: a `serve` that has run for weeks knows those of its start.

    Args:
        node: The node.
        scored_by: SHA-256 of the risk policy by which its scores were made, 32 bytes.

    Raises:
        Problem: As `require_approved_run`; or if that policy was never approved.
    """
    node = replace(node, config=load_config(node.named))
    if not node.config.scrutiny.require_approved:
        return
    what = "no round is answered"
    require_approved_scores(node, require_approved(node, what), scored_by, what)


def require_approved_scores(
    node: NodeHome, approved: Sequence[Approval], scored_by: bytes, what: str
) -> None:
    """Checks that scores were made by a policy that was approved once.

    Args:
        node: The node.
        approved: All approvals.
        scored_by: As `require_approved_release`.
        what: What stops else, in words.

    Raises:
        Problem: Exit code REFUSED.
    """
    if scored_by == node.risk_policy().digest or any(
        (fact := one.configured.by_key.get(_POLICY)) is not None and fact.value == scored_by.hex()
        for one in approved
    ):
        return
    raise Problem(
        f"the scores were made by a risk policy that is in no approved dossier; {what}",
        where=f"risk policy {scored_by.hex()[:12]}",
        remedy="Score again: `folkmoot-node score`",
        exit_code=ExitCode.REFUSED,
    )


def changed_since(node: NodeHome, last: Approval) -> tuple[Difference, ...]:
    """What of the configuration differs from what was approved, as far as files alone say.

    Args:
        node: The node.
        last: The approval that counts.

    Raises:
        Problem: As `gather_configuration`; VERIFICATION if what was approved is not there.
    """
    now = approvable(gather_configuration(node), str(node.config.council))
    return tuple(differences(last.configured, now))


def require_approved(node: NodeHome, what: str) -> tuple[Approval, ...]:
    """Checks that nothing at which this council stops has changed since the last approval.

    Args:
        node: The node.
        what: What stops else, in words.

    Returns:
        All approvals, oldest first.

    Raises:
        Problem: Exit code REFUSED, naming what has changed; as `changed_since`.
    """
    found = approvals(node)
    if not found:
        raise Problem(
            f"nobody has approved a dossier of this node; {what}",
            where=f"{node.config.home / FILE_NAME}: scrutiny.require_approved",
            remedy=f"Read the dossier, then `{COMMAND}`",
            exit_code=ExitCode.REFUSED,
        )
    last = found[-1]
    stops = stopping(node.config.scrutiny, changed_since(node, last))
    if stops:
        raise Problem(
            f"{_named(stops)}. That is not in the dossier that {last.decided_by} approved on "
            f"{day_text(last.at)}; {what}",
            where=f"{node.config.home / FILE_NAME}: scrutiny.stops",
            remedy="Undo the change; or read what has changed (`folkmoot-node dossier diff`) and "
            f"approve it: `{COMMAND}`",
            exit_code=ExitCode.REFUSED,
        )
    return found


def _named(stops: Sequence[tuple[Stop, Difference]]) -> str:
    """The changes in words, and under which stop of the settings each falls."""
    texts = [f"{change.words.removesuffix('.')} ({stop})" for stop, change in stops[:MAX_NAMED]]
    more = len(stops) - MAX_NAMED
    return "; ".join(texts) + (f"; and {more} more" if more > 0 else "")


def _with_policy(config: NodeConfig, policy: Path) -> NodeConfig:
    scoring = config.settings.scoring.model_copy(update={"risk_policy": policy})
    return replace(config, settings=config.settings.model_copy(update={"scoring": scoring}))
