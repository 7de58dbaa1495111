"""A node is made for a council, and says where that council is doubtful."""

import pytest
from typer.testing import CliRunner

from folkmoot.geography import GssCode
from folkmoot_node.cli import app
from folkmoot_node.operations.council_codes import _CHANGES, _ISSUED, doubt_about_council
from folkmoot_operator.problems import ExitCode, Problem


def init(home, council):
    return CliRunner().invoke(
        app, ["init", "--home", str(home), "--council", council, "--name", "Example"]
    )


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("E07000026", "ended on 1 April 2023; its homes are those of Cumberland (E06000063) now"),
        ("E07000246", "Somerset (E06000066)"),
        ("E08000016", "Barnsley (E08000038)"),
        ("E07000097", "E07000097 ended; its homes are those of East Hertfordshire (E07000242)"),
        ("E08000099", "is not among the codes of councils that ONS had issued"),
        ("W06000025", "is not among the codes"),
        ("E09000034", "is not among the codes"),
        ("N09000000", "is not among the codes"),
    ],
)
def test_a_doubtful_council_is_named_and_its_node_made(tmp_path, code, said):
    done = init(tmp_path, code)
    assert done.exit_code == 0, done.output
    assert said in done.stderr
    assert (tmp_path / "node.toml").exists()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("E01006151", "is an LSOA or data zone, not a council"),
        ("E10000006", "is a county, not a council"),
        ("E05000650", "is a ward, not a council"),
        ("E12000002", "is a region, not a council"),
        ("S01006506", "is an LSOA or data zone, not a council"),
        ("W92000004", "is a country, not a council"),
        ("E99999999", "is not the code of a council"),
        ("E14000560", "is not the code of a council"),
    ],
)
def test_what_is_no_council_is_refused_and_nothing_made(tmp_path, code, said):
    home = tmp_path / "home"
    done = init(home, code)
    assert isinstance(done.exception, Problem)
    assert done.exception.exit_code is ExitCode.USAGE
    assert said in done.exception.problem
    assert not home.exists()


@pytest.mark.parametrize("code", ["E08000009", "W06000015", "S12000033", "N09000003", "E06000065"])
def test_a_council_that_exists_is_no_matter(tmp_path, code):
    done = init(tmp_path, code)
    assert (done.exit_code, done.stderr) == (0, "")


def test_what_stands_in_the_place_of_others_was_issued():
    """Each successor is a council's code of the list, and exists or has a successor itself."""
    for change in _CHANGES:
        assert "among" not in doubt_about_council(GssCode(change.code), "code")
        first, last = _ISSUED[change.code[:3]]
        assert first <= int(change.code[3:]) <= last
    ended = [code for change in _CHANGES for code in change.before]
    assert len(ended) == len(set(ended))
