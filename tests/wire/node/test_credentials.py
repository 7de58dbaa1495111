"""Keys that a service manager hands over: read in place of files, and never written."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage import Stage

from folkmoot_node.home import open_home
from folkmoot_node.operations.retention import expired, purge
from folkmoot_node.store.use import open_scores
from folkmoot_operator.prefect_history import outside_environment
from folkmoot_operator.prefect_process import password
from folkmoot_operator.prefect_settings import PrefectSettings
from folkmoot_operator.problems import Problem
from tests.commands import run_inside


def hand_over(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    (folder / name).write_bytes(content)
    (folder / name).chmod(0o400)
    folder.chmod(0o500)


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "credentials"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder


@pytest.fixture
def handed_over(stage: Stage, credentials: Path) -> Path:
    """The store's key, which is no file of the home any more."""
    own = stage.home / "keys" / "store.key"
    hand_over(credentials, own.name, own.read_bytes())
    own.unlink()
    return credentials / own.name


def test_scores_are_read_and_made_with_a_credential(stage: Stage, handed_over: Path) -> None:
    with open_home(stage.home) as home, open_scores(home.config, home.today()) as store:
        assert store.run.households
    run_inside("folkmoot-node", "score", "--home", stage.home).said()
    assert not (stage.home / "keys" / "store.key").exists()
    said = run_inside("folkmoot-node", "doctor", "--offline", "--home", stage.home).said(None)
    assert "FAIL store" not in said
    handed_over.parent.chmod(0o700)
    handed_over.unlink()
    missing = run_inside("folkmoot-node", "explain", "10000001", "--home", stage.home)
    assert missing.code == 3
    assert "store.key" in missing.stderr


def test_a_credential_that_others_can_read_stops_the_command(
    stage: Stage, handed_over: Path
) -> None:
    handed_over.chmod(0o444)
    refused = run_inside("folkmoot-node", "score", "--home", stage.home)
    assert refused.code == 3
    assert "is no credential as systemd hands it over" in refused.stderr


def test_a_purge_says_that_it_cannot_destroy_a_credential(stage: Stage, handed_over: Path) -> None:
    before = handed_over.read_bytes()
    policy = stage.home / "risk-policy.toml"
    with open_home(stage.home) as home:
        from dataclasses import replace

        late = replace(home, clock=lambda: 4_102_444_800 + 400 * 86_400)  # 2101
        found = expired(late)
        assert found, policy.read_text()
        done = purge(late, found, "a test")
    assert done.key_to_replace
    assert not done.key_replaced
    assert handed_over.read_bytes() == before
    assert not (stage.home / "keys" / "store.key").exists()
    assert not (stage.home / "store" / "households.duckdb").exists()


def test_prefect_s_password_is_a_credential_on_both_sides(
    credentials: Path, tmp_path: Path
) -> None:
    secret = b"folkmoot:0123456789012345678901"
    hand_over(credentials, "prefect.auth", secret + b"\n")
    settings = PrefectSettings(url="http://127.0.0.1:4200")
    variables = outside_environment(settings, tmp_path / "prefect", tmp_path)
    assert variables["PREFECT_API_AUTH_STRING"] == secret.decode()
    assert password(tmp_path / "prefect") == secret.decode()
    assert not (tmp_path / "prefect" / "auth").exists()
    hand_over(credentials, "prefect.auth", b"folkmoot:short")
    with pytest.raises(Problem, match="too short"):
        password(tmp_path / "prefect")
