"""The export of households: private from its first byte."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from folkmoot_node.operations.export_households import write_households
from folkmoot_operator.problems import Problem


class Watched(pl.DataFrame):
    """Notes who may read a file at the moment at which households are written into it."""

    modes: list[int]

    def write_csv(self, file: Any = None, **options: Any) -> None:  # type: ignore[override]
        self.modes.append(stat.S_IMODE(Path(file).stat().st_mode))
        super().write_csv(file, **options)


class Store:
    """A store of one household."""

    attributes = {"band": ("none", "high")}
    run = SimpleNamespace(check_licences=lambda today: None)

    def __init__(self) -> None:
        self.frame = Watched({"uprn": [1], "band": ["high"]})
        self.frame.modes = []

    def households(self, bands: object) -> pl.DataFrame:
        return self.frame


@pytest.mark.parametrize("exists", [False, True])
def test_nobody_else_can_read_the_file_at_any_time(tmp_path: Path, exists: bool) -> None:
    store, path = Store(), tmp_path / "calls.csv"
    if exists:
        path.write_text("earlier")
        path.chmod(0o644)
    before = os.umask(0)
    try:
        assert write_households(store, path, ["high"]) == 1  # type: ignore[arg-type]
    finally:
        os.umask(before)
    assert store.frame.modes == [0o600]
    assert path.read_text() == "uprn,band\n1,high\n"


def test_a_file_of_another_kind_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(Problem):
        write_households(Store(), tmp_path / "calls.txt", [])  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
