"""The commands of vendors, reviewers and keepers of registries, from a wheel to node.toml."""

from __future__ import annotations

import json
import re
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from folkmoot_kit import confinement
from folkmoot_kit.provenance import Manifest, read_signed_file, read_wheel
from folkmoot_operator.problems import ExitCode
from tests.commands import run_inside
from tests.plugin_council import MODULE, NAME, write_wheel

PLUGIN = {
    f"{MODULE}/__init__.py": """
import numpy as np

from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, hookimpl


class EnergyDebt(RiskFactor):
    name = "energy_debt"
    title = "Energy debt"
    description = "Owes money for energy."
    domain = "finance"
    evidence = (Evidence("Example 2024, Debts", "https://example.org", "It matters."),)
    inputs = (Input("energy_debt", FieldType.NUMBER, unit="GBP"),)

    def score(self, inputs, context):
        return np.minimum(inputs["energy_debt"] / 1000, 1)

    def explain(self, values, score, context):
        return "It owes money."


@hookimpl
def folkmoot_risk_factors():
    return [EnergyDebt]
"""
}

Run = Callable[..., str]
confined = pytest.mark.skipif(
    confinement.unmet() is not None, reason="this machine cannot confine a process"
)


@pytest.fixture
def run() -> Run:
    def command(*words: object, expect: ExitCode = ExitCode.OK) -> str:
        return run_inside("folkmoot-plugin", *words).said(expect)

    return command


@pytest.fixture
def keys(tmp_path: Path, run: Run) -> dict[str, str]:
    """Public keys by name; the private ones are beside the wheel."""
    found = {}
    for name in ("vendor", "khan", "jones", "registry"):
        said = json.loads(run("keygen", tmp_path / f"{name}.pem", "--json"))
        found[name] = said["key"]
    return found


def trusted(folder: Path, keys: dict[str, str]) -> Path:
    path = folder / "trusted-keys.toml"
    path.write_text(
        f'[[vendors]]\nname = "Energy Data Ltd"\nkey = "{keys["vendor"]}"\n'
        f'distributions = ["{NAME}"]\n'
        f'[[reviewers]]\nperson = "A. Khan"\norganisation = "Exampleton"\nkey = "{keys["khan"]}"\n'
        f'[registry]\nname = "The region"\nkey = "{keys["registry"]}"\n'
    )
    return path


