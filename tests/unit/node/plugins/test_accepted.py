"""What runs beside a plugin before the lock is compared with what the council accepted."""

from __future__ import annotations

from importlib.metadata import Distribution
from pathlib import Path

import pytest

from folkmoot_kit.provenance.content import CACHE
from folkmoot_node.installation.accepted_imports import AcceptedFiles
from folkmoot_node.installation.lock import digest
from folkmoot_node.plugins import accepted
from folkmoot_operator.problems import ExitCode, Stop
from tests.plugin_council import MODULE, NAME, unpack, write_wheel


def test_each_file_of_code_is_compared_and_one_that_differs_stops_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site-packages"
    site.mkdir()
    unpack(write_wheel(tmp_path), site)
    installed = next(iter(Distribution.discover(name=NAME, path=[str(site)])))
    asked = []

    def find(name: str) -> Distribution:
        asked.append(name)
        return installed

    code = [path for path in site.rglob("*.py") if CACHE not in path.parts]
    digests = {str(path): digest(str(path)) for path in code}
    monkeypatch.setattr(accepted, "distribution", find)
    monkeypatch.setattr(accepted, "accepted_files", lambda: None)
    accepted.require_accepted([NAME])
    assert asked == [], "nothing was accepted here"

    def files() -> AcceptedFiles:
        return AcceptedFiles(digests, (site,), tmp_path / "lock", ())

    monkeypatch.setattr(accepted, "accepted_files", files)
    accepted.require_accepted([NAME])
    assert asked == [*accepted.BEFORE_THE_LOCK, NAME]
    assert len(code) > 1
    (site / MODULE / "scale.py").write_text("STEPS = ()\n")
    with pytest.raises(Stop) as raised:
        accepted.require_accepted([NAME])
    assert "scale.py: differs" in str(raised.value)
    assert raised.value.problem.exit_code is ExitCode.VERIFICATION
