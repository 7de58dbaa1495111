"""The release policy: strict keys, no default loss, a signature that holds."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from folkmoot.privacy import Rho
from folkmoot_node.policies.release_policy import load_signed, load_unsigned, sign
from folkmoot_node.policies.signed_document import signature_path
from folkmoot_operator.problems import ExitCode, Problem

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    text = (
        resources.files("folkmoot_node.operations")
        .joinpath("templates/release-policy.toml")
        .read_text()
    )
    path = tmp_path / "release-policy.toml"
    path.write_text(
        text.replace("@COUNCIL@", "E08000009")
        .replace("@SUNSET@", "2027-03-31")
        .replace("@ATTRIBUTES@", '"band"')
        .replace("@PER_ROUND@", "per_round = 0.5")
        .replace("@PER_PERIOD@", "per_period = 1")
        .replace("@LIFETIME@", "lifetime = 4")
    )
    return path


def test_a_signed_policy_loads(file: Path) -> None:
    sign(file, KEY.private_bytes_raw(), 'A. "Khan" \\ DPO', 1_800_000_000)
    signed = load_signed(file, PUBLIC)
    assert signed.policy.loss.per_round == Rho.of("0.5")
    assert signed.signer == "A. 'Khan' / DPO"


def refuses(file: Path, *words: str) -> None:
    with pytest.raises(Problem) as caught:
        load_signed(file, PUBLIC)
    assert caught.value.exit_code is ExitCode.SETTINGS
    for word in words:
        assert word in f"{caught.value} {caught.value.remedy}"


def test_unsigned_is_refused(file: Path) -> None:
    refuses(file, "not signed", "policy sign")


def test_changed_after_signing_is_refused(file: Path) -> None:
    sign(file, KEY.private_bytes_raw(), "DPO", 1)
    file.write_text(file.read_text().replace("per_round = 0.5", "per_round = 0.9"))
    refuses(file, "changed after it was signed")


def test_a_signature_by_another_key_is_refused(file: Path) -> None:
    sign(file, OTHER.private_bytes_raw(), "Somebody", 1)
    refuses(file, "does not trust")


def test_a_forged_signer_is_refused(file: Path) -> None:
    sign(file, KEY.private_bytes_raw(), "DPO", 1)
    sidecar = signature_path(file)
    sidecar.write_text(sidecar.read_text().replace('"DPO"', '"Chief Executive"'))
    refuses(file, "not valid")


@pytest.mark.parametrize(
    "before, after, words",
    [
        ("per_round = 0.5", "per_rond = 0.5", ("per_rond", "did you mean 'per_round'")),
        ("per_round = 0.5", "# per_round = 0.5", ("loss.per_round is missing",)),
        ("per_round = 0.5", "per_round = 0", ("loss.per_round", "zero")),
        ("per_round = 0.5", "per_round = 1.5", ("per_period is smaller",)),
        ("lifetime = 4", "# lifetime = 4", ("loss.lifetime is missing",)),
        ("lifetime = 4", "lifetime = 0.999", ("lifetime is smaller",)),
        ("per_round = 0.5", "per_round = true", ("decimal number",)),
        ("maximum_delta", "maximum_delt", ("maximum_delt", "maximum_delta")),
        ('"E08000009"', '"Trafford"', ("not a GSS code",)),
        ('"winter_support"', '"Winter support!"', ("not an identifier",)),
        ("schema = 1", "schema = 2", ("schema",)),
        ("sunset = 2027-03-31", "sunset = 2027-02-31", ("TOML",)),
    ],
)
def test_mistakes_are_named(file: Path, before: str, after: str, words: tuple[str, ...]) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))
    with pytest.raises(Problem) as caught:
        load_unsigned(file)
    assert caught.value.exit_code is ExitCode.SETTINGS
    for word in words:
        assert word in str(caught.value)
