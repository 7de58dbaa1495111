"""coordinator.toml."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from folkmoot_coordinator.config import CoordinatorSettings, settings_text
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import parse

TEXT = settings_text('The "North"', ("folkmoot.example.gov.uk", "::1"), "0.0.0.0", 7443, 7444)


def read(text: str) -> CoordinatorSettings:
    return parse(CoordinatorSettings, text.encode(), "coordinator.toml")


def problem(text: str) -> str:
    with pytest.raises(Problem) as caught:
        read(text)
    assert caught.value.exit_code is ExitCode.SETTINGS
    return caught.value.problem


def test_the_file_that_init_writes_is_read_back() -> None:
    settings = read(TEXT)
    assert settings.region == 'The "North"'
    assert settings.hosts == ("folkmoot.example.gov.uk", "::1")
    assert settings.collection.address == "folkmoot.example.gov.uk:7443"
    assert settings.enrolment.listen == "0.0.0.0:7444"
    assert settings.certificates.node_days == 30


def test_it_names_the_installer_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = tmp_path / "releases" / "0.1.0"
    release.mkdir(parents=True)
    (tmp_path / "install.sh").touch()
    monkeypatch.setattr(sys, "prefix", str(release))
    text = settings_text("North", ("::1",), "127.0.0.1", 7443, 7444)
    assert f"\n# It needs `sh {tmp_path}/install.sh upgrade " in text
    assert "pip install" not in text


def test_the_defaults_written_out_are_the_defaults() -> None:
    lines = TEXT.splitlines()
    cut = lines.index("[certificates]")
    assert read(TEXT) == read("\n".join(lines[:cut]))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("node_days", "node_day"), "did you mean 'node_days'?"),
        (("schema = 1", "schema = 2"), "schema"),
        (("node_days = 30", "node_days = 0"), "certificates.node_days"),
        ((':7443"  #', '"  #'), "is not an address"),
        ((':7443"  #', ':70000"  #'), "is not an address"),
        (('address = "folkmoot', 'address = "elsewhere'), "not among hosts"),
        (("0.0.0.0:7444", "0.0.0.0:7443"), "listen on the same port"),
        (('"::1"]', '"not a host"]'), "neither a host name nor an IP address"),
        (('"::1"]', '"0.0.0.0"]'), "hosts[1]: 0.0.0.0 means every address"),
        (('address = "folkmoot.example.gov.uk:7443', 'address = "[::]:7443'), "every address"),
        (('gov.uk:7444"', 'gov.uk:7443"'), "the addresses of both ports are the same"),
    ],
)
def test_what_is_wrong_is_named(change: tuple[str, str], says: str) -> None:
    assert change[0] in TEXT
    assert says in problem(TEXT.replace(*change))


def test_councils_have_names_as_far_as_they_are_known() -> None:
    text = settings_text("North", ("127.0.0.1",), "127.0.0.1", 7443, 7444)
    named = parse(
        CoordinatorSettings,
        f'{text}\n[names]\nE08000009 = "Trafford"\n'.encode(),
        "coordinator.toml",
    )
    assert named.label("E08000009") == "E08000009 Trafford"
    assert named.label("E08000002") == "E08000002"
    with pytest.raises(Problem, match="is not a GSS code"):
        parse(
            CoordinatorSettings,
            f'{text}\n[names]\nTrafford = "E08000009"\n'.encode(),
            "coordinator.toml",
        )
