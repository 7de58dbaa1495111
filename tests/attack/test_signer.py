"""Who runs as the node's account tries to release under a policy that the council did not sign."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from stage import Stage, ask

from folkmoot import round_codec
from folkmoot.privacy import Rho
from folkmoot_node.policies.release_policy import sign
from tests.commands import Done
from tests.own_etc import make_etc, missing, run_with_etc

NODE = "folkmoot-node"
NOBODY = 65534

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "-")


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    return make_etc(tmp_path)


@pytest.fixture
def run(etc: Path, stage: Stage) -> Callable[..., Done]:
    def run_(*words: object, account: int = 0, home: Path | None = None) -> Done:
        place = ("--home", home or stage.home)
        return run_with_etc(etc, NODE, *words, *place, account=account)

    return run_


@pytest.fixture
def key(stage: Stage, run: Callable[..., Done]) -> bytes:
    """The council's key, pinned by root and taken off the machine."""
    private = stage.home / "keys" / "policy-signing.key"
    key = bytes.fromhex(private.read_text())
    run("policy", "pin").said()
    private.unlink()
    return key


def raise_the_limits(home: Path) -> Path:
    policy = home / "release-policy.toml"
    text = policy.read_text()
    for limit in ("per_round", "per_period", "lifetime"):
        text = "\n".join(
            f"{limit} = 1000" if line.startswith(limit) else line for line in text.splitlines()
        )
    policy.write_text(text + "\n")
    return policy


def sign_with_a_key_of_its_own(home: Path) -> None:
    own = Ed25519PrivateKey.generate()
    (home / "keys" / "policy-signing.key").write_text(own.private_bytes_raw().hex())
    public = own.public_key().public_bytes_raw().hex()
    (home / "keys" / "policy-signing.pub").write_text(public)
    sign(raise_the_limits(home), own.private_bytes_raw(), "A plugin", 1_790_000_002)


def move_the_policy(home: Path) -> None:
    """The settings name another policy, signed by the account's own key."""
    sign_with_a_key_of_its_own(home)
    for end in ("", ".sig"):
        (home / f"release-policy.toml{end}").rename(home / f"mine.toml{end}")
    settings = home / "node.toml"
    settings.write_text(settings.read_text().replace('"release-policy.toml"', '"mine.toml"'))


def edit_the_signature(home: Path) -> None:
    sign_with_a_key_of_its_own(home)
    signature = home / "release-policy.toml.sig"
    signature.write_text(
        "\n".join(
            f'public_key = "{PINNED[0]}"' if line.startswith("public_key") else line
            for line in signature.read_text().splitlines()
        )
    )


PINNED: list[str] = []


@pytest.mark.parametrize(
    "attack", [sign_with_a_key_of_its_own, move_the_policy, edit_the_signature]
)
def test_a_policy_by_another_key_releases_nothing(
    stage: Stage,
    run: Callable[..., Done],
    key: bytes,
    attack: Callable[[Path], None],
) -> None:
    PINNED[:] = [Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw().hex()]
    attack(stage.home)
    stage.coordinator.rounds = [round_codec.encode_round(ask(1, loss=Rho.of("500")))]
    assert run("release", "latest").code == 3
    assert run("serve", "--until-idle", "--poll-seconds", "0.1").code == 3
    assert run("policy", "verify").code == 3
    assert stage.coordinator.submissions == []
    found = {
        item["check"]: item for item in json.loads(run("doctor", "--json", "--offline").stdout)
    }
    assert not found["release policy"]["ok"]
    assert PINNED[0] in found["signer"]["detail"]


def test_without_a_pin_it_would_have_been_released(
    stage: Stage,
    run: Callable[..., Done],
) -> None:
    """The attack is real, so `doctor`, `policy show` and the statement say that there is no pin."""
    sign_with_a_key_of_its_own(stage.home)
    stage.coordinator.rounds = [round_codec.encode_round(ask(1, loss=Rho.of("500")))]
    assert "The signer is not pinned" in run("release", "latest").said()
    assert len(stage.coordinator.submissions) == 1
    assert "signer not pinned" in run("policy", "show").said()
    assert "signer not pinned" in run("doctor", "--offline").said(None)


