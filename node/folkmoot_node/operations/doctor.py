"""The checks of a node, in order, from the ground up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from folkmoot_node.answering.checks import coordinator, scoring_runs
from folkmoot_node.answering.reconcile import require_complete
from folkmoot_node.corrections.checks import readable
from folkmoot_node.evidence.checks import budget, clock_of_ledger, pages, pauses, unbroken
from folkmoot_node.federation.checks import certificate, private_keys
from folkmoot_node.federation.path_checks import path_to_coordinator
from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.linkage.checks import libraries
from folkmoot_node.operations.accept_installation import installation
from folkmoot_node.operations.checks import (
    backups,
    closed,
    council,
    extracts,
    fitted,
    kept_keys,
    left,
    retention,
    signer,
    sunset,
)
from folkmoot_node.operations.leaving import has_left
from folkmoot_node.operations.past_households import past_households_check
from folkmoot_node.operations.repairs import nothing_left_over
from folkmoot_node.plugins.checks import confinement, plugins
from folkmoot_node.scoring.checks import licences, policy_and_sources
from folkmoot_node.store.checks import disk, scores
from folkmoot_operator import checks
from folkmoot_operator.checks import Check, Finding, State
from folkmoot_operator.prefect_check import prefect
from folkmoot_operator.problems import Problem

PREFECT = "Install the node again: Prefect comes with it"
"""How Prefect is installed."""


def examine(
    folder: Path, *, offline: bool, further: Callable[[NodeHome], Iterable[Check]] = lambda _: ()
) -> Iterator[Finding]:
    """Checks a node's home folder; without its settings there is nothing else to look at.

    Args:
        folder: The folder.
        offline: Whether the coordinator is left alone.
        further: Gives checks of rooms above this one.
    """
    try:
        with open_home(folder) as home:
            yield Finding("settings", State.OK, f"{home.config.name} ({home.config.council})")
            found = _of_left(home) if has_left(home) else _checks(home, offline=offline)
            yield from checks.examine(found)
            yield from checks.examine(further(home))
    except Problem as problem:
        yield checks.failed("settings", problem)


def _checks(home: NodeHome, *, offline: bool) -> Iterator[Check]:
    config = home.config
    yield closed(home)
    yield pages(home.state)
    yield nothing_left_over(home)
    yield council(home)
    yield private_keys(home.keys, config.own_key_file, lambda: config.readers)
    yield installation()
    yield confinement(config)
    yield plugins(config, home.today())
    yield policy_and_sources(config, home.today())
    yield licences(config, home.today())
    yield libraries(config.linkage)
    yield budget(home.release_policy, home.ledger, home.clock)
    yield signer(home)
    yield unbroken(lambda: home.verify_evidence(thorough=False), lambda: require_complete(home))
    yield clock_of_ledger(home.ledger, home.clock)
    yield disk(config.home)
    yield scores(config, home.today())
    yield past_households_check(home)
    if config.corrections_file.exists():
        yield readable(config)
    yield sunset(home)
    yield fitted(home)
    yield pauses(home)
    yield scoring_runs(home)
    yield retention(home)
    yield extracts(home)
    yield from backups(home)
    yield prefect(config.settings.prefect, config.home, PREFECT, offline=offline)
    # The coordinator is asked first, since that renews a certificate that is due.
    asked = [] if offline else list(checks.examine(_way(home)))
    yield certificate(home.keys, home.clock)
    if asked:
        yield Check("coordinator", lambda: asked)


def _of_left(home: NodeHome) -> Iterator[Check]:
    """What still applies to a node whose keys and scores are destroyed; see `status` too."""
    yield closed(home)
    yield pages(home.state)
    yield nothing_left_over(home)
    yield left(home)
    yield unbroken(lambda: home.verify_evidence(thorough=False), lambda: None)
    yield kept_keys(home)
    yield disk(home.config.home)


def _way(home: NodeHome) -> Iterator[Check]:
    """The way to the coordinator, and the coordinator itself if the way leads there."""
    is_reached = True

    def look() -> Iterator[Finding]:
        nonlocal is_reached
        for finding in checks.examine([path_to_coordinator(home.config.coordinator, home.keys)]):
            is_reached = is_reached and finding.ok
            yield finding

    yield Check("path", look)
    if is_reached:
        yield coordinator(home)
