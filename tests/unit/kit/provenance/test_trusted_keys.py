"""The file of trusted keys: a key has one part, and what is wrong is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot_kit.provenance import load_trusted_keys
from folkmoot_operator.problems import ExitCode, Problem

A, B, C, D = (f"ed25519:{digit * 64}" for digit in "1234")
GOOD = f"""\
# Agreed on 1 December.
[[vendors]]
name = "Energy Data Ltd"
key = "{A}"
distributions = ["folkmoot-plugin-energy-debt"]

[[reviewers]]
person = "A. Khan"
organisation = "Exampleton Council"
key = "{B}"
until = 2027-12-31

[[reviewers]]
person = "B. Jones"
organisation = "Otherham Council"
key = "{C}"

[registry]
name = "The region"
key = "{D}"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "trusted-keys.toml"
    path.write_text(text)
    return path


def test_a_good_file_says_whose_key_it_is(tmp_path: Path) -> None:
    found = load_trusted_keys(write(tmp_path, GOOD))
    vendor = found.vendor(bytes.fromhex("1" * 64))
    assert vendor is not None
    assert vendor.label == "Energy Data Ltd"
    assert found.reviewer(bytes.fromhex("1" * 64)) is None
    reviewer = found.reviewer(bytes.fromhex("2" * 64))
    assert reviewer is not None
    assert reviewer is found.reporter(bytes.fromhex("2" * 64))
    assert found.vendor(b"") is None


WRONG = {
    "a key that is none": (A, "ed25519:12", "line 4: vendors[0].key"),
    "a key of another kind": (C, f"rsa:{'3' * 64}", "line 16: reviewers[1].key"),
    "an unknown key": ("until =", "untill =", "line 11: reviewers[0].untill is an unknown key"),
    "a missing key": ('name = "The region"\n', "", "line 18: registry.name is missing"),
    "no plugins": (
        '["folkmoot-plugin-energy-debt"]', "[]", "line 5: vendors[0].distributions"
    ),
    "another spelling": (
        "folkmoot-plugin-energy-debt", "folkmoot-plugin--x", "line 5: vendors[0].distributions[0]"
    ),
    "no person": ('person = "B. Jones"', 'person = " "', "line 14: reviewers[1].person"),
    "an unknown table": ("[[vendors]]", "[[vendor]]", "line 2: vendor is an unknown key"),
    "no TOML": ("[registry]", "[registry", "line 18"),
    "one key of two people": (C, B, "line 16: reviewers[1].key is the key of reviewers[0], too"),
    "a vendor who reviews": (B, A, "line 10: reviewers[0].key is the key of vendors[0], too"),
    "a registry that sells": (D, A, "line 20: registry.key is the key of vendors[0], too"),
}  # fmt: skip


@pytest.mark.parametrize("how", WRONG)
def test_what_is_wrong_is_named_with_line_and_key(tmp_path: Path, how: str) -> None:
    before, after, words = WRONG[how]
    assert before in GOOD
    path = write(tmp_path, GOOD.replace(before, after))
    with pytest.raises(Problem) as caught:
        load_trusted_keys(path)
    assert words in caught.value.problem
    assert caught.value.where == str(path)
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert caught.value.remedy


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot be read"):
        load_trusted_keys(tmp_path / "absent.toml")