def test_the_councils_own_policy_is_answered_under_the_pin(
    stage: Stage,
    run: Callable[..., Done],
    key: bytes,
    tmp_path: Path,
) -> None:
    stage.coordinator.rounds = [round_codec.encode_round(ask(1))]
    said = run("release", "latest").said()
    assert "not pinned" not in said
    assert len(stage.coordinator.submissions) == 1
    kept = tmp_path / "key-kept-elsewhere"
    kept.write_text(key.hex())
    run("policy", "sign", "--signer", "DPO", "--key", kept).said()
    shown = json.loads(run("policy", "show", "--json").said())
    public = Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw().hex()
    assert shown["signer"]["pinned"]
    assert shown["signer"]["key"] == public


def test_a_link_in_the_folders_place_does_not_lead_past_the_pin(
    stage: Stage,
    run: Callable[..., Done],
    tmp_path: Path,
) -> None:
    link = tmp_path / "link"
    link.symlink_to(stage.home)
    run("policy", "pin", home=link).said()
    copy = tmp_path / "copy"
    shutil.copytree(stage.home, copy)
    sign_with_a_key_of_its_own(copy)
    link.unlink()
    link.symlink_to(copy)
    assert run("policy", "verify", home=link).code == 3


def chowned(path: Path) -> None:
    os.chown(path, NOBODY, NOBODY)


def opened(path: Path) -> None:
    path.chmod(0o666)


def opened_folder(path: Path) -> None:
    path.parent.chmod(0o777)


def chowned_folder_above(path: Path) -> None:
    os.chown(path.parent.parent, NOBODY, NOBODY)


def linked(path: Path) -> None:
    elsewhere = path.parents[2] / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def linked_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "nowhere")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def no_key(path: Path) -> None:
    path.write_bytes(b"\xff\xfe" * 40)


def folder_in_its_place(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [
        chowned, opened, opened_folder, chowned_folder_above, linked, linked_nowhere, empty, no_key,
        folder_in_its_place,
    ],
)  # fmt: skip
def test_a_pin_that_others_could_have_made_stops_the_node(
    stage: Stage,
    run: Callable[..., Done],
    key: bytes,
    etc: Path,
    spoil: Callable[[Path], None],
) -> None:
    [pin] = (etc / "folkmoot" / "signers").iterdir()
    spoil(pin)
    stage.coordinator.rounds = [round_codec.encode_round(ask(1))]
    refused = run("release", "latest")
    assert refused.code == 3, refused
    assert "Traceback" not in refused.stderr
    assert "Remedy:" in refused.stderr
    assert stage.coordinator.submissions == []


def test_the_account_is_told_what_root_types_and_it_pins(
    stage: Stage,
    run: Callable[..., Done],
    open_folder: Path,
    etc: Path,
) -> None:
    home = open_folder / "srv folkmoot"
    shutil.copytree(stage.home, home)
    for path in (home, *home.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    said = run("policy", "pin", account=NOBODY, home=home).said()
    assert not (etc / "folkmoot").exists()
    commands = [line.strip() for line in said.splitlines() if line.startswith("  ")]
    for command in commands:
        done = os.system(command.replace("sudo ", "").replace("/etc/", f"{etc}/"))
        assert done == 0, command
    assert "signer pinned" in run("policy", "show", account=NOBODY, home=home).said()


def test_a_second_key_is_pinned_only_when_asked_for(
    run: Callable[..., Done],
    key: bytes,
    tmp_path: Path,
) -> None:
    other = Ed25519PrivateKey.generate()
    file = tmp_path / "other.pub"
    file.write_text(other.public_key().public_bytes_raw().hex())
    assert run("policy", "pin", "--key", file).code == 5
    assert run("policy", "verify").code == 0
    run("policy", "pin", "--key", file, "--replace").said()
    assert run("policy", "verify").code == 3


def test_a_change_of_signer_is_in_the_ledger(
    stage: Stage,
    run: Callable[..., Done],
) -> None:
    limits = {"loss": Rho.of("0.1")}
    stage.coordinator.rounds = [round_codec.encode_round(ask(1, **limits))]
    run("release", "latest").said()
    before = json.loads(run("ledger", "show", "--json").said())
    assert len(before["signers"]) == 1
    sign_with_a_key_of_its_own(stage.home)
    stage.coordinator.rounds = [round_codec.encode_round(ask(2, **limits))]
    run("release", "latest").said()
    after = json.loads(run("ledger", "show", "--json").said())
    public = (stage.home / "keys" / "policy-signing.pub").read_text()
    assert [one["key"] for one in after["signers"]] == [before["signers"][0]["key"], public]
    assert f"to {public}" in run("ledger", "show").said()
    assert "changes of signer in the ledger: 1" in run("doctor", "--offline").said(None)
