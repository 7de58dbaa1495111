"""Tables of `node.toml` about scoring: policies, threads, rejected records and the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from folkmoot_node.settings.slug import Slug
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import Settings


class ScoringSettings(Settings):
    """Table `[scoring]`.

    Attributes:
        frame: Name of the source whose UPRNs are the council's households.
        risk_policy: Risk stratification policy file.
        release_policy: Release policy file.
        threads: Threads that score, from 1.
        partitions: Parts in which households are scored and stored; chosen by size if
            it is missing.
        engine: Where the stages of a scoring run are carried out: on `threads` of this machine
            (`local`), or on a Dask cluster (`dask`).
        memory_mib: Memory that records may take between the stages of a run; beyond it they
            go to encrypted files in the store's folder.
    """

    frame: Slug
    risk_policy: Path = Path("risk-policy.toml")
    release_policy: Path = Path("release-policy.toml")
    threads: Annotated[int, Field(ge=1, le=256)] = 2
    partitions: Annotated[int, Field(ge=1, le=4096)] | None = None
    memory_mib: Annotated[int, Field(ge=0, le=1_048_576)] = 1024
    engine: Literal["local", "dask"] = "local"


class QuarantineSettings(Settings):
    """Table `[quarantine]`.

    Attributes:
        maximum_share: Share of a source's records, from 0 to 1. If more are rejected,
            the run stops and the last good scores stay.
        folder: Where the rejected records are listed.
    """

    maximum_share: Annotated[float, Field(ge=0, le=1)] = 0.02
    folder: Path = Path("quarantine")


class StoreSettings(Settings):
    """Table `[store]`.

    Attributes:
        path: Encrypted DuckDB file of households and scores.
        key_file: Its key; readable by the node's account alone.
    """

    path: Path = Path("store/households.duckdb")
    key_file: Path = Path("keys/store.key")


def require_place_for_store(path: Path) -> None:
    """Checks that the encrypted store can lie somewhere.

    DuckDB takes what follows a question mark in a path for options, and would look for the file's
    log elsewhere. It resolves links, so that nothing hides the path from it.

    Raises:
        Problem: Exit code SETTINGS, if there is one in the path.
    """
    if "?" in str(path):
        raise Problem(
            "a path with a question mark in it cannot hold the encrypted store",
            where=str(path),
            remedy="Rename the folder, or choose another",
            exit_code=ExitCode.SETTINGS,
        )
