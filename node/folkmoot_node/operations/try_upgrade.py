"""Another version of the node, tried before it is put in place.

A copy of the home is scored twice, by this version and by the other, each in a process of its own,
with the same files and the same reference date: what differs then is the version. The copy holds
no key that speaks to the coordinator or signs a policy, and is deleted at the end, whatever
happens.
"""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from folkmoot_node.home import NodeHome
from folkmoot_node.operations.export_households import harmless
from folkmoot_node.pipeline.dry_run import FOLDER as TRIAL_FOLDER
from folkmoot_node.settings.node_toml import FILE_NAME, NodeConfig, load_config
from folkmoot_node.store.encrypted_file import only_user, read_key
from folkmoot_node.store.reader import open_store
from folkmoot_operator.accounts import Operator
from folkmoot_operator.private_files import delete_private, make_private_folder, writing_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.sqlite_copy import copy_database

TRIED = "another version tried"
"""What the audit log says of it; nothing of what was found."""
_RUN = "from folkmoot_node.start import main; main()"
_VERSION = "from importlib.metadata import version; print(version('folkmoot-node'))"
_SECONDS = 24 * 3600
_MAX_SAID = 2_000
_WHOLE = ("score", "completeness", "band")


@dataclass(frozen=True, slots=True)
class Move:
    """Households that one version puts in a band, and the other in the same or another.

    Attributes:
        here: Band by this version; None if it does not score them.
        there: Band by the other version.
        households: How many.
    """

    here: str | None
    there: str | None
    households: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the scores of two versions differ. Derived from records: for the terminal alone.

    Attributes:
        here: This version.
        there: The other one.
        households: Households that either version scored.
        changed: Those of which anything differs.
        largest: Largest difference of a score, in points.
        moves: By band here, then band there; only those that differ.
    """

    here: str
    there: str
    households: int
    changed: int
    largest: float
    moves: tuple[Move, ...]


def try_upgrade(
    home: NodeHome,
    python: Path,
    by: Operator,
    *,
    out: Path | None = None,
    reference_date: datetime.date | None = None,
    note: Callable[[], Collection[int]] = frozenset,
) -> Comparison:
    """Scores a copy of the home by this version and by another, and compares every household.

    Args:
        home: The node.
        python: The interpreter of the other version's environment.
        by: Who tries it.
        out: Private CSV file for the households that differ; none if None.
        reference_date: Date on which ages are computed; today if None.
        note: Notes that households are written to a file, before one is, and returns the UPRNs
            of those that are left out.

    Raises:
        Problem: Exit code SETTINGS, if there is no such version, or a path of the settings leads
            out of the home, so that the copy would write there; as the other version's command, if
            it cannot score the copy.
    """
    config, date = home.config, reference_date or home.today()
    _require_inside(config)
    here, there = _version(Path(sys.executable)), _version(python)
    with _copy_of(home) as copy:
        frames = [_scored(copy, one, date) for one in (Path(sys.executable), python)]
        _require(_run(python, copy.home, "ledger", "verify"), there)
    compared = _compare(*frames)
    with home.state.transaction() as connection:
        body = {"action": TRIED, **by.as_body(), "this": here, "other": there}
        home.audit.append(connection, home.clock(), body)
    if out is not None:
        shown = ~pl.col("uprn").is_in(list(note()))
        rows = compared.filter(pl.col("differs") & shown).drop("differs")
        with writing_private(out, replace=True) as unfinished:
            harmless(rows).write_csv(unfinished)
    return _summary(compared, here, there)


def _require_inside(config: NodeConfig) -> None:
    written = {
        "store.path": config.store_path,
        "store.key_file": config.own_key_file,
        "quarantine.folder": config.quarantine_folder,
        "linkage.review_folder": config.review_folder,
    }
    for key, path in written.items():
        if not path.is_relative_to(config.home):
            raise Problem(
                "lies outside the home, so that the trial would write over it",
                where=f"{config.home / FILE_NAME}: {key}",
                remedy="Try the version with a home whose paths are inside it",
                exit_code=ExitCode.SETTINGS,
            )


def _version(python: Path) -> str:
    try:
        done = subprocess.run(
            [python, "-I", "-c", _VERSION], capture_output=True, text=True, timeout=60, check=False
        )
    except OSError as error:
        done = subprocess.CompletedProcess([], 1, "", error.strerror or "")
    if done.returncode or not done.stdout.strip():
        raise Problem(
            "no folkmoot-node is installed for this interpreter",
            where=str(python),
            remedy="Name that of an installed version, such as "
            "/opt/folkmoot/releases/VERSION/bin/python3.11",
            exit_code=ExitCode.SETTINGS,
        )
    return done.stdout.strip()


@contextmanager
def _copy_of(home: NodeHome) -> Iterator[NodeConfig]:
    """A copy of what scoring needs, beside the store; `purge` deletes what a crash leaves of it."""
    config = home.config
    folder = config.store_path.parent
    make_private_folder(folder)
    place = Path(tempfile.mkdtemp(prefix=TRIAL_FOLDER, dir=folder))
    try:
        with only_user(place / config.store_path.name, "another trial is going on", "Wait"):
            copy = place / "home"
            make_private_folder(copy)
            for path in _needed(config):
                _link(path, copy / path.relative_to(config.home))
            copy_database(config.state_path, copy / config.state_path.name, "the state file")
            yield load_config(copy)
    finally:
        delete_private(place)


def _needed(config: NodeConfig) -> Iterator[Path]:
    """Files that scoring reads, and no other key than the store's."""
    outcomes = config.casework_folder / "outcomes"
    left_out = {
        config.store_path.parent, config.quarantine_folder, config.review_folder,
        config.prefect_folder, config.casework_folder, config.own_key_file.parent,
        config.state_path,
    }  # fmt: skip
    for path in config.home.iterdir():
        if path not in left_out and not path.name.startswith((".", config.state_path.name)):
            yield path
    yield from (
        path for path in (config.own_key_file, config.review_store, outcomes) if path.exists()
    )
    yield from config.own_key_file.parent.glob("*.pub")


