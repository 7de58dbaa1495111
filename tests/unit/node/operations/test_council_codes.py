"""A node is made for a council, and says where that council is doubtful."""

import pytest
from typer.testing import CliRunner

from folkmoot.council_codes import BEGINNINGS, council_list
from folkmoot_node.cli import app
from folkmoot_node.operations.doctor import examine
from folkmoot_operator.checks import State
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.geography import LEVELS


def init(home, council):
    return CliRunner().invoke(
        app, ["init", "--home", str(home), "--council", council, "--name", "Example"]
    )


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("E07000026", "ended on 1 April 2023; its homes are those of Cumberland (E06000063) now"),
        ("E07000246", "Somerset (E06000066)"),
        ("E07000190", "those of Somerset (E06000066) now"),
        ("E07000013", "is not among the codes"),
        ("E08000016", "Barnsley (E08000038)"),
        ("E07000100", "E07000100 ended; its homes are those of St Albans (E07000240)"),
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


def test_the_node_and_the_list_agree_which_codes_are_councils():
    assert " ".join(BEGINNINGS) == LEVELS["district"][1]


def test_doctor_names_a_council_that_ended_and_a_newer_list_puts_it_right(tmp_path):
    init(tmp_path, "E07000207")
    settings = tmp_path / "node.toml"
    before = settings.read_text()
    (tmp_path / "newer.csv").write_text(
        "code,name,operative,ended,successors,source\n"
        "E07000207,Elmbridge,,2026-04-01,E06000099,An order\n"
        "E06000099,East Somewhere,2026-04-01,,,An order\n"
    )
    assert _finding(tmp_path).state is State.OK
    settings.write_text(before.replace("name =", 'council_list = "newer.csv"\nname =', 1))
    found = _finding(tmp_path)
    assert found.state is State.WARN
    assert "ended on 1 April 2026; its homes are those of East Somewhere (E06000099)" in found.what
    settings.write_text(
        before.replace("E07000207", "E06000099").replace(
            "name =", 'council_list = "newer.csv"\nname =', 1
        )
    )
    assert _finding(tmp_path).state is State.OK
    (tmp_path / "newer.csv").write_text("code,name\n")
    council_list.cache_clear()
    assert _finding(tmp_path).state is State.FAIL


def _finding(home):
    (found,) = (one for one in examine(home, offline=True) if one.name == "council")
    return found
