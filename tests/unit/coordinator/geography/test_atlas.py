"""Shapes are made once, kept in private files, and made again when something changes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from folkmoot_coordinator.geography import atlas as atlas_module
from folkmoot_coordinator.geography import shape_files
from folkmoot_coordinator.geography.atlas import Atlas, BoundarySource
from folkmoot_coordinator.geography.shapes import Shapes
from folkmoot_operator.problems import Problem
from tests.unit.coordinator.geography.squares import code, squares, write

CODES = [code(number) for number in range(1, 10)]


@pytest.fixture
def source(tmp_path: Path) -> BoundarySource:
    return BoundarySource(write(tmp_path / "areas.geojson", squares(3, 3)))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each time that shapes are made."""
    times: list[int] = []
    original = atlas_module.make_shapes

    def counted(*arguments: object) -> Shapes:
        times.append(1)
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(atlas_module, "make_shapes", counted)
    return times


def same(one: Shapes, other: Shapes) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name == "origins")
        for name in ("boxes", "origins")
    ) and all(
        getattr(one, name) == getattr(other, name)
        for name in ("codes", "names", "paths", "width", "height", "scale", "outlines", "apart",
                     "fit", "repaired")
    ) and np.array_equal(one.neighbours.others, other.neighbours.others) and np.array_equal(
        one.neighbours.starts, other.neighbours.starts
    )  # fmt: skip


def test_shapes_are_made_once_for_all_processes(
    tmp_path: Path, source: BoundarySource, made: list[int]
) -> None:
    codes = [*CODES, code(500)]
    first = Atlas([source], tmp_path / "kept").shapes(codes, "2011")
    assert first is not None
    assert first.fit.other_edition
    again = Atlas([source], tmp_path / "kept")
    second = again.shapes(codes, "2011")
    assert second is not None
    assert second is again.shapes(codes, "2011")
    assert same(first, second)
    assert len(made) == 1


def test_nobody_else_reads_what_is_kept(tmp_path: Path, source: BoundarySource) -> None:
    Atlas([source], tmp_path / "kept").shapes(CODES)
    (file,) = (tmp_path / "kept").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"\x1f\x8b\x08\x00", None], ids=["empty", "text", "gzip", "old"]
)
def test_a_damaged_file_is_made_again(
    tmp_path: Path, source: BoundarySource, made: list[int], content: bytes | None
) -> None:
    Atlas([source], tmp_path / "kept").shapes(CODES)
    (file,) = (tmp_path / "kept").iterdir()
    file.write_bytes(file.read_bytes()[:-20] if content is None else content)
    assert Atlas([source], tmp_path / "kept").shapes(CODES) is not None
    assert len(made) == 2


def test_a_file_that_changes_is_read_again(
    tmp_path: Path, source: BoundarySource, made: list[int]
) -> None:
    atlas = Atlas([source], tmp_path / "kept")
    before = atlas.shapes(CODES)
    write(source.path, squares(3, 2))
    after = atlas.shapes(CODES)
    assert before is not None
    assert after is not None
    assert len(made) == 2
    assert (len(before.fit.missing), len(after.fit.missing)) == (0, 3)


def test_other_areas_have_other_shapes(
    tmp_path: Path, source: BoundarySource, made: list[int]
) -> None:
    atlas = Atlas([source], tmp_path / "kept")
    atlas.shapes(CODES)
    atlas.shapes(CODES[::-1])
    atlas.shapes(CODES, "2021")
    atlas.shapes([code(1, "E05")])
    assert len(made) == 4


def test_the_file_with_most_of_the_areas_is_taken(tmp_path: Path, source: BoundarySource) -> None:
    few = BoundarySource(write(tmp_path / "few.geojson", squares(1, 3)))
    found = Atlas([few, source], tmp_path / "kept").shapes(CODES)
    assert found is not None
    assert found.fit.missing == ()


def test_where_no_boundaries_are_set_there_are_none(tmp_path: Path) -> None:
    assert Atlas([], tmp_path / "kept").shapes(CODES) is None


def test_no_file_with_the_areas_is_a_problem(tmp_path: Path, source: BoundarySource) -> None:
    with pytest.raises(Problem, match="the round has MSOAs"):
        Atlas([source], tmp_path / "kept").shapes([code(1, "E02")])
    with pytest.raises(Problem, match="no file of boundaries has any of the round's MSOAs"):
        Atlas([source, source], tmp_path / "kept").shapes([code(1, "E02")])
    with pytest.raises(Problem, match="not there"):
        Atlas([BoundarySource(tmp_path / "none")], tmp_path / "kept").shapes(CODES)


def test_a_folder_that_cannot_be_written_is_no_reason_to_show_nothing(
    tmp_path: Path, source: BoundarySource
) -> None:
    (tmp_path / "kept").write_text("a file has its name")
    assert Atlas([source], tmp_path / "kept").shapes(CODES) is not None


def test_the_oldest_files_go(
    tmp_path: Path, source: BoundarySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shape_files, "MAX_FILES", 2)
    atlas = Atlas([source], tmp_path / "kept")
    names = []
    for number in range(4):
        atlas.shapes(CODES[number:])
        (new,) = {one.name for one in (tmp_path / "kept").iterdir()} - set(names)
        os.utime(tmp_path / "kept" / new, ns=(number, number))
        names.append(new)
    assert {one.name for one in (tmp_path / "kept").iterdir()} == set(names[2:])