def _link(path: Path, copy: Path) -> None:
    """Copies a file or folder. Extracts may be large: they are linked where the disk allows it."""
    make_private_folder(copy.parent)
    if path.is_dir():
        shutil.copytree(path, copy, copy_function=_link_or_copy, dirs_exist_ok=True)
    else:
        shutil.copy2(path, copy)


def _link_or_copy(source: str, copy: str) -> None:
    try:
        os.link(source, copy, follow_symlinks=True)
    except OSError:
        shutil.copy2(source, copy)


def _scored(copy: NodeConfig, python: Path, date: datetime.date) -> pl.DataFrame:
    """Scores the copy by one version; one row for each household, sorted by `uprn`."""
    delete_private(copy.store_path)
    done = _run(python, copy.home, "score", "--reference-date", date.isoformat(), "--json")
    _require(done, str(python))
    try:
        with open_store(copy.store_path, read_key(copy.key_file, copy.readers)) as store:
            names = store.attributes["band"] or ()
            return store.households(names).sort("uprn")
    except Problem as problem:
        raise Problem(
            f"this version cannot read the scores of {python} ({problem.problem})",
            where=str(python),
            remedy="Run the trial by the newer version, and name the interpreter of this one",
            exit_code=ExitCode.DATA,
        ) from None


def _run(python: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [python, "-I", "-c", _RUN, *words, "--home", home]
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def _require(done: subprocess.CompletedProcess[str], who: str) -> None:
    if done.returncode:
        raise Problem(
            f"{who} could not use a copy of this home (exit code {done.returncode})",
            where=who,
            remedy="Do not put it in place. What it said follows; see its notes on this version",
            exit_code=ExitCode(done.returncode) if 0 < done.returncode < 8 else ExitCode.FAULT,
            for_operator=done.stderr[-_MAX_SAID:].splitlines(),
        )


def _compare(here: pl.DataFrame, there: pl.DataFrame) -> pl.DataFrame:
    """Both scores of each household, and whether anything differs.

    Returns:
        One row for each household of either: `uprn`, each column of both, that of the other with
        `_other`, and the boolean `differs`. A household that one does not score is null there.
    """
    names = [name for name in here.columns if name != "uprn" and name in there.columns]
    for frame in (here, there):
        lacking = set(frame.columns) - {"uprn", *names}
        assert lacking.isdisjoint(_WHOLE)
    text = [name for name in names if not here.schema[name].is_numeric()]
    both = [
        frame.select("uprn", *names).with_columns(pl.col(text).cast(pl.String))
        for frame in (here, there)
    ]
    joined = both[0].join(both[1], on="uprn", how="full", suffix="_other", coalesce=True)
    same = [pl.col(name).eq_missing(pl.col(f"{name}_other")) for name in names]
    return joined.with_columns(differs=~pl.all_horizontal(same)).sort("uprn")


def _summary(compared: pl.DataFrame, here: str, there: str) -> Comparison:
    apart = (pl.col("score") - pl.col("score_other")).abs().max()
    largest = compared.select(apart).item()
    moved = (
        compared.filter(~pl.col("band").eq_missing(pl.col("band_other")))
        .group_by("band", "band_other")
        .agg(pl.len())
        .sort("band", "band_other", nulls_last=True)
    )
    return Comparison(
        here,
        there,
        compared.height,
        int(compared["differs"].sum()),
        float(largest or 0.0),
        tuple(Move(*row) for row in moved.iter_rows()),
    )
