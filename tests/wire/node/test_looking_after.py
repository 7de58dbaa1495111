"""Every command block of docs/looking-after.md does what the page says, in the page's order."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from stage import COUNCIL, Stage

from folkmoot_coordinator.cli.options import open_home
from folkmoot_coordinator.membership.certificate_authority import IssuedCertificate
from folkmoot_coordinator.membership.councils import record_certificate
from folkmoot_node.federation.identity import KeyFiles
from tests.commands import run_inside

PAGE = Path(__file__).parents[3] / "docs" / "looking-after.md"
BLOCKS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    return [line for block in BLOCKS.findall(PAGE.read_text()) for line in block.splitlines()]


def test_the_page_has_commands_of_every_subject() -> None:
    found = " ".join(commands())
    for word in ("status", "doctor --fix", "pause", "resume", "incident export", "leave verify"):
        assert word in found
    assert "```" not in BLOCKS.sub("", PAGE.read_text()), "a block that this test does not run"


@pytest.mark.slow
def test_the_commands_work_as_they_stand(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    region = tmp_path / "region"
    run_inside(
        "folkmoot-coordinator", "init", "--home", region, "--name", "Test", "--host", "localhost"
    ).said()
    shown = x509.load_pem_x509_certificate(KeyFiles(stage.home / "keys").certificate.read_bytes())
    _, database = open_home(region)
    with database.writing() as session:
        record_certificate(
            session,
            IssuedCertificate(
                council=COUNCIL,
                serial=f"{shown.serial_number:x}",
                certificate=shown.public_bytes(Encoding.DER),
                key_digest=bytes(32),
                issued_at=int(shown.not_valid_before_utc.timestamp()),
                expires_at=int(shown.not_valid_after_utc.timestamp()),
            ),
        )
    database.close()
    monkeypatch.setenv("FOLKMOOT_NODE_HOME", str(stage.home))
    monkeypatch.setenv("FOLKMOOT_COORDINATOR_HOME", str(region))
    monkeypatch.chdir(stage.home)
    for command in commands():
        program, *arguments = shlex.split(command)
        # Ports of the region are closed here: its doctor says so, and does the rest.
        lenient = arguments[0] == "doctor"
        run_inside(program, *arguments).said(None if lenient else 0)
    found = json.loads(run_inside("folkmoot-coordinator", "councils", "--json").said())
    assert [one["valid_certificates"] for one in found] == [0]
    assert (stage.home / "incidents.json").exists()
