"""What is installed has the digest of its wheel, and no other; what differs is named."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from folkmoot_kit.provenance import Installation, read_wheel
from folkmoot_kit.provenance.content import counts, digest_of_files
from folkmoot_operator.problems import ExitCode, Problem
from tests.plugin_council import FILES, MODULE, NAME, POINTS, SITE, unpack, write_wheel

INFO = "folkmoot_plugin_energy_debt-1.2.0.dist-info"
DATA = "folkmoot_plugin_energy_debt-1.2.0.data"


def read(site: Path, *others: Path) -> str:
    return Installation((site, *others)).read(NAME).content


@pytest.fixture
def site(tmp_path: Path) -> Path:
    made = tmp_path / "site-packages"
    made.mkdir()
    unpack(write_wheel(tmp_path), made)
    return made


@pytest.mark.parametrize("how", ["plain", "data", "module", "scripts"])
def test_pip_installs_what_the_digest_says(tmp_path: Path, how: str) -> None:
    files: dict[str, str | bytes] = dict(FILES)
    points = POINTS
    if how == "data":
        files = {f"{DATA}/purelib/{path}": text for path, text in FILES.items()}
    elif how == "module":
        files = {f"{MODULE}.py": "A = 1\n", f"{MODULE}_words/a,b.txt": "x"}
    elif how == "scripts":
        points = f"{POINTS}[console_scripts]\nenergy-debt = {MODULE}:main\n"
    wheel = write_wheel(tmp_path, files, points=points)
    target = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(target)], check=True)
    python = target / "bin" / "python"
    options = ["install", "--no-index", "--no-deps", "--disable-pip-version-check", str(wheel)]
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), *options],
        check=True,
        capture_output=True,
    )
    [site] = target.glob("lib/python*/site-packages")
    assert list(site.rglob("*.pyc")), "pip compiles what it installs"
    assert (target / "bin" / "energy-debt").exists() == (how == "scripts")
    content = read_wheel(wheel).content
    assert read(site) == content
    other = tmp_path / "other"
    other.mkdir()
    unpack(wheel, other)
    assert read(other) == content


def test_other_files_and_other_names_have_other_digests() -> None:
    one = {"a": "1" * 64, "b": "2" * 64}
    assert digest_of_files(one) != digest_of_files({"a": "2" * 64, "b": "1" * 64})
    assert digest_of_files(one) != digest_of_files({"a": "1" * 64})
    assert digest_of_files({"a\n": "1" * 64}) != digest_of_files({"a": "1" * 64})
    assert digest_of_files(one) == digest_of_files(dict(reversed(one.items())))


def test_what_installers_write_does_not_count_and_nothing_else_is_left_out() -> None:
    for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"):
        assert not counts(f"x-1.dist-info/{name}")
        assert counts(f"x/{name}")
        assert counts(f"x-1.dist-info/licenses/{name}")
    assert not counts("x/__pycache__/a.pyc")
    assert not counts("../../../bin/x")
    assert counts("x-1.dist-info/METADATA")
    assert counts("x-1.dist-info/entry_points.txt")


def change_byte(site: Path) -> str:
    path = site / MODULE / "data" / "codes.csv"
    path.write_bytes(path.read_bytes().replace(b"a", b"b"))
    return f"{MODULE}/data/codes.csv"


def change_metadata(site: Path) -> str:
    path = site / INFO / "entry_points.txt"
    path.write_text(path.read_text() + "other = other\n")
    return f"{INFO}/entry_points.txt"


@pytest.mark.parametrize("change", [change_byte, change_metadata])
def test_a_changed_file_has_another_digest_and_is_named(
    site: Path, change: Callable[[Path], str]
) -> None:
    before = read(site)
    place = change(site)
    after = Installation((site,)).read(NAME)
    assert after.content != before
    assert after.changed == (place,)


def test_a_changed_list_does_not_hide_a_changed_file(site: Path) -> None:
    before = read(site)
    change_byte(site)
    record = site / INFO / "RECORD"
    kept = [line for line in record.read_text().splitlines() if "codes.csv" not in line]
    record.write_text("\n".join(kept))
    with pytest.raises(Problem, match=r"codes\.csv: is not among"):
        read(site)
    (site / MODULE / "data" / "codes.csv").unlink()
    assert read(site) != before


STRANGERS: Mapping[str, str] = {
    "a module in the package": f"{MODULE}/evil.py",
    "a library that comes before a module": f"{MODULE}/scale.abi3.so",
    "a package that comes before a module": f"{MODULE}/scale/__init__.py",
    "a file in a new folder": f"{MODULE}/more/deep/evil.txt",
    "compiled code without source": f"{MODULE}/evil.pyc",
    "metadata": f"{INFO}/entry_points.ini",
}


@pytest.mark.parametrize("how", STRANGERS)
def test_a_file_that_the_wheel_did_not_bring_is_refused(site: Path, how: str) -> None:
    place = site / STRANGERS[how]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("evil")
    with pytest.raises(Problem) as caught:
        read(site)
    assert str(place) in str(caught.value)
    assert caught.value.exit_code is ExitCode.VERIFICATION
    assert caught.value.remedy


def test_a_file_that_is_missing_or_a_link_is_refused(site: Path, tmp_path: Path) -> None:
    place = site / MODULE / "scale.py"
    place.rename(tmp_path / "scale.py")
    with pytest.raises(Problem, match=r"scale\.py: cannot be read"):
        read(site)
    place.symlink_to(tmp_path / "scale.py")
    with pytest.raises(Problem, match=r"scale\.py"):
        read(site)
    place.unlink()
    os.mkfifo(place)
    with pytest.raises(Problem, match=r"scale\.py: is no ordinary file"):
        read(site)


def test_a_folder_that_is_a_link_is_refused(site: Path, tmp_path: Path) -> None:
    shutil.move(site / MODULE / "data", tmp_path / "data")
    (site / MODULE / "data").symlink_to(tmp_path / "data")
    with pytest.raises(Problem, match=r"/data: is not among"):
        read(site)


@pytest.mark.parametrize("name", [f"{MODULE}.py", f"{MODULE}.cpython-311-x86_64-linux-gnu.so"])
@pytest.mark.parametrize("first", [True, False])
def test_what_would_be_imported_instead_is_refused(
    site: Path, tmp_path: Path, name: str, first: bool
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / name).write_text("evil")
    with pytest.raises(Problem, match=f"has the name of the module {MODULE}"):
        Installation((other, site) if first else (site, other)).read(NAME)
    (site / name).write_text("evil")
    with pytest.raises(Problem, match=f"has the name of the module {MODULE}"):
        read(site)


def test_folders_that_distributions_share_are_looked_at_by_name(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    site.mkdir()
    unpack(write_wheel(tmp_path, {"vendor/debt/__init__.py": "", "vendor/one.py": ""}), site)
    # A folder with a file of its own is the plugin's; `other` is a stranger in it.
    (site / "vendor" / "other.py").write_text("")
    with pytest.raises(Problem, match=r"vendor/other\.py"):
        read(site)
    shutil.rmtree(site)
    site.mkdir()
    unpack(write_wheel(tmp_path, {"vendor/debt/__init__.py": ""}), site)
    (site / "vendor" / "other").mkdir()
    (site / "vendor" / "other" / "__init__.py").write_text("")
    read(site)
    for evil in ("__init__.py", "debt.abi3.so"):
        (site / "vendor" / evil).write_text("")
        with pytest.raises(Problem, match=evil):
            read(site)
        (site / "vendor" / evil).unlink()


def test_a_file_of_two_distributions_is_refused(site: Path, tmp_path: Path) -> None:
    other = write_wheel(
        tmp_path, {f"{MODULE}/scale.py": FILES[f"{MODULE}/scale.py"]}, name="other", points=""
    )
    unpack(other, site)
    with pytest.raises(Problem, match=r"scale\.py: also belongs to other-1\.2\.0\.dist-info"):
        read(site)


def test_a_distribution_that_is_there_twice_is_refused(site: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shutil.copytree(site / INFO, other / INFO.replace("1.2.0", "1.3.0"))
    with pytest.raises(Problem, match="installed twice"):
        read(site, other)
    with pytest.raises(Problem, match="not installed"):
        Installation((tmp_path,)).read(NAME)


@pytest.mark.parametrize(
    "about",
    [
        "Folkmoot_Plugin_Energy_Debt-1.2.0.DIST-INFO",
        "folkmoot.plugin.energy.debt-9.dist-info",
        "folkmoot_plugin_energy_debt.EGG-INFO",
    ],
)
def test_metadata_that_python_would_take_instead_are_seen(site: Path, about: str) -> None:
    (site / about).mkdir()
    (site / about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.2.0\n")
    (site / about / "entry_points.txt").write_text("[folkmoot]\nenergy_debt = evil\n")
    with pytest.raises(Problem, match="installed twice"):
        read(site)


def test_a_distribution_without_a_wheel_is_refused(site: Path) -> None:
    (site / INFO / "direct_url.json").write_text(
        json.dumps({"dir_info": {"editable": True}, "url": "file:///x"})
    )
    with pytest.raises(Problem, match="for development"):
        read(site)
    (site / INFO / "direct_url.json").unlink()
    (site / INFO / "RECORD").unlink()
    with pytest.raises(Problem, match="no list of its files"):
        read(site)
    (site / INFO / "RECORD").write_text("a,sha256=!,b,c,d\n")
    with pytest.raises(Problem, match="cannot be read"):
        read(site)


@pytest.mark.parametrize("name", ["METADATA", "RECORD"])
def test_metadata_that_cannot_be_read_are_said(site: Path, name: str) -> None:
    (site / INFO / name).write_bytes(b"\xff\xfe")
    with pytest.raises(Problem, match="cannot be read"):
        read(site)
    (site / INFO / name).unlink()
    with pytest.raises(Problem, match=r"metadata|list of its files"):
        read(site)


def test_a_name_that_a_terminal_would_obey_is_shown_without_its_signs(site: Path) -> None:
    for name in (b"\xff.py", b"\x1b[2J.py", "\u202egnp.py".encode()):
        path = os.fsencode(site / MODULE) + b"/" + name
        Path(os.fsdecode(path)).write_text("")
        with pytest.raises(Problem) as caught:
            read(site)
        assert str(caught.value).isprintable()
        str(caught.value).encode()
        Path(os.fsdecode(path)).unlink()


def test_it_is_fast_among_hundreds_of_distributions(site: Path) -> None:
    assert len(list(SITE.glob("*.dist-info"))) > 100
    taken, floor = [], []
    for _ in range(5):
        begun = time.thread_time()  # that of others on the machine does not count
        Installation((site, SITE)).read(NAME)
        done = time.thread_time()
        for other in importlib.metadata.distributions(path=[str(SITE)]):
            assert other.metadata["Name"]
            assert other.read_text("METADATA")
            other.read_text("RECORD")
        taken.append(done - begun)
        floor.append(time.thread_time() - done)
    assert min(taken) < min(floor) / 2, "it does not read what all others say of themselves"
