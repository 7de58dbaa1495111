"""Who is invited exists, no home is counted twice, and a second certificate is seen."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from folkmoot.geography import GssCode
from folkmoot.rejection import Rejected
from folkmoot_coordinator.operations.doctor import examine
from folkmoot_operator.checks import State
from folkmoot_operator.problems import ExitCode
from tests.commands import Done, run_inside

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Region

ALLERDALE, CUMBERLAND, TRAFFORD = map(GssCode, ("E07000026", "E06000063", "E08000009"))
ROUND = """\
purpose = "winter_support"
policy_digest = "{digest}"
councils = {councils}
minimum_councils = 1
rho = 0.5
delta = 1e-6
deadline_hours = 48
[[attributes]]
name = "band"
codes = ["none", "high"]
[[marginals]]
attributes = ["band"]
"""
SERIES = """\
[series]
rounds = 2
until = 2030-01-01
[series.event]
attribute = "band"
codes = ["high"]
"""


def command(region: Region, *arguments: object) -> Done:
    return run_inside("folkmoot-coordinator", *arguments, "--home", region.home.path)


def asks(folder: Path, councils: object, more: str = "") -> Path:
    file = folder / "round.toml"
    file.write_text(ROUND.format(digest="0" * 64, councils=json.dumps(councils)) + more)
    return file


@pytest.mark.parametrize("what, more", [("round", ""), ("series", SERIES)])
@pytest.mark.parametrize("verb", ["plan", "open"])
def test_a_council_and_its_successor_are_not_asked_together(
    region: Region, tmp_path: Path, what: str, verb: str, more: str
) -> None:
    refused = command(region, what, verb, asks(tmp_path, [CUMBERLAND, TRAFFORD, ALLERDALE], more))
    assert refused.code == ExitCode.SETTINGS
    assert "Allerdale (E07000026) and Cumberland (E06000063) are both invited" in refused.stderr
    assert "counted twice" in refused.stderr
    no_council = command(region, what, verb, asks(tmp_path, ["E05000650"], more))
    assert no_council.code == ExitCode.SETTINGS
    assert "E05000650 is not the code of a council" in no_council.stderr
    assert json.loads(command(region, "round", "list", "--json").said()) == []
    told = command(region, what, verb, asks(tmp_path, [ALLERDALE], more))
    assert told.code == 0
    assert "E07000026 ended on 1 April 2023" in " ".join((told.stdout + told.stderr).split())


def test_all_enrolled_are_not_asked_where_one_follows_another(
    region: Region, tmp_path: Path
) -> None:
    for council in (ALLERDALE, CUMBERLAND):
        region.certified(council)
    refused = command(region, "round", "open", asks(tmp_path, "all"))
    assert refused.code == ExitCode.SETTINGS
    assert "revoke the certificates of the one that ended" in refused.stderr
    found = [one for one in examine(region.home, region.clock) if one.name == "council codes"]
    assert [one.state for one in found] == [State.WARN, State.WARN]
    assert command(region, "councils", "revoke", ALLERDALE).code == 0
    assert command(region, "round", "open", asks(tmp_path, "all")).code == 0


def test_an_invitation_names_what_is_doubtful(region: Region, tmp_path: Path) -> None:
    def invite(*codes: str) -> Done:
        return command(region, "invite", *codes, "--out", tmp_path)

    refused = invite("E08000002", "E05000650")
    assert refused.code == ExitCode.USAGE
    assert "E05000650 is not the code of a council" in refused.stderr
    assert not list(tmp_path.glob("invitation-*"))
    assert invite("E08000002").stderr == ""
    assert "E07000026 ended" in invite(ALLERDALE).stderr
    assert "is not among the codes" in invite("E08000099").stderr
    region.certified(ALLERDALE)
    assert "have the same homes" in invite(CUMBERLAND).stderr
    (region.home.path / "newer.csv").write_text(
        "code,name,operative,ended,successors,source\nE08000099,Newtown,2026-04-01,,,An order\n"
    )
    settings = region.home.settings_file
    settings.write_text(
        settings.read_text().replace("schema = 1", 'council_list = "newer.csv"\nschema = 1')
    )
    assert invite("E08000099").stderr == ""
    settings.write_text(settings.read_text().replace("newer.csv", "absent.csv"))
    assert invite("E08000099").code == ExitCode.SETTINGS


def test_what_is_no_council_does_not_enrol(region: Region) -> None:
    with pytest.raises(Rejected, match="E05000650 is not the code of a council"):
        region.invite(GssCode("E05000650")).enrol()
    region.invite(GssCode("E08000099")).enrol()  # perhaps newer than the list


def test_every_certificate_of_a_council_is_shown(region: Region, tmp_path: Path) -> None:
    first = region.member(TRAFFORD)
    told = command(region, "invite", TRAFFORD, "--out", tmp_path)
    assert "E08000009 has 1 valid certificate already" in told.stderr
    second = region.member(TRAFFORD)
    assert "2 valid certificates" in command(region, "invite", TRAFFORD, "--out", tmp_path).stderr
    prints = set()
    for client in (first, second):
        assert client.certificate is not None
        digest = hashlib.sha256(client.certificate).hexdigest()
        known = x509.load_der_x509_certificate(client.certificate)
        shown = json.loads(command(region, "councils", "show", TRAFFORD, "--json").said())
        (entry,) = [one for one in shown["certificates"] if one["fingerprint"] == digest]
        assert entry["validity"] == "valid"
        assert entry["expires"].startswith(known.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M"))
        assert digest in "".join(command(region, "councils", "show", TRAFFORD).said().split())
        assert digest[:16] in command(region, "councils", "list").said()
        prints.add(digest)
    (listed,) = json.loads(command(region, "councils", "--json").said())
    assert listed["valid_certificates"] == 2
    assert {one["fingerprint"] for one in listed["certificates"]} == prints
    command(region, "councils", "revoke", TRAFFORD).said()
    shown = json.loads(command(region, "councils", "show", TRAFFORD, "--json").said())
    assert [one["validity"] for one in shown["certificates"]] == ["revoked", "revoked"]
    assert "none valid" in command(region, "councils", "list").said()
    assert command(region, "councils", "show", "E08000002").code == ExitCode.USAGE
