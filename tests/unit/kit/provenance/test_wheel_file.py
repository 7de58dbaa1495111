"""Wheels that are not what a plugin may bring are refused, each with the file named."""

from __future__ import annotations

import hashlib
import stat
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot_kit.provenance import read_wheel, wheel_file
from folkmoot_operator.problems import ExitCode, Problem
from tests.plugin_council import FILES, MODULE, NAME, POINTS, recorded, write_wheel

INFO = "folkmoot_plugin_energy_debt-1.2.0.dist-info"
DATA = "folkmoot_plugin_energy_debt-1.2.0.data"
Change = Callable[[zipfile.ZipFile, dict[str, bytes]], None]


def refused(path: Path, *words: str) -> Problem:
    with pytest.raises(Problem) as caught:
        read_wheel(path)
    assert caught.value.exit_code is ExitCode.VERIFICATION
    assert path.name in caught.value.where
    said = str(caught.value)
    for word in words:
        assert word in said
    assert caught.value.remedy
    return caught.value


def test_reads_what_a_wheel_says(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, about={"sboms/parts.cdx.json": "{}"})
    wheel = read_wheel(path)
    assert (wheel.name, wheel.version, wheel.licence) == (NAME, "1.2.0", "Apache-2.0")
    assert wheel.digest == wheel_file.wheel_digest(path)
    assert wheel.digest == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    assert (
        wheel.files[f"{MODULE}/scale.py"]
        == hashlib.sha256(FILES[f"{MODULE}/scale.py"].encode()).hexdigest()
    )
    assert wheel.requirements == ("folkmoot-sdk>=0.1,<9",)
    assert list(wheel.sboms) == [f"{INFO}/sboms/parts.cdx.json"]


def test_the_packages_of_a_data_folder_are_where_an_installer_puts_them(tmp_path: Path) -> None:
    files = {f"{DATA}/purelib/{path}": text for path, text in FILES.items()}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    moved, plain = write_wheel(tmp_path / "a", files), write_wheel(tmp_path / "b")
    assert read_wheel(moved).content == read_wheel(plain).content
    assert read_wheel(moved).digest != read_wheel(plain).digest


HOSTILE_FILES: Mapping[str, str] = {
    "../evil.py": "leads out",
    "/etc/evil.py": "leads out",
    f"{MODULE}/../../evil.py": "leads out",
    "C:/evil.py": "leads out",
    f"{MODULE}/./evil.py": "two ways",
    f"{MODULE}//evil.py": "two ways",
    f"{MODULE}\\evil.py": "two ways",
    f"{MODULE}/ev\x1bil.py": "two ways",
    f"{MODULE}/ev\u202eil.py": "two ways",
    f"{MODULE}/{'a' * 300}.py": "longer than",
    "evil.pth": "at each start",
    "evil.start": "at each start",
    f"{DATA}/purelib/evil.pth": "at each start",
    "sitecustomize.py": "at each start",
    "usercustomize/__init__.py": "at each start",
    "sitecustomize.cpython-311-x86_64-linux-gnu.so": "at each start",
    "json/__init__.py": "the module json",
    "re.py": "the module re",
    "folkmoot_node/evil.py": "the module folkmoot_node",
    "folkmoot_sdk/evil.py": "the module folkmoot_sdk",
    "folkmoot/evil.py": "the module folkmoot",
    f"{MODULE}/__pycache__/scale.cpython-311.pyc": "nobody can read",
    f"{MODULE}/evil.pyc": "nobody can read",
    f"{DATA}/scripts/folkmoot-node": "outside the packages",
    f"{DATA}/data/bin/python": "outside the packages",
    f"{DATA}/headers/evil.h": "outside the packages",
    f"{DATA}/purelib/{MODULE}/scale.py": "overwrites",
    f"{DATA}/platlib/{INFO}/METADATA": "overwrites",
    f"{MODULE}/SCALE.py": "case does not matter",
    f"{MODULE}/scale.py/evil.py": "a file and a folder",
    "other-1.0.dist-info/METADATA": "another distribution",
    "other-1.0.data/purelib/x.py": "another distribution",
    "folkmoot_plugin_energy_debt-1.3.0.dist-info/METADATA": "another distribution",
    "evil.egg-info/PKG-INFO": "another distribution",
    f"{DATA}/purelib/other-1.0.dist-info/METADATA": "another distribution",
}


