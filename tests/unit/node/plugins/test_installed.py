"""What any wheel may say of itself stops no command, and reaches no terminal."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from folkmoot_node.plugins.installed import installed_plugins

SOUND = "Metadata-Version: 2.1\nName: meters\nVersion: 1.0\n"
POINTS = "[folkmoot]\nmeters = meters\n"


def install(folder: Path, about: str | None, points: bytes) -> None:
    made = folder / "meters-1.0.dist-info"
    made.mkdir()
    (made / "entry_points.txt").write_bytes(points)
    if about is not None:
        (made / "METADATA").write_text(about)


def test_a_sound_one_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, SOUND, POINTS.encode())
    before = installed_plugins()
    monkeypatch.syspath_prepend(tmp_path)
    (one,) = set(installed_plugins()) - set(before)
    assert (one.distribution, one.version) == ("meters", "1.0")


@pytest.mark.parametrize(
    ("about", "points"),
    [
        (None, POINTS),
        (SOUND.replace("Name: meters\n", ""), POINTS),
        (SOUND.replace("Version: 1.0\n", ""), POINTS),
        (SOUND.replace("1.0", "1.0\x1b[2J"), POINTS),
        (SOUND.replace("1.0", "1.0\n 2"), POINTS),
        (SOUND.replace("meters", "me\x1b[2Jters"), POINTS),
        (SOUND, "[folkmoot]\nnothing\n"),
        (SOUND, "[other]\nnothing\n"),
        (SOUND, "[folkmoot]\nme\x1b[2Jters = meters\n"),
        (SOUND, "[folkmoot]\n\udcff = meters\n"),
    ],
)
def test_one_that_says_nonsense_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, about: str | None, points: str
) -> None:
    install(tmp_path, about, points.encode("utf-8", "surrogateescape"))
    before = installed_plugins()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert installed_plugins() == before
