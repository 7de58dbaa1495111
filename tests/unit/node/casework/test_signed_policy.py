"""The casework policy counts only as the person who decides has signed it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from folkmoot_node.casework.authority.conflicts import conflicts_of, conflicts_of_accounts
from folkmoot_node.casework.authority.permissions import CaseworkPermissions
from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.authority.signed_policy import (
    CASEWORK_POLICY,
    load_own_policy,
    load_signed_policy,
)
from folkmoot_node.casework.authority.signing import POLICY_SIGNED
from folkmoot_node.casework.settings import policy_path
from folkmoot_node.casework.site import build_casework
from folkmoot_node.federation.identity import KeyFiles
from folkmoot_node.policies.release_policy import RELEASE_POLICY
from folkmoot_node.policies.signed_document import sign_document, signature_path
from folkmoot_operator.problems import ExitCode, Problem
from tests.casework_council import CaseworkCouncil, serving_council
from tests.commands import Done, run_inside
from tests.web_site import Browser, RunningSite

NOW = 1_790_000_000


def casework(council: CaseworkCouncil, *words: object) -> Done:
    return run_inside("folkmoot-node", "casework", *words, "--home", council.home)


def private_key(council: CaseworkCouncil) -> bytes:
    return bytes.fromhex(KeyFiles.of(council.home).policy_key.read_text())


def unsigned(council: CaseworkCouncil) -> None:
    signature_path(policy_path(council.config)).unlink()


def changed(council: CaseworkCouncil) -> None:
    path = policy_path(council.config)
    path.write_text(path.read_text().replace('may = ["audit", "measure"]', 'may = ["audit"]'))


def signed_by_another_key(council: CaseworkCouncil) -> None:
    config, own = council.config, Ed25519PrivateKey.generate().private_bytes_raw()
    digest = load_own_policy(config).digest
    sign_document(CASEWORK_POLICY, policy_path(config), digest, own, "Anybody", NOW)


def signed_as_a_release_policy(council: CaseworkCouncil) -> None:
    """By the right key, and of the right file: a signature for the other document."""
    config = council.config
    digest = load_own_policy(config).digest
    path = policy_path(config)
    sign_document(RELEASE_POLICY, path, digest, private_key(council), "A. Khan", NOW)


def anothers_council(council: CaseworkCouncil) -> None:
    path = policy_path(council.config)
    path.write_text(path.read_text().replace("E08000009", "E08000001"))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (unsigned, "is not signed"),
        (changed, "was changed after it was signed"),
        (signed_by_another_key, "by a key that this node does not trust"),
        (signed_as_a_release_policy, "the signature is not valid"),
        (anothers_council, "belongs to E08000001, this node is E08000009"),
    ],
)
def test_a_policy_that_was_not_signed_as_it_is_serves_nothing(
    council: CaseworkCouncil, change: Callable[[CaseworkCouncil], None], problem: str
) -> None:
    change(council)
    for use in (council.desk, lambda: build_casework(council.config)):
        with pytest.raises(Problem) as refused:
            use()
        assert problem in refused.value.problem
        assert refused.value.exit_code == ExitCode.SETTINGS
    done = casework(council, "accounts", "list")
    assert done.code == ExitCode.SETTINGS
    assert problem in done.stderr
    if change is unsigned:
        assert "folkmoot-node casework policy sign" in done.stderr


def test_signing_puts_a_changed_policy_into_force_and_the_log_says_who(
    council: CaseworkCouncil,
) -> None:
    changed(council)
    said = casework(council, "policy", "sign", "--signer", "B. Jones, Caldicott Guardian").said()
    assert "Signed by B. Jones, Caldicott Guardian; it goes on until 2099-03-31." in said
    desk = council.desk()
    assert desk.known.policy.roles["auditor"].may == (Right.AUDIT,)
    last = list(desk.state.audit.entries((POLICY_SIGNED,)))[-1].body
    assert last["signer"] == "B. Jones, Caldicott Guardian"
    assert last["sha256"] == desk.known.digest.hex()
    assert last["by"].startswith("command of ")


def test_a_key_that_does_not_count_signs_nothing(council: CaseworkCouncil, tmp_path: Path) -> None:
    before = signature_path(policy_path(council.config)).read_bytes()
    other = tmp_path / "other.key"
    other.write_text(Ed25519PrivateKey.generate().private_bytes_raw().hex())
    done = casework(council, "policy", "sign", "--signer", "Anybody", "--key", other)
    assert done.code == ExitCode.SETTINGS
    assert signature_path(policy_path(council.config)).read_bytes() == before


def test_nobody_signs_without_a_name(council: CaseworkCouncil) -> None:
    before = signature_path(policy_path(council.config)).read_bytes()
    done = casework(council, "policy", "sign", "--signer", " ")
    assert done.code == ExitCode.USAGE
    assert "--signer" in done.stderr
    assert signature_path(policy_path(council.config)).read_bytes() == before


def test_a_key_kept_elsewhere_signs(council: CaseworkCouncil, tmp_path: Path) -> None:
    kept = tmp_path / "kept.key"
    shutil.move(KeyFiles.of(council.home).policy_key, kept)
    changed(council)
    casework(council, "policy", "sign", "--signer", "A. Khan", "--key", kept).said()
    assert load_signed_policy(council.config).signature.signer == "A. Khan"


def test_show_says_whether_it_is_in_force(council: CaseworkCouncil) -> None:
    shown = json.loads(casework(council, "policy", "show", "--json").said())
    assert shown["signed_by"] == "A. Khan, Data Protection Officer"
    assert shown["problem"] is None
    changed(council)
    said = casework(council, "policy", "show").said()
    assert "Not in force: the casework policy was changed after it was signed" in said
    assert "caseworker may: lists, open, work, refer" in said


def test_no_key_of_the_policy_lets_anybody_approve_their_own(council: CaseworkCouncil) -> None:
    path = policy_path(council.config)
    path.write_text("self_approval = true\n" + path.read_text())
    done = casework(council, "policy", "sign", "--signer", "A. Khan")
    assert done.code == ExitCode.SETTINGS
    assert "self_approval" in done.stderr


def test_roles_that_conflict_are_named_to_who_signs(council: CaseworkCouncil) -> None:
    path = policy_path(council.config)
    path.write_text(path.read_text().replace('["audit", "measure"]', '["audit", "work"]'))
    done = casework(council, "policy", "sign", "--signer", "A. Khan")
    assert done.code == 0
    assert "Warning: role auditor: whoever has `audit` and `work` checks what they" in done.stderr


def test_people_whose_roles_conflict_are_named(council: CaseworkCouncil) -> None:
    policy = load_own_policy(council.config).policy
    assert list(conflicts_of(policy)) == []
    found = list(
        conflicts_of_accounts(policy, {"jo": ("caseworker", "auditor"), "sam": ("caseworker",)})
    )
    assert [text.split(":")[0] for text in found] == ["account jo"]


def test_after_its_last_day_residents_are_still_answered(council: CaseworkCouncil) -> None:
    policy = load_own_policy(council.config).policy
    clock = council.clock
    permissions = CaseworkPermissions(policy, clock)
    assert Right.OPEN in permissions.of(["protection_officer"])
    council.outlast_policy()
    assert permissions.of(["protection_officer"]) == {
        "public",
        "signed in",
        Right.RIGHTS,
        Right.RESTRICT,
    }
    assert Right.AUDIT in permissions.of(["auditor"])
    assert Right.LISTS not in permissions.of(["caseworker"])


def test_pages_say_that_the_policy_has_ended(council: CaseworkCouncil) -> None:
    with serving_council(council) as site:
        council.outlast_policy()
        for name, path, status in (
            ("caseworker", "/", 403),
            ("auditor", "/audit", 200),
            ("caseworker", "/audit", 403),
        ):
            with Browser(site) as browser:
                browser.sign_in(f"{name}@example.gov.uk")
                page = browser.get(path)
                assert page.status_code == status
                has_ended = "The casework policy has ended" in page.text
                assert has_ended is (path == "/")
        assert "Its last day was 31 March 2099" in said(site)


def said(site: RunningSite) -> str:
    with Browser(site) as browser:
        browser.sign_in("manager@example.gov.uk")
        return browser.get("/").text