@pytest.mark.parametrize("name", HOSTILE_FILES)
def test_a_file_that_reaches_beyond_the_plugin_is_refused(tmp_path: Path, name: str) -> None:
    path = write_wheel(tmp_path, {**FILES, name: "evil"})
    refused(path, HOSTILE_FILES[name])


@pytest.mark.parametrize(
    "script", ["folkmoot-node", "folkmoot", "python3", "python", "pip3.11", "bwrap", "../x", "SUDO"]
)
def test_a_command_of_somebody_else_is_refused(tmp_path: Path, script: str) -> None:
    points = f"{POINTS}[console_scripts]\n{script} = {MODULE}:main\n"
    refused(write_wheel(tmp_path, points=points), script)


def test_a_command_of_its_own_is_no_fault(tmp_path: Path) -> None:
    points = f"{POINTS}[console_scripts]\nenergy-debt = {MODULE}:main\n"
    assert read_wheel(write_wheel(tmp_path, points=points)).entry_points


def test_a_wheel_without_a_plugin_is_refused(tmp_path: Path) -> None:
    refused(write_wheel(tmp_path, points=""), "no plugin")


def written(
    archive: zipfile.ZipFile, whole: dict[str, bytes], *, skip: str = "", **changed: bytes
) -> None:
    for member, content in whole.items():
        if member != skip:
            archive.writestr(member, changed.get(member, content))


def changed_byte(archive: zipfile.ZipFile, whole: dict[str, bytes]) -> None:
    whole[f"{MODULE}/scale.py"] = whole[f"{MODULE}/scale.py"].replace(b"0.5", b"0.6")
    written(archive, whole)


def stranger(archive: zipfile.ZipFile, whole: dict[str, bytes]) -> None:
    written(archive, {**whole, f"{MODULE}/evil.py": b"evil"})


def missing(archive: zipfile.ZipFile, whole: dict[str, bytes]) -> None:
    written(archive, whole, skip=f"{MODULE}/scale.py")


def twice(archive: zipfile.ZipFile, whole: dict[str, bytes]) -> None:
    written(archive, whole)
    with pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(f"{MODULE}/scale.py", whole[f"{MODULE}/scale.py"])


def link(archive: zipfile.ZipFile, whole: dict[str, bytes]) -> None:
    entry = zipfile.ZipInfo(f"{MODULE}/scale.py")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    written(archive, whole, skip=entry.filename)
    archive.writestr(entry, whole[entry.filename])


def bomb(archive: zipfile.ZipFile, whole: dict[str, bytes]) -> None:
    content = bytes(8 * 1024 * 1024)
    line = f"{MODULE}/bomb.csv,{recorded(hashlib.sha256(content).digest())},{len(content)}\n"
    whole[f"{INFO}/RECORD"] += line.encode()
    written(archive, {**whole, f"{MODULE}/bomb.csv": content})


def lzma(archive: zipfile.ZipFile, whole: dict[str, bytes]) -> None:
    for member, content in whole.items():
        archive.writestr(member, content, zipfile.ZIP_LZMA)


def commented(archive: zipfile.ZipFile, whole: dict[str, bytes]) -> None:
    written(archive, whole)
    archive.comment = b"evil"


def record_lines(edit: Callable[[str], str]) -> Change:
    def change(archive: zipfile.ZipFile, whole: dict[str, bytes]) -> None:
        whole[f"{INFO}/RECORD"] = edit(whole[f"{INFO}/RECORD"].decode()).encode()
        written(archive, whole)

    return change