def test_a_key_is_made_once(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "key.pem"
    said = run("keygen", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert re.search(r"Public key: ed25519:[0-9a-f]{64}\n", said)
    assert "PRIVATE" not in said
    run("keygen", path, expect=ExitCode.REFUSED)


def test_a_key_goes_into_a_folder_that_is_there(tmp_path: Path, run: Run) -> None:
    said = run("keygen", tmp_path / "keys" / "vendor.pem", expect=ExitCode.SETTINGS)
    assert f"there is no folder {tmp_path / 'keys'}" in said
    assert f"mkdir -m 700 {tmp_path / 'keys'}" in said


@confined
def test_a_wheel_is_signed_reviewed_listed_and_revoked(
    tmp_path: Path, run: Run, keys: dict[str, str]
) -> None:
    wheel = write_wheel(tmp_path, PLUGIN)
    said = run(
        "sign", wheel, "--key", tmp_path / "vendor.pem", "--vendor", "Energy Data Ltd",
        "--memory-mib", 512, "--days", 30,
    )  # fmt: skip
    manifest, sbom = (tmp_path / f"{NAME}-1.2.0.{what}.json" for what in ("manifest", "sbom"))
    assert "factor energy_debt reads energy_debt" in said
    body = read_signed_file(Manifest, manifest).body
    [factor] = body.declares.factors
    assert [(one.name, one.unit) for one in factor.inputs] == [("energy_debt", "GBP")]
    assert factor.evidence[0].citation == "Example 2024, Debts"
    assert body.privileges.memory_mib == 512
    assert body.sdk in ("<9,>=0.1", ">=0.1,<9")
    assert body.files == read_wheel(wheel).counted
    assert json.loads(sbom.read_bytes())["bomFormat"] == "CycloneDX"

    run("review", wheel, "--key", tmp_path / "khan.pem", "--person", "A. Khan",
        "--organisation", "Exampleton", "--statement", "Read it.")  # fmt: skip
    [review] = tmp_path.glob(f"{NAME}-1.2.0.review-*.json")
    list_ = trusted(tmp_path, keys)
    for document, who in ((manifest, "Energy Data Ltd"), (review, "A. Khan, Exampleton")):
        said = run("verify", document, "--wheel", wheel, "--trusted-keys", list_)
        assert who in said
        assert json.loads(run("verify", document, "--json"))["signer"] is None

    folder, key = tmp_path / "registry", tmp_path / "registry.pem"
    run("registry", "init", folder, "--key", key, "--name", "The region")
    run("registry", "add", folder, manifest, sbom, review, "--key", key)
    said = run("registry", "check", folder, "--trusted-keys", list_)
    assert "number 2" in said
    assert "revoked: 0" in said
    run("registry", "revoke", folder, "--key", key, "--wheel", wheel, "--reason", "Bad.")
    run("registry", "revoke", folder, "--key", key, "--signer", keys["jones"], "--reason", "Lost.")
    run("registry", "refresh", folder, "--key", key, "--fresh-days", 5)
    bundle = tmp_path / "registry.zip"
    run("registry", "bundle", folder, "--out", bundle)
    found = json.loads(run("registry", "check", bundle, "--json"))
    assert found["number"] == 5
    assert {one["reason"] for one in found["revoked"]} == {"Bad.", "Lost."}
    assert found["revoked"][0]["wheel"] == read_wheel(wheel).digest


@confined
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise ValueError('a resident')\n", "cannot be imported"),
        ("import os\nos._exit(3)\n", "ended"),
        ("x = 1\n", "no hook"),
    ],
)
def test_a_plugin_that_does_not_load_is_not_signed(
    tmp_path: Path, run: Run, keys: dict[str, str], code: str, words: str
) -> None:
    wheel = write_wheel(tmp_path, {f"{MODULE}/__init__.py": code})
    said = run("sign", wheel, "--key", tmp_path / "vendor.pem", "--vendor", "Energy Data Ltd",
               expect=ExitCode.FAULT)  # fmt: skip
    assert words in said
    assert NAME in said
    assert not list(tmp_path.glob("*.manifest.json"))


@confined
def test_the_plugin_in_the_wheel_is_asked_and_not_this_process(
    tmp_path: Path, run: Run, keys: dict[str, str]
) -> None:
    mark = tmp_path / "mark"
    code = PLUGIN[f"{MODULE}/__init__.py"] + (
        f"\ntry:\n    open({str(mark)!r}, 'w').write('x')\nexcept OSError:\n    pass\n"
    )
    wheel = write_wheel(tmp_path, {f"{MODULE}/__init__.py": code})
    run("sign", wheel, "--key", tmp_path / "vendor.pem", "--vendor", "Energy Data Ltd")
    assert not mark.exists()
    assert MODULE not in __import__("sys").modules


@confined
@pytest.mark.parametrize(
    ("change", "words", "code"),
    [
        ({"requires": ()}, "folkmoot-sdk>=A,<B", ExitCode.DATA),
        ({"requires": ("folkmoot-sdk",)}, "versions of the SDK", ExitCode.DATA),
        ({"requires": ("folkmoot-sdk<9", "absent-library")}, "absent-library", ExitCode.SETTINGS),
        ({"about": {"sboms/a.json": "[]"}}, "CycloneDX", ExitCode.DATA),
        ({"about": {"sboms/a.json": "{}", "sboms/b.json": "{}"}}, "several", ExitCode.DATA),
    ],
)
def test_a_wheel_that_does_not_say_enough_is_not_signed(
    tmp_path: Path,
    run: Run,
    keys: dict[str, str],
    change: dict[str, Any],
    words: str,
    code: ExitCode,
) -> None:
    wheel = write_wheel(tmp_path, PLUGIN, **change)
    said = run("sign", wheel, "--key", tmp_path / "vendor.pem", "--vendor", "V", expect=code)
    assert words in said
    assert not list(tmp_path.glob("*.manifest.json"))


