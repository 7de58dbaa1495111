"""Scores on a Dask cluster: the same stages, on workers that share the node's folder."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from folkmoot_node.pipeline import stages
from folkmoot_node.pipeline.failed_plugins import with_failures
from folkmoot_node.pipeline.order import Progress, Submitted, run_stages
from folkmoot_node.pipeline.own_run import Judged, begin
from folkmoot_node.pipeline.stages import Stage
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import Plugins
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_operator.extras import how_to_install
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from distributed import Client, Security

CONNECT_SECONDS = 10.0
"""How long the scheduler may take to answer."""
WORKER_SECONDS = 60.0
"""How long to wait for the first worker."""


def score_on_cluster(
    config: NodeConfig,
    plugins: Plugins,
    policy: RiskPolicy,
    *,
    today: datetime.date,
    reference_date: datetime.date | None = None,
    progress: Progress,
    judged: Judged | None = None,
    clock: Callable[[], float] = time.time,
) -> RunSummary:
    """As `local.score`, with the stages on the cluster's workers.

    If a worker dies, its unfinished stages are run again on another.

    Raises:
        Problem: As `local.score`; UNREACHABLE if the cluster cannot be reached or is lost.
    """
    home = str(config.home)

    def once(failed: Mapping[str, str]) -> RunSummary:
        begun = begin(
            config,
            plugins,
            policy,
            today=today,
            reference_date=reference_date,
            shared=True,
            judged=judged,
            failed=failed,
            clock=clock,
        )
        with begun as run, stages.owned(run), _client(config) as client:

            def submit(stage: Stage, *ids: str | int) -> Submitted:
                if stage.is_here:
                    stage.here(run, *ids)
                    return stages.ended()
                work = stage.by_id
                submitted: Submitted = client.submit(work, home, run.plan.run_id, *ids, pure=False)
                return submitted

            return run_stages(run, submit, progress)

    return with_failures(config, once)


def security(config: NodeConfig) -> Security | None:
    """Certificates for the scheduler; None without TLS."""
    from distributed import Security

    dask = config.dask
    if dask.ca_file is None or dask.certificate is None or dask.key is None:
        return None
    return Security(
        require_encryption=True,
        tls_ca_file=str(config.home / dask.ca_file),
        tls_client_cert=str(config.home / dask.certificate),
        tls_client_key=str(config.home / dask.key),
    )


def lost(config: NodeConfig, error: Exception) -> Problem | None:
    """The problem of a cluster that is not there, or no more; None if the error is another."""
    if not config.on_cluster:
        return None
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    if isinstance(error, KilledWorker):
        # A record can ask for so much memory that each worker dies of it: nobody was unreachable.
        return Problem(
            "the Dask cluster lost several workers at the same stage",
            where=str(config.dask.scheduler),
            remedy="Look for the cause in the workers' own logs: memory, most often",
            exit_code=ExitCode.FAULT,
        )
    if isinstance(error, FutureCancelledError) or (
        # Time-outs and closed connections; those of files have a number.
        isinstance(error, OSError) and error.errno is None
    ):
        how = "cannot be reached, or has no worker"
    else:
        return None
    return Problem(
        f"the Dask cluster {how}",
        where=str(config.dask.scheduler),
        remedy="Check that scheduler and workers run, and that workers have folkmoot-node[dask] "
        "and the node's folder at the same path",
        exit_code=ExitCode.UNREACHABLE,
    )


@contextmanager
def _client(config: NodeConfig) -> Iterator[Client]:
    """A connection to the cluster; errors that leave it are problems."""
    try:
        from distributed import Client
    except ImportError:
        raise Problem(
            "Dask is not installed",
            where="node.toml: scoring.engine",
            remedy=f"Run {how_to_install('folkmoot-node', 'dask')}, here and on the workers",
            exit_code=ExitCode.SETTINGS,
        ) from None
    try:
        with Client(
            config.dask.scheduler,
            security=security(config),
            timeout=CONNECT_SECONDS,
            set_as_default=False,
        ) as client:
            client.wait_for_workers(1, timeout=WORKER_SECONDS)
            yield client
        return
    except stages.StageFailed as failed:
        known = failed.problem
    except Problem:
        raise
    except Exception as error:
        problem = lost(config, error)
        if problem is None:
            raise
        known = problem
    raise known
