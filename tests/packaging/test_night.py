"""What runs only at night repeats what each run shows: no promise rests on the night alone.

`by_night` marks parameters of a test and leaves some to the day. As nothing else may set the mark,
each test that SECURITY, the README or docs name runs in CI too.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.night import by_night

ROOT = Path(__file__).parents[2]
MARK = re.compile(r"\bmark\s*\.\s*night\b|[\"']night[\"']")
KNOWN = {
    "tests/night.py": "the mark is set here",
    "tests/conftest.py": "and looked at here",
    "tests/packaging/test_night.py": "",
}


def marking(folder: Path) -> set[str]:
    """Modules that set the mark by themselves."""
    return {
        str(path.relative_to(folder))
        for path in (folder / "tests").rglob("*.py")
        if MARK.search(path.read_text("utf-8"))
    }


def test_no_test_is_marked_as_a_whole() -> None:
    assert marking(ROOT) <= set(KNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "@pytest.mark.night\ndef test_promise(): pass\n",
        "pytestmark = [pytest.mark.slow, pytest.mark.night]\n",
        "item.add_marker('night')\n",
    ],
)
def test_a_promise_left_to_the_night_would_be_seen(tmp_path: Path, text: str) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_promise.py").write_text(text)
    assert marking(tmp_path) == {"tests/test_promise.py"}


def test_some_cases_stay_by_day() -> None:
    first, *later = by_night(range(3))
    assert first == 0
    assert [one.values for one in later] == [(1,), (2,)]
    for cases, by_day in ((range(3), 0), ([], 1)):
        with pytest.raises(ValueError, match="by day"):
            by_night(cases, by_day=by_day)


def test_the_night_is_left_out(request: pytest.FixtureRequest) -> None:
    if "FOLKMOOT_NIGHT" not in os.environ:
        left = [one for one in request.session.items if one.get_closest_marker("night")]
        assert left == []
