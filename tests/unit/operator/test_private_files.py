"""Private files: whole or not there, sure once written, gone once deleted, nobody else's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from folkmoot_operator.private_files import (
    close_to_others,
    delete_private,
    is_open_to_others,
    make_private_folder,
    open_private,
    put_in_place,
    write_private,
    write_shared,
    writing_private,
)
from tests.power_cut import Disk, watched

OLD, NEW = b"old", b"new"


@pytest.fixture(autouse=True)
def _no_umask() -> Iterator[None]:
    """What is private must be so by itself."""
    before = os.umask(0)
    yield
    os.umask(before)


def at(disk: Disk, name: str) -> set[bytes | None]:
    """What a file may hold after a power cut at any moment; None if it is not there."""
    return {files.get(name) for files in disk.ever}


def test_a_file_is_replaced_whole_and_for_certain(tmp_path: Path) -> None:
    write_private(tmp_path / "key", OLD, replace=False)
    with watched(tmp_path) as disk:
        write_private(tmp_path / "key", NEW, replace=True)
    assert disk.at_the_end == {"key": NEW}
    assert at(disk, "key") == {OLD, NEW}
    assert (tmp_path / "key").read_bytes() == NEW


def test_a_new_file_is_whole_and_certain(tmp_path: Path) -> None:
    with watched(tmp_path) as disk:
        write_private(tmp_path / "key", NEW, replace=False)
    assert disk.at_the_end == {"key": NEW}
    assert at(disk, "key") == {None, NEW}


def test_a_file_that_is_not_to_be_replaced_stays(tmp_path: Path) -> None:
    write_private(tmp_path / "key", OLD, replace=False)
    with pytest.raises(FileExistsError):
        write_private(tmp_path / "key", NEW, replace=False)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("key", OLD)]


def test_who_comes_second_does_not_replace_what_came_first_meanwhile(tmp_path: Path) -> None:
    with (
        pytest.raises(FileExistsError),
        writing_private(tmp_path / "key", replace=False) as unfinished,
    ):
        unfinished.write_bytes(NEW)
        write_private(tmp_path / "key", OLD, replace=False)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("key", OLD)]


def test_a_link_that_leads_nowhere_is_not_replaced_either(tmp_path: Path) -> None:
    (tmp_path / "key").symlink_to(tmp_path / "gone")
    with pytest.raises(FileExistsError):
        write_private(tmp_path / "key", NEW, replace=False)
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize("replace", [False, True])
def test_after_an_error_nothing_has_changed(tmp_path: Path, *, replace: bool) -> None:
    if replace:
        write_private(tmp_path / "key", OLD, replace=False)
    before = [(one.name, one.read_bytes()) for one in tmp_path.iterdir()]
    with (
        pytest.raises(RuntimeError),
        writing_private(tmp_path / "key", replace=replace) as unfinished,
    ):
        unfinished.write_bytes(NEW)
        raise RuntimeError
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == before


def test_nobody_else_can_read_a_file_at_any_moment(tmp_path: Path) -> None:
    with watched(tmp_path) as disk:
        make_private_folder(tmp_path / "a" / "b")
        write_private(tmp_path / "a" / "b" / "key", NEW, replace=False)
        write_private(tmp_path / "a" / "b" / "key", NEW, replace=True)
        with open_private(tmp_path / "a" / "log", append=True) as log:
            os.fsync(log)
    modes = {mode for moment in disk.modes for mode in moment.values()}
    assert modes == {0o600, 0o700}


def test_a_deleted_file_does_not_come_back(tmp_path: Path) -> None:
    write_private(tmp_path / "key", OLD, replace=False)
    with watched(tmp_path) as disk:
        delete_private(tmp_path / "key")
        delete_private(tmp_path / "key")  # what is not there is no error
    assert disk.at_the_end == {}


def test_a_deleted_folder_does_not_come_back(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "run" / "parts")
    write_private(tmp_path / "run" / "parts" / "one", OLD, replace=False)
    with watched(tmp_path) as disk:
        delete_private(tmp_path / "run")
    assert disk.at_the_end == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "destroy", [delete_private, lambda path: write_private(path, NEW, replace=True)]
)
def test_no_second_name_of_a_destroyed_file_is_left_by_a_crash(
    tmp_path: Path, destroy: Callable[[Path], None]
) -> None:
    """A process that ended between giving a new file its name and taking the other one."""
    with watched(tmp_path) as disk:
        write_private(tmp_path / "key", OLD, replace=False)
    (two_names,) = {frozenset(files) for files in disk.early if len(files) == 2}
    (tmp_path / "key").with_name(*(two_names - {"key"})).hardlink_to(tmp_path / "key")
    (tmp_path / ".key.other").write_bytes(OLD)  # of somebody else, who is writing now
    destroy(tmp_path / "key")
    left = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    assert left.pop(".key.other") == OLD
    assert OLD not in left.values()


def test_a_file_written_elsewhere_takes_its_place_for_certain(tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(OLD)
    with watched(tmp_path) as disk:
        (tmp_path / "store.unfinished").write_bytes(NEW)
        close_to_others(tmp_path / "store.unfinished")
        put_in_place(tmp_path / "store.unfinished", tmp_path / "store")
    assert disk.at_the_end == {"store": NEW}
    assert at(disk, "store") == {OLD, NEW}


def test_a_new_folder_is_there_for_certain(tmp_path: Path) -> None:
    with watched(tmp_path) as disk:
        make_private_folder(tmp_path / "a" / "b")
        write_private(tmp_path / "a" / "b" / "key", NEW, replace=False)
    assert disk.at_the_end == {"a/b/key": NEW}


def test_a_folder_of_the_administrator_is_closed_only_if_that_is_asked(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o750)
    make_private_folder(tmp_path / "shared")
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o750
    assert is_open_to_others(tmp_path / "shared")
    make_private_folder(tmp_path / "shared", tighten=True)
    assert not is_open_to_others(tmp_path / "shared")


def test_a_file_opened_in_place_is_appended_to_or_emptied(tmp_path: Path) -> None:
    for text, append in (("one", True), ("two", True), ("three", False)):
        with open_private(tmp_path / "log", append=append) as file:
            assert file.tell() == (3 if text == "two" else 0)
            file.write(text.encode())
    assert (tmp_path / "log").read_bytes() == b"three"


class TestTheModelOfAPowerCut:
    """The model must lose what a careless program does not save."""

    def test_a_file_that_was_not_synced_is_empty(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_bytes(OLD)
        with watched(tmp_path) as disk:
            (tmp_path / "key.new").write_bytes(NEW)
            (tmp_path / "key.new").replace(tmp_path / "key")
        assert b"" in at(disk, "key")
        assert disk.at_the_end == {"key": OLD}

    def test_without_a_sync_of_the_folder_the_old_file_comes_back(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_bytes(OLD)
        with watched(tmp_path) as disk:
            with (tmp_path / "key.new").open("wb") as file:
                file.write(NEW)
                file.flush()
                os.fsync(file)
            (tmp_path / "key.new").replace(tmp_path / "key")
        assert disk.at_the_end == {"key": OLD}
        assert disk.early[-1] == {"key": NEW}

    def test_without_a_sync_of_the_folder_a_deleted_file_comes_back(self, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "key").write_bytes(OLD)
        with watched(tmp_path) as disk:
            (tmp_path / "folder" / "key").unlink()
        assert disk.at_the_end == {"folder/key": OLD}
        assert disk.early[-1] == {}


@pytest.mark.parametrize(
    "folder, file",
    [(0o2770, 0o660), (0o770, 0o600), (0o700, 0o600), (0o2750, 0o600), (0o2775, 0o600)],
)
def test_a_file_is_shared_with_a_group_only_where_the_folder_says_so(
    tmp_path: Path, folder: int, file: int
) -> None:
    """The group's own folder, open to all of the group and to nobody else."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(folder)
    for content in (OLD, NEW):
        write_shared(shared / "f", content)
        assert (shared / "f").read_bytes() == content
        assert (shared / "f").stat().st_mode & 0o777 == file
    assert [one.name for one in shared.iterdir()] == ["f"]
