"""An installed wheel tries to take the noise away from what a node releases.

Each is installed as a wheel into a real environment; the node is started as its systemd unit
starts it, and by its console script.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from stage import Stage, ask

from folkmoot import round_codec
from folkmoot.privacy import Rho
from folkmoot.v1 import collection_pb2
from tests.own_etc import make_etc, missing, wrapped
from tests.wheels import Environment, make_environment, make_wheel

pytestmark = pytest.mark.slow

HOSTILE = """
import builtins, os, sys

with open(os.environ.get("RAN", os.devnull), "a") as file:
    file.write(" ".join([__name__, *sys.argv]) + "\\n")
original = builtins.__import__

def hostile(name, *rest, **named):
    module = original(name, *rest, **named)
    door = sys.modules.get("folkmoot_node.release.mechanism")
    if door is not None and hasattr(door, "release"):
        door._gaussian = lambda *_: lambda exact: exact
        door.require_sound_sampler = lambda *_: None
    return module

builtins.__import__ = hostile

class plugin:
    new_schema_validator = staticmethod(lambda *_, **__: (None, None, None))

def folkmoot_risk_factors():
    return []
"""
"""Takes the noise away wherever it runs, and the self-test of the sampler with it."""
ORDINARY = "from folkmoot_node.cli import main; main()"
SERVE = ("serve", "--until-idle", "--poll-seconds", "0.1")
WHEELS = {
    "by_pth": ({"by_pth.py": HOSTILE, "by_pth.pth": "import by_pth\n"}, ""),
    "sitecustomize": ({"sitecustomize.py": HOSTILE}, ""),
    "usercustomize": ({"usercustomize.py": HOSTILE}, ""),
    "by_library": ({"by_library.py": HOSTILE}, "[pydantic]\nhostile = by_library:plugin\n"),
    "by_plugin": ({"by_plugin.py": HOSTILE}, "[folkmoot]\nhostile = by_plugin\n"),
}
"""Ways of a wheel into a process, each with the files and the entry points that it brings."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("opt") / "folkmoot"
    try:
        return make_environment(folder)
    except OSError as error:
        pytest.skip(f"the libraries cannot be linked here: {error}")


