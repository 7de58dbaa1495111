"""The whole path from sources to a scored, encrypted store: one function per stage."""

from __future__ import annotations

import datetime
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node import columns
from folkmoot_node.binding import Binding, bind
from folkmoot_node.config import NodeConfig
from folkmoot_node.gather import Progress, gather
from folkmoot_node.plugins import Plugins, connect
from folkmoot_node.risk_policy import RiskPolicy
from folkmoot_node.run_summary import FactorSummary, RunSummary, StoredAttribute
from folkmoot_node.store_file import read_key
from folkmoot_node.store_writer import ROW_GROUP, StoreWriter, write_store
from folkmoot_node.stratify import stratify
from folkmoot_sdk.factor import ScoringContext

__all__ = ["RunSummary", "score"]


def _silent(stage: str, done: int, total: int) -> None:
    del stage, done, total


def score(
    config: NodeConfig,
    plugins: Plugins,
    policy: RiskPolicy,
    *,
    today: datetime.date,
    reference_date: datetime.date | None = None,
    progress: Progress = _silent,
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
        clock: Seconds since 1970-01-01T00:00:00Z.

    Returns:
        What the run did.

    Raises:
        Problem: REFUSED after the sunset date; SETTINGS for a policy that does not fit
            plugins and sources; DATA if a source cannot be read or too many records are
            rejected; FAULT if a plugin breaks its contract. The last store stays.
    """
    started = int(clock())
    policy.check_sunset(today)
    sources = connect(config, plugins)
    binding = bind(policy, plugins, sources, policy.ended_licences(today))
    reference_date = reference_date or today
    run_id = secrets.token_hex(16)
    key = read_key(config.key_file)
    with write_store(config.store_path, key, threads=config.threads) as writer:
        gathered = gather(config, sources, binding, reference_date, run_id, progress)
        households = gathered.households
        stored = columns.stored_attributes(binding, gathered.labels)
        bands, incomplete = _score_and_store(
            config, policy, binding, households, stored, reference_date, writer, progress
        )
        run = RunSummary(
            run_id=run_id,
            policy_name=policy.name,
            policy_sha256=policy.digest.hex(),
            policy_sunset=policy.sunset,
            policy_path=policy.path,
            reference_date=reference_date,
            started_at=started,
            finished_at=int(clock()),
            households=households.height,
            bands=dict(zip(policy.band_names, bands.tolist(), strict=True)),
            incomplete=incomplete,
            factors=tuple(
                FactorSummary(name=f.name, weight=f.weight, plugin=str(f.origin))
                for f in binding.factors
            ),
            sources=tuple(gathered.sources[s.name] for s in sources if s.name in gathered.sources),
            stored=stored,
            licences=dict(binding.licences),
            unlicensed=dict(binding.unlicensed),
            audited={audit.field.name: audit.stored for audit in binding.audited},
            not_held=binding.not_held,
            protected_inputs={name: c.value for name, c in binding.protected_inputs.items()},
        )
        writer.finish(run)
    return run


def _score_and_store(
    config: NodeConfig,
    policy: RiskPolicy,
    binding: Binding,
    households: pl.DataFrame,
    stored: Mapping[str, StoredAttribute],
    reference_date: datetime.date,
    writer: StoreWriter,
    progress: Progress,
) -> tuple[npt.NDArray[np.int64], int]:
    """Scores and stores partition by partition, several at once.

    Returns:
        Households by band, and households of which some factor is unknown.
    """
    writer.create(columns.table(stored, binding))
    context = ScoringContext(reference_date)
    count = households.height
    size = ROW_GROUP if config.partitions is None else max(1, -(-count // config.partitions))
    bands = np.zeros(len(policy.bands), dtype=np.int64)
    incomplete = 0

    def run(start: int) -> tuple[npt.NDArray[np.int64], int]:
        rows = households.slice(start, size)
        result = stratify(rows, binding.factors, policy, context)
        part = start // size
        writer.append(
            part,
            columns.counted(rows, result, part, binding, stored),
            columns.details(rows, result, binding),
        )
        return np.bincount(result.band, minlength=len(policy.bands)), result.incomplete

    with ThreadPoolExecutor(config.threads) as executor:
        parts = [executor.submit(run, start) for start in range(0, count, size)]
        try:
            for done, part in enumerate(parts):
                progress("households", min(done * size, count), count)
                part_bands, part_incomplete = part.result()
                bands += part_bands
                incomplete += part_incomplete
        except BaseException:
            executor.shutdown(cancel_futures=True)
            raise
    progress("households", count, count)
    return bands, incomplete