def test_a_review_names_somebody(tmp_path: Path, run: Run, keys: dict[str, str]) -> None:
    wheel = write_wheel(tmp_path, PLUGIN)
    said = run("review", wheel, "--key", tmp_path / "khan.pem", "--person", " ",
               "--organisation", "O", "--statement", "S", expect=ExitCode.USAGE)  # fmt: skip
    assert "person: is empty" in said


def test_a_document_about_another_wheel_is_refused(
    tmp_path: Path, run: Run, keys: dict[str, str]
) -> None:
    wheel = write_wheel(tmp_path, PLUGIN)
    run("review", wheel, "--key", tmp_path / "khan.pem", "--person", "A. Khan",
        "--organisation", "Exampleton", "--statement", "S",
        "--out", tmp_path / "r.json")  # fmt: skip
    other = tmp_path / "other"
    other.mkdir()
    unlike = write_wheel(other, {**PLUGIN, f"{MODULE}/more.py": ""})
    said = run("verify", tmp_path / "r.json", "--wheel", unlike, expect=ExitCode.VERIFICATION)
    assert "another wheel" in said
    keys["khan"] = keys["jones"]
    list_ = trusted(tmp_path, keys)
    said = run("verify", tmp_path / "r.json", "--trusted-keys", list_, expect=ExitCode.VERIFICATION)
    assert "not trusted" in said


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--wheel", "x", "--signer", "1" * 64),
        ("--wheel", "absent.whl"),
        ("--signer", "ed25519:1"),
        ("--wheel", f"sha256:{'1' * 64}", "--reason", " "),
    ],
)
def test_what_is_to_be_revoked_must_be_clear(
    tmp_path: Path, run: Run, keys: dict[str, str], words: tuple[str, ...]
) -> None:
    folder, key = tmp_path / "registry", tmp_path / "registry.pem"
    run("registry", "init", folder, "--key", key, "--name", "The region")
    run("registry", "revoke", folder, "--key", key, "--reason", "x", *words, expect=ExitCode.USAGE)
    assert json.loads(run("registry", "check", folder, "--json"))["revoked"] == []


def test_what_is_asked_for_must_be_possible(tmp_path: Path, run: Run) -> None:
    wheel = write_wheel(tmp_path, PLUGIN)
    for words in (("--network", "https://a b"), ("--memory-mib", 1), ("--seconds", 0)):
        assert words[0] in run("pin", wheel, *words, expect=ExitCode.USAGE)


def test_a_wheel_that_is_not_installed_cannot_be_pinned(tmp_path: Path, run: Run) -> None:
    wheel = write_wheel(tmp_path, PLUGIN)
    said = run("pin", wheel, expect=ExitCode.VERIFICATION)
    assert "is not installed" in said
    assert "Remedy: Install its wheel" in said


def test_a_pin_is_printed_or_written(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.plugin_council import SITE, unpack

    wheel = write_wheel(tmp_path, PLUGIN)
    site = tmp_path / "site-packages"
    site.mkdir()
    unpack(wheel, site)
    monkeypatch.setattr(confinement, "import_folders", lambda: (site, SITE), raising=False)
    text = run("pin", wheel, "--network", "meters.example.org", "--files", "--seconds", 60)
    [(name, table)] = tomllib.loads(text)["plugins"]["allowed"].items()
    assert name == NAME
    assert table == {
        "version": "1.2.0",
        "wheel": read_wheel(wheel).digest,
        "content": read_wheel(wheel).content,
        "network": ["meters.example.org"],
        "files": True,
        "memory_mib": 2048,
        "seconds": 60,
    }
    settings = tmp_path / "node.toml"
    settings.write_text("# ours\n[node]\nname = 'x'\n")
    settings.chmod(0o640)
    run("pin", wheel, "--write", settings)
    assert settings.read_text().startswith("# ours\n[node]\nname = 'x'\n")
    assert stat.S_IMODE(settings.stat().st_mode) == 0o640
    assert NAME in tomllib.loads(settings.read_text())["plugins"]["allowed"]
    assert json.loads(run("pin", wheel, "--json"))["requires"] == {}
