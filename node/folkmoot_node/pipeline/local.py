"""Scores on the threads of this machine."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from folkmoot_node.pipeline.failed_plugins import with_failures
from folkmoot_node.pipeline.kept_scores import KeptScores
from folkmoot_node.pipeline.order import Progress, run_stages, silent
from folkmoot_node.pipeline.own_run import Judged, begin
from folkmoot_node.pipeline.stages import Stage
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import Plugins
from folkmoot_node.sources.known_on import KnownOn
from folkmoot_node.store.run_summary import RunSummary


def score(
    config: NodeConfig,
    plugins: Plugins,
    policy: RiskPolicy,
    *,
    today: datetime.date,
    reference_date: datetime.date | None = None,
    progress: Progress = silent,
    judged: Judged | None = None,
    known: KnownOn | None = None,
    kept: KeptScores | None = None,
    clock: Callable[[], float] = time.time,
) -> RunSummary:
    """Reads all sources, scores every household and replaces the store.

    Args:
        config: The node's configuration.
        plugins: Installed plugins.
        policy: The risk stratification policy.
        today: Compared with the sunset date, and with the licences of bought fields: a field
            whose licence has ended is not read.
        reference_date: Date on which ages and durations are computed; `today` if None.
        progress: Told how far the run is.
        judged: By what the sources are judged; by the last run alone if None.
        known: As of when a back-test scores; None for a run of today.
        kept: Takes the scores in place of the store, which stays as it is.
        clock: Seconds since 1970-01-01T00:00:00Z.

    Returns:
        What the run did.

    Raises:
        Problem: REFUSED after the sunset date; SETTINGS for a policy that does not fit
            plugins and sources; DATA if a source cannot be read, too many records are
            rejected or there are doubts about a source that nobody has accepted; FAULT if a
            plugin fails, and the settings do not let the run go on without its factors. The
            last store stays.
    """

    def once(failed: Mapping[str, str]) -> RunSummary:
        begun = begin(
            config,
            plugins,
            policy,
            today=today,
            reference_date=reference_date,
            judged=judged,
            failed=failed,
            known=known,
            kept=kept,
            clock=clock,
        )
        with begun as run, ThreadPoolExecutor(config.threads) as threads:

            def submit(stage: Stage, *ids: str | int) -> Future[None]:
                return threads.submit(stage.here, run, *ids)

            try:
                return run_stages(run, submit, progress, frame_first=False)
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise

    return with_failures(config, once)
