"""The region's keys may be credentials of its service."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot_coordinator.membership.certificate_authority import Authority
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator.problems import Problem


def test_both_keys_are_read_from_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, credentials = tmp_path / "keys", tmp_path / "credentials"
    keys.mkdir(mode=0o700)
    credentials.mkdir(mode=0o700)
    authority, signing = Authority.create(keys, "Test", 1_790_000_000), SigningKey.create(keys)
    for name in ("authority.key", "signing.key"):
        (keys / name).rename(credentials / name)
        (credentials / name).chmod(0o400)
    credentials.chmod(0o500)
    for load in (Authority.load, SigningKey.load):
        with pytest.raises(Problem, match="is missing"):
            load(keys)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert Authority.load(keys).pem == authority.pem
    assert SigningKey.load(keys).public == signing.public
    (credentials / "signing.key").chmod(0o404)
    with pytest.raises(Problem, match="is no credential"):
        SigningKey.load(keys)