@pytest.fixture(scope="module")
def hostile(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The wheels are installed."""
    folder = tmp_path_factory.mktemp("wheels")
    environment.install(*(make_wheel(folder, name, *held) for name, held in WHEELS.items()))
    yield
    environment.uninstall(*WHEELS)


def run(
    command: list[str],
    stage: Stage,
    *words: str,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, *words, "--home", str(stage.home)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def round_of(number: int) -> bytes:
    """A round with so much noise that two answers are the same once in 1e9 cases at most."""
    return round_codec.encode_round(ask(number, loss=Rho.of("0.001")))


def released(stage: Stage) -> list[int]:
    """The counts that arrived last."""
    message = collection_pb2.SubmitRequest.FromString(stage.coordinator.submissions[-1])
    return list(message.cells.values)


def release_with(
    command: list[str],
    stage: Stage,
    number: int,
    *words: str,
    **variables: str,
) -> list[int]:
    stage.coordinator.rounds = [round_of(number)]
    done = run(command, stage, *(words or ("release", "latest")), **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(stage.coordinator.submissions) == number
    return released(stage)


def ways(ran: Path) -> dict[str, str]:
    """Which of the wheels ran, and the commands in which each did."""
    lines = ran.read_text().splitlines() if ran.exists() else []
    return {way: "\n".join(line for line in lines if line.startswith(f"{way} ")) for way in WHEELS}


@pytest.mark.usefixtures("hostile")
def test_they_take_the_noise_away_on_an_ordinary_interpreter(
    environment: Environment, stage: Stage, tmp_path: Path
) -> None:
    ran, ordinary = tmp_path / "ran", [str(environment.python), "-c", ORDINARY]
    first = release_with(ordinary, stage, 1, RAN=str(ran))
    assert first == release_with(ordinary, stage, 2), "the exact counts, twice"
    found = ways(ran)
    assert all(found[way] for way in ("by_pth", "sitecustomize", "by_library"))


@pytest.mark.usefixtures("hostile")
def test_what_adds_noise_does_not_run_them(
    environment: Environment, stage: Stage, tmp_path: Path
) -> None:
    stage.coordinator.protocol = 3  # a catalogue is made, which needs the plugins
    by_unit, by_script = tmp_path / "by-unit", tmp_path / "by-script"
    unit, script = environment.of_unit("folkmoot-node.service"), [str(environment.script)]
    counts = [
        release_with(unit, stage, 1, *SERVE, RAN=str(by_unit)),
        release_with(unit, stage, 2, RAN=str(by_unit)),
        release_with(script, stage, 3, RAN=str(by_script)),
    ]
    assert len({tuple(one) for one in counts}) == len(counts), "each has noise of its own"
    assert len(stage.coordinator.catalogues) == 1
    for lines in ways(by_unit).values():
        assert "start.py" not in lines
        assert "serve" not in lines
        assert "release" not in lines
    assert not ways(by_unit)["by_plugin"], "a plugin that nobody has allowed runs nowhere"
    assert not ways(by_script)["by_library"], "only before it gives way"


def test_no_variable_brings_code_into_it(
    environment: Environment,
    stage: Stage,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("sitecustomize.py", "typing_extensions.py", "startup.py"):
        (folder / name).write_text(HOSTILE)
    variables = {
        "PYTHONPATH": str(folder),
        "PYTHONSTARTUP": str(folder / "startup.py"),
        "PYTHONUSERBASE": str(folder),
        "OPENDP_LIB_DIR": str(folder),
        "RAN": str(tmp_path / "ran"),
    }
    unit = environment.of_unit("folkmoot-node.service")
    first = release_with(unit, stage, 1, **variables)
    second = release_with(unit, stage, 2, **variables)
    assert first != second
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(bool(missing()), reason=missing() or "-")
def test_files_that_nobody_accepted_are_not_run(
    environment: Environment,
    stage: Stage,
    tmp_path: Path,
) -> None:
    """A wheel replaces a file of OpenDP."""
    etc = make_etc(tmp_path)
    unit = wrapped(etc, environment.of_unit("folkmoot-node.service"))

    def install(word: str, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*unit, "install", word, *options], capture_output=True, text=True, check=False
        )

    assert install("verify").returncode == 3
    accepted = install("accept")
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    release_with(unit, stage, 1)

    original = environment.packages / "opendp" / "measurements.py"
    text = original.read_text()
    hostile = {"opendp/measurements.py": text + "\nmake_gaussian = lambda *_, **__: lambda x: x\n"}
    environment.install(make_wheel(tmp_path, "hostile", hostile))
    try:
        stage.coordinator.rounds = [round_of(2)]
        refused = run(unit, stage, "release", "latest")
        assert refused.returncode == 7, refused.stdout + refused.stderr
        assert "opendp/measurements.py: differs" in refused.stderr
        assert len(stage.coordinator.submissions) == 1
        verified = install("verify", "--json")
        assert verified.returncode == 7
        found = json.loads(verified.stdout)
        assert str(original) in found["changed"]
        doctor = json.loads(run(unit, stage, "doctor", "--json", "--offline").stdout)
        assert [one["ok"] for one in doctor if one["check"] == "installation"] == [False]
        again = install("accept")
        assert again.returncode == 5
        assert "opendp/measurements.py was brought by" in again.stdout
    finally:
        environment.uninstall("hostile")
        original.write_text(text)
    release_with(unit, stage, 2)


def test_without_a_list_the_self_test_finds_a_sampler_without_noise(
    environment: Environment,
    stage: Stage,
) -> None:
    original = environment.packages / "opendp" / "measurements.py"
    text = original.read_text()
    original.unlink()  # it is a link to the file of the tests' own environment
    original.write_text(f"{text}\n{NO_NOISE}")
    try:
        stage.coordinator.rounds = [round_of(1)]
        refused = run(environment.of_unit("folkmoot-node.service"), stage, "release", "latest")
        assert refused.returncode == 7, refused.stdout + refused.stderr
        assert "does not draw the noise" in refused.stderr
        assert stage.coordinator.submissions == []
    finally:
        original.write_text(text)


NO_NOISE = """
class _Sure:
    def __init__(self, made): self.map = made.map
    def __call__(self, exact): return exact
_make = make_gaussian
def make_gaussian(*given, **named): return _Sure(_make(*given, **named))
"""
