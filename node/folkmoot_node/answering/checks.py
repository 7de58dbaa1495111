"""Whether rounds wait, and the coordinator can be reached and holds what was answered."""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot_node.answering.reconcile import reconcile
from folkmoot_node.answering.stopped_run import RESUME, is_scoring, why_rounds_wait
from folkmoot_node.home import NodeHome
from folkmoot_operator.checks import Check, Finding, State
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem

CLOCK_SECONDS = 60
"""By so many seconds the clocks of node and coordinator may differ before somebody is told."""


def coordinator(home: NodeHome) -> Check:
    """Whether the coordinator answers, and neither side has lost an answer.

    As everything that connects, it renews the certificate if that is due.
    """

    def look() -> Iterator[Finding]:
        with home.connect() as client:
            renewal = client.renewal
            version = client.negotiate()
            comparison = reconcile(home, client, version)
        lost = len(comparison.lost_there)
        address = home.coordinator().address
        if lost:
            raise Problem(
                f"the coordinator has lost {lost} answers of this council that it had receipted",
                where=address,
                remedy="Tell the region: it was restored from an older backup. "
                "`folkmoot-node serve` sends them again where the round is open",
                exit_code=ExitCode.VERIFICATION,
            )
        found = (
            f"{address} reached, wire version {version}; "
            f"both hold the same {comparison.known} answers"
        )
        if abs(comparison.clock_ahead) > CLOCK_SECONDS:
            way = "ahead of" if comparison.clock_ahead > 0 else "behind"
            what = f"this machine is {abs(comparison.clock_ahead)} seconds {way} the coordinator"
            remedy = (
                "Keep this machine's clock right: `timedatectl set-ntp true`. If it is right, tell "
                "the region"
            )
            yield Finding("clock of the coordinator", State.WARN, what, remedy)
        if renewal is not None and renewal.is_problem:
            yield Finding("coordinator", State.OK, found)
            yield Finding("renewal", State.WARN, renewal.text, "See `folkmoot-node renew`")
        else:
            yield Finding("coordinator", State.OK, f"{found}; {renewal.text}" if renewal else found)

    return Check("coordinator", look)


def scoring_runs(home: NodeHome) -> Check:
    """Whether rounds wait since a scoring run was stopped."""

    def look() -> str:
        stopped = home.stopped_run()
        if stopped is None:
            return "no round waits for a scoring run"
        began = to_text(stopped.began_at)
        if is_scoring(home):
            return f"rounds wait for a scoring run that is going on; waiting since {began}"
        raise Problem(
            f"rounds wait: {why_rounds_wait(stopped)}",
            where=f"the run that began at {began}",
            remedy=RESUME,
            exit_code=ExitCode.DATA,
        )

    return Check("scoring runs", look)
