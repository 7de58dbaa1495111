"""A list of checks, one of which fails, goes on to its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot_operator.checks import (
    Check,
    Finding,
    State,
    examine,
    exit_code,
    open_to_others,
)
from folkmoot_operator.problems import ExitCode, Problem

FINE = Check("fine", lambda: "all is well")


class Advised(Exception):
    """An error of a library that says what to do."""

    remedy = "Turn it off"


def raising(error: Exception) -> Check:
    def look() -> str:
        raise error

    return Check("broken", look)


def several() -> Iterator[Finding]:
    yield Finding("door", State.OK, "shut")
    yield Finding("window", State.WARN, "ajar", "Shut it")
    raise Problem("is missing", where="roof", remedy="Build one", exit_code=ExitCode.DATA)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            Problem("is torn", where="sail", remedy="Sew it", exit_code=ExitCode.DATA),
            Finding("broken", State.FAIL, "is torn", "Sew it", "sail"),
        ),
        (Advised("too hot"), Finding("broken", State.FAIL, "too hot", "Turn it off")),
        (
            ValueError("Mrs Smith, 1 High Street"),
            Finding(
                "broken",
                State.FAIL,
                "ValueError",
                "Report it: this is a fault of Folkmoot or of a plugin",
            ),
        ),
    ],
)
def test_what_a_check_raises_is_a_finding_and_the_others_run(
    error: Exception, expected: Finding
) -> None:
    fine = Finding("fine", State.OK, "all is well")
    assert list(examine([FINE, raising(error), FINE])) == [fine, expected, fine]


def test_a_check_may_find_several_things_before_it_fails() -> None:
    found = list(examine([Check("house", several), FINE]))
    assert [(one.name, one.state) for one in found] == [
        ("door", State.OK),
        ("window", State.WARN),
        ("house", State.FAIL),
        ("fine", State.OK),
    ]
    assert exit_code(found) is ExitCode.SETTINGS
    assert exit_code(found[:2]) is ExitCode.OK, "a warning is no failure"


@pytest.mark.parametrize(("mode", "expected"), [(0o600, False), (0o640, True), (0o602, True)])
def test_a_file_that_others_can_use(tmp_path: Path, mode: int, expected: bool) -> None:
    path = tmp_path / "key"
    path.touch()
    path.chmod(mode)
    assert open_to_others([path]) == [path] * expected