ALTERED: Mapping[str, tuple[Change, str]] = {
    "changed byte": (changed_byte, "scale.py"),
    "file outside RECORD": (stranger, "evil.py"),
    "file that RECORD names is missing": (missing, "scale.py"),
    "two files of one name": (twice, "scale.py"),
    "link": (link, "scale.py"),
    "bomb": (bomb, "bomb.csv"),
    "lzma": (lzma, "compressed"),
    "comment": (commented, "before or after"),
    "RECORD without digests": (record_lines(lambda t: t.replace("sha256=", "md5=")), "RECORD"),
    "RECORD without lengths": (
        record_lines(lambda t: "".join(f"{x.rpartition(',')[0]},\n" for x in t.splitlines())),
        "RECORD",
    ),
    "RECORD with a line twice": (record_lines(lambda t: t + t.splitlines()[0] + "\n"), "twice"),
    "RECORD is no list": (record_lines(lambda _: "x\n"), "RECORD"),
    "RECORD is no text": (record_lines(lambda t: t + 'a"b,"c,,\n'), "RECORD"),
}


@pytest.mark.parametrize("how", ALTERED)
def test_an_archive_that_was_altered_is_refused(tmp_path: Path, how: str) -> None:
    change, word = ALTERED[how]
    refused(write_wheel(tmp_path, change=change), word)


def test_too_many_files_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheel_file, "MAX_FILES", 5)
    refused(write_wheel(tmp_path), "more than 5 files")


def test_too_many_bytes_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheel_file, "MAX_CONTENT_BYTES", 50)
    refused(write_wheel(tmp_path), "50 bytes")
    monkeypatch.setattr(wheel_file, "MAX_WHEEL_BYTES", 50)
    refused(write_wheel(tmp_path), "50 bytes")


def test_what_is_kept_in_memory_is_bounded(tmp_path: Path) -> None:
    many = {f"sboms/{number}.json": "{}" for number in range(11)}
    refused(write_wheel(tmp_path, about=many), "lists of components")
    refused(write_wheel(tmp_path, about={"sboms/a.json": "\n" * 5_000_000}), "")
    assert read_wheel(write_wheel(tmp_path, about={f"licenses/{n}": "x" for n in range(50)}))


def test_a_header_that_lies_about_lengths_is_refused(tmp_path: Path) -> None:
    path = write_wheel(tmp_path)
    content = bytearray(path.read_bytes())
    place = content.rfind(f"{MODULE}/scale.py".encode())
    [length] = struct.unpack_from("<I", content, place - 46 + 24)
    struct.pack_into("<I", content, place - 46 + 24, length + 7)
    path.write_bytes(content)
    refused(path)


def test_something_in_front_of_the_archive_is_refused(tmp_path: Path) -> None:
    path = write_wheel(tmp_path)
    content = path.read_bytes()
    path.write_bytes(b"#!/bin/sh\n" + content)
    refused(path, "in front")
    path.write_bytes(b"PK\x03\x04" + content)
    refused(path)


@pytest.mark.parametrize(
    "name", ["plugin.zip", "folkmoot_plugin_energy_debt-1.2.0.whl", "a b-1-py3-none-any.whl"]
)
def test_another_name_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_wheel(tmp_path).rename(path)
    refused(path, "name")


def test_the_name_and_the_metadata_must_agree(tmp_path: Path) -> None:
    path = tmp_path / "folkmoot_plugin_other-1.2.0-py3-none-any.whl"
    write_wheel(tmp_path).rename(path)
    refused(path, "another distribution")


def test_what_is_not_there_or_no_file_is_named(tmp_path: Path) -> None:
    absent = tmp_path / "x-1.0-py3-none-any.whl"
    with pytest.raises(Problem, match="not there"):
        read_wheel(absent)
    absent.mkdir()
    with pytest.raises(Problem, match="folder"):
        read_wheel(absent)


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 0.999))
def test_a_wheel_that_was_cut_is_refused(
    share: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write_wheel(tmp_path_factory.mktemp("cut"))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    refused(path)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_changed_byte_leaves_the_content_and_the_digest_as_they_were(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write_wheel(tmp_path_factory.mktemp("changed"))
    before = read_wheel(path)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        after = read_wheel(path)
    except Problem:
        return
    # Dates and attributes in the archive's own headers.
    assert after.digest != before.digest
    assert after.content == before.content
