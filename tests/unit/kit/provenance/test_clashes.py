"""A wheel that would overwrite what is installed is named before anybody installs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot_kit.provenance import Installation, read_wheel
from folkmoot_kit.provenance.clashes import require_no_clash
from folkmoot_operator.problems import ExitCode, Problem
from tests.plugin_council import FILES, MODULE, POINTS, SITE, unpack, write_wheel

COMMAND = f"{POINTS}[console_scripts]\nenergy-debt = {MODULE}:main\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    made = tmp_path / "site-packages"
    made.mkdir()
    return made


def clash(wheel: Path, site: Path, commands: Path, words: str) -> None:
    with pytest.raises(Problem, match=words) as caught:
        require_no_clash(read_wheel(wheel), Installation((site, SITE)), commands)
    assert caught.value.exit_code is ExitCode.VERIFICATION


def test_a_new_plugin_and_its_next_version_clash_with_nothing(tmp_path: Path, site: Path) -> None:
    commands = tmp_path / "bin"
    commands.mkdir()
    wheel = write_wheel(tmp_path, points=COMMAND)
    require_no_clash(read_wheel(wheel), Installation((site, SITE)), commands)
    unpack(wheel, site)
    (commands / "energy-debt").touch()
    later = write_wheel(tmp_path, points=COMMAND, version="1.3.0")
    require_no_clash(read_wheel(later), Installation((site, SITE)), commands)


@pytest.mark.parametrize(
    ("name", "words"),
    [("folkmoot-node", "with the node"), ("numpy", "with the node"),
     ("folkmoot-sdk", "with the node")],
)  # fmt: skip
def test_the_name_of_what_comes_with_the_node_is_taken(
    tmp_path: Path, site: Path, name: str, words: str
) -> None:
    clash(write_wheel(tmp_path, name=name), site, tmp_path, words)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("numpy/__init__.py", "overwrite a file of numpy"),
        ("numpy/evil.py", "add to the package of numpy"),
        ("pluggy/_more/evil.py", "add to the package of pluggy"),
        ("typing_extensions.py", "overwrite a file of typing_extensions"),
    ],
)
def test_the_modules_of_others_are_taken(
    tmp_path: Path, site: Path, place: str, words: str
) -> None:
    clash(write_wheel(tmp_path, {**FILES, place: "evil"}), site, tmp_path, words)


def test_the_commands_of_others_are_taken(tmp_path: Path, site: Path) -> None:
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "energy-debt").touch()
    clash(write_wheel(tmp_path, points=COMMAND), site, commands, "energy-debt")


def test_a_folder_that_several_share_may_be_shared(tmp_path: Path, site: Path) -> None:
    unpack(write_wheel(tmp_path, {"vendor/one/__init__.py": ""}, name="one", points=""), site)
    wheel = write_wheel(tmp_path, {"vendor/debt/__init__.py": ""})
    require_no_clash(read_wheel(wheel), Installation((site, SITE)), tmp_path)
