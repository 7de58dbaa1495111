"""Charts as text of an SVG file."""

from __future__ import annotations

import builtins
from typing import Any
from xml.etree import ElementTree

import pytest

from folkmoot_operator.pictures import draw_svg
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


@pytest.mark.parametrize("library", ["altair", "vl_convert"])
def test_missing_libraries_are_said_with_their_extra(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *others: Any, **more: Any) -> Any:
        if name == library:
            raise ImportError(name)
        return real(name, *others, **more)

    def draw() -> Any:
        import altair

        return altair.Chart(altair.InlineData(values=[])).mark_bar()

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Problem, match="Altair and vl-convert") as raised:
        draw_svg(draw, EXTRA, "--html")
    assert raised.value.exit_code == ExitCode.USAGE
    assert "audit" in raised.value.remedy
