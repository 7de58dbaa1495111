"""What scrutiny gives away or does where names and folders are hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot_node.cli.dossier import _show
from folkmoot_node.scrutiny.differences import Difference, Kind
from folkmoot_node.scrutiny.documents.reading import Reading
from folkmoot_node.scrutiny.facts import Provenance
from folkmoot_node.scrutiny.gather.reporting import Reporter, fact_base
from folkmoot_node.scrutiny.public.site import PAGE, write_site
from folkmoot_operator.plain_text import is_plain
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.scrutiny.test_public_page import published


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("/srv/council/policies/risk.toml", "risk.toml"),
        ("vendor-1.0.dist-info/RECORD", "vendor-1.0.dist-info/RECORD"),
        ("store/households.duckdb, table run", "store/households.duckdb, table run"),
    ],
)
def test_a_document_names_no_folder_of_the_machine(place: str, said: str) -> None:
    made = Reporter(Provenance(place, "ab" * 32))("node.name", "Name", "Trafford")
    assert Reading(fact_base([made], 0)).used(made).place == said


def test_a_link_in_the_published_folder_is_not_written_through(tmp_path: Path) -> None:
    """Who serves the folder can write to it, and the node's account can write elsewhere."""
    other, out = tmp_path / "node.toml", tmp_path / "public"
    other.write_text("schema = 1")
    out.mkdir()
    (out / PAGE).symlink_to(other)
    with pytest.raises(Problem, match="is a link") as caught:
        write_site(published(), out)
    assert caught.value.exit_code is ExitCode.USAGE
    assert other.read_text() == "schema = 1"
    (out / PAGE).unlink()
    for path in write_site(published(), out):
        assert path.stat().st_mode & 0o777 == 0o644


def test_a_hard_link_in_the_published_folder_keeps_its_content(tmp_path: Path) -> None:
    other, out = tmp_path / "node.toml", tmp_path / "public"
    other.write_text("schema = 1")
    out.mkdir()
    (out / PAGE).hardlink_to(other)
    write_site(published(), out)
    assert other.read_text() == "schema = 1"


def test_names_that_make_one_key_are_named_and_no_fault() -> None:
    """The gate gathers the same facts: a fault there would end a service, not one answer."""
    fact = Reporter(Provenance("casework-policy.toml"))
    twice = (fact("people.roles.team-lead", f"What {name} may do", ("see",)) for name in "ab")
    with pytest.raises(Problem, match=r"both make the key people\.roles\.team-lead") as caught:
        fact_base(twice, 0)
    assert caught.value.exit_code is ExitCode.SETTINGS


def test_a_change_is_shown_to_who_approves_and_steers_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A vendor's words could else hide the lines above them."""
    words = "The factor a was added (title: \x1b[2J\x1b[A\u202e)."
    _show([Difference(Kind.ADDED, "policy.risk.factors.a", (), words, None, {})], err=True)
    said = capsys.readouterr().err
    assert "The factor a was added" in said
    assert is_plain(said)
