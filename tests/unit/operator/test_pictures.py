"""Charts as text of an SVG file."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from folkmoot_operator import pictures
from folkmoot_operator.pictures import draw_svg, save_chart
from folkmoot_operator.problems import ExitCode, Problem

EXTRA = ("folkmoot-node", "audit")


def chart(name: str) -> Any:
    altair = pytest.importorskip("altair")
    data = altair.InlineData(values=[{"name": name, "value": 1}])
    return altair.Chart(data, title=name).mark_bar().encode(x="value:Q", y="name:N")


def test_names_of_others_stay_text() -> None:
    drawn = draw_svg(lambda: chart("<script>&\x07\ud800"), EXTRA, "--html")
    assert "<script>" not in drawn
    assert "\ufffd" in "".join(ElementTree.fromstring(drawn).itertext())


def test_a_file_has_no_character_that_ends_who_draws_it(tmp_path: Path) -> None:
    path = tmp_path / "plot.svg"
    save_chart(lambda: chart("a\x07b"), path, EXTRA)
    assert "a\ufffdb" in "".join(ElementTree.parse(path).getroot().itertext())


@pytest.mark.parametrize("library", ["altair", "vl_convert"])
def test_missing_libraries_are_said_with_their_extra(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = pictures.find_spec
    monkeypatch.setattr(
        pictures, "find_spec", lambda name: None if name == library else found(name)
    )
    with pytest.raises(Problem, match="Altair and vl-convert") as raised:
        draw_svg(lambda: chart("a"), EXTRA, "--html")
    assert raised.value.exit_code == ExitCode.USAGE
    assert "audit" in raised.value.remedy
