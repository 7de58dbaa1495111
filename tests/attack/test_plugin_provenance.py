"""Somebody wants a council to run another plugin than the one it agreed to, or one it should not.

They change what is installed, what was signed, or what the registry says. Each is named by file
and distribution, with what to do, and the plugin does not run.
"""

from __future__ import annotations

import dataclasses
import datetime
import importlib.util
import json
import py_compile
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from folkmoot_kit import confinement
from folkmoot_kit.hosting import HostedPlugins, Hosting, open_plugins
from folkmoot_kit.provenance import (
    Pin,
    Reason,
    Standing,
    declarations_of,
    open_registry,
    public_key,
    sign,
)
from folkmoot_kit.provenance.bundle import import_registry, write_bundle
from folkmoot_kit.provenance.registry_index import INDEX, Index, Revocation
from folkmoot_kit.provenance.signed import read_signed_file
from folkmoot_node.plugins.opening import load_plugins
from folkmoot_node.plugins.placement import Way
from folkmoot_node.settings.node_toml import load_config
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk import ScoringContext
from tests.plugin_council import MODULE, NAME, TODAY, Council, key_text, write_wheel
from tests.plugin_of_others import FACTOR, install_plugin
from tests.unit.node.plugins.conftest import SIGNING, Home

DAY = datetime.timedelta(days=1)
CODE = """
import numpy as np

from folkmoot_sdk import FieldType, Input, RiskFactor, hookimpl
from folkmoot_plugin_energy_debt.scale import STEP


class EnergyDebt(RiskFactor):
    name = "energy_debt"
    title = "Energy debt"
    description = "Owes money for energy."
    domain = "finance"
    inputs = (Input("energy_debt", FieldType.NUMBER, unit="GBP"),)

    def score(self, inputs, context):
        return np.full(len(inputs["energy_debt"]), STEP)

    def explain(self, values, score, context):
        return "It owes money."


@hookimpl
def folkmoot_risk_factors():
    return [EnergyDebt]
"""
NODE = """
schema = 1
council = "E08000009"
name = "Trafford"
[scoring]
frame = "tax"
[[sources]]
name = "tax"
kind = "extracts"
[sources.options]
mapping = "mappings/tax.toml"
"""
FILES = {f"{MODULE}/__init__.py": CODE, f"{MODULE}/scale.py": "STEP = 0.25\n"}
confined = pytest.mark.skipif(
    confinement.unmet() is not None, reason="this machine cannot confine a process"
)


def pip_install(wheel: Path, site: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--quiet"]
    command += ["--disable-pip-version-check", "--target", str(site), "--upgrade", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def agreed(tmp_path_factory: pytest.TempPathFactory) -> Council:
    """A council whose plugin pip has installed, signed, and twice reviewed."""
    council = Council(tmp_path_factory.mktemp("agreed"))
    pip_install(write_wheel(council.folder, FILES), council.site)
    council.trust(council.keys_file())
    council.keeper().init("The region")
    with opened(council) as plugins:
        declares = declarations_of(plugins)
    council.add(
        sign(council.manifest(declares=declares), council.vendor),
        sign(council.review("A. Khan", "Exampleton Council"), council.khan),
        sign(council.review("B. Jones", "Otherham Council"), council.jones),
    )
    return council


@pytest.fixture
def council(agreed: Council, tmp_path: Path) -> Council:
    shutil.copytree(agreed.folder, tmp_path, dirs_exist_ok=True)
    return dataclasses.replace(agreed, folder=tmp_path)


@pytest.fixture(scope="module")
def pin(agreed: Council) -> Pin:
    return agreed.pin()


def opened(council: Council, *, from_source: bool = True) -> HostedPlugins:
    hosting = Hosting(distributions=(NAME,), from_source=from_source)
    return open_plugins([hosting], import_folders=(council.site, *confinement.import_folders()))


def scored(council: Council, *, from_source: bool = True) -> float:
    with opened(council, from_source=from_source) as plugins:
        assert not plugins.broken
        factor = plugins.factors["energy_debt"]
        made = factor(factor.Parameters())
        inputs = {"energy_debt": np.array([1.0])}
        return float(made.score(inputs, ScoringContext(TODAY))[0])


def blocked(found: Standing, reason: Reason, *words: str) -> None:
    assert found.problems
    assert reason in {one.reason for one in found.problems}, found.problems
    said = "\n".join(map(str, found.problems))
    for word in words or (NAME,):
        assert word in said
    assert all(one.remedy and one.where for one in found.problems)


@confined
def test_what_was_agreed_to_runs(council: Council, pin: Pin) -> None:
    found = council.stands(pin)
    assert not found.problems, found.problems
    assert found.reviewed, found.notes
    with opened(council) as plugins:
        assert not found.compared_with(declarations_of(plugins)).problems
    assert scored(council) == 0.25


def test_every_installed_file_counts(council: Council, pin: Pin) -> None:
    files = council.installation.read(NAME).files
    assert len(files) == 5
    for place in files:
        path = council.site / place
        content = path.read_bytes()
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
        blocked(council.stands(pin), Reason.CHANGED, place)
        path.write_bytes(content)
    assert not council.stands(pin).problems


def test_who_changes_the_list_of_files_too_is_caught(council: Council, pin: Pin) -> None:
    other = council.folder / "other"
    other.mkdir()
    files = {**FILES, f"{MODULE}/scale.py": "STEP = 1.0\n"}
    pip_install(write_wheel(other, files), council.site)
    blocked(council.stands(pin), Reason.CHANGED, f"{MODULE}/scale.py")


def leave_compiled(source: Path, text: str) -> None:
    """Leaves other code where Python keeps the compiled copy of a source."""
    evil = source.with_name("evil.txt")
    evil.write_text(text)
    cache = Path(importlib.util.cache_from_source(str(source)))
    cache.parent.mkdir(exist_ok=True)
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(evil), str(cache), invalidation_mode=unchecked)
    evil.unlink()


@confined
def test_compiled_code_that_was_left_beside_the_source_is_not_run(
    council: Council, pin: Pin
) -> None:
    """It says that nobody need compare it with its source, so Python would run it instead."""
    source = council.site / MODULE / "scale.py"
    leave_compiled(source, "STEP = 1.0\n")
    assert not council.stands(pin).problems, "what Python writes by itself is no fault"
    assert scored(council, from_source=False) == 1.0, "or this attack does nothing"
    assert scored(council) == 0.25


@confined
def test_nor_does_a_node_run_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = FACTOR.replace("1000", "STEP") + f"\n\nfrom {MODULE}.scale import STEP\n"
    files = {f"{MODULE}/scale.py": "STEP = 1000\n"}
    for name in ("keys", "mappings", "extracts", "store"):
        (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / "mappings" / "tax.toml").write_text("")
    others = install_plugin(tmp_path, NODE, monkeypatch, code=code, files=files)
    leave_compiled(others.council.site / MODULE / "scale.py", "STEP = 1\n")
    with load_plugins(others.pinned()) as plugins:
        assert plugins.placement_of(NAME).runs  # type: ignore[union-attr]
        factor = plugins.factors["energy_debt"]
        inputs = {"council_tax_arrears": np.array([500.0])}
        assert factor(factor.Parameters()).score(inputs, ScoringContext(TODAY))[0] == 0.5


def test_nor_in_its_own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", None)
    code = FACTOR.replace("1000", "STEP") + f"\n\nfrom {MODULE}.scale import STEP\n"
    home = Home(tmp_path)
    for name in ("keys", "mappings", "extracts", "store"):
        (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / "mappings" / "tax.toml").write_text("")
    (tmp_path / "keys" / "policy-signing.pub").write_text(
        SIGNING.public_key().public_bytes_raw().hex()
    )
    others = install_plugin(
        tmp_path, NODE, monkeypatch, code=code, files={f"{MODULE}/scale.py": "STEP = 1000\n"}
    )
    others.pinned()
    settings = tmp_path / "node.toml"
    table = f"[plugins.allowed.{NAME}]\n"
    settings.write_text(settings.read_text().replace(table, table + 'trust = "in_process"\n'))
    home.sign(
        f'[[plugins_in_process]]\ndistribution = "{NAME}"\nversion = "1.2.0"\n'
        f'content = "{others.council.pin().content}"\nreason = "its driver needs it"\n'
    )
    leave_compiled(others.council.site / MODULE / "scale.py", "STEP = 1\n")
    try:
        with load_plugins(load_config(tmp_path)) as plugins:
            assert plugins.placement_of(NAME).way is Way.IN_PROCESS  # type: ignore[union-attr]
            factor = plugins.factors["energy_debt"]
            inputs = {"council_tax_arrears": np.array([500.0])}
            assert factor(factor.Parameters()).score(inputs, ScoringContext(TODAY))[0] == 0.5
    finally:
        for name in [one for one in sys.modules if one.partition(".")[0] == MODULE]:
            del sys.modules[name]


@pytest.mark.parametrize("module", ["elsewhere", "numpy", f"{MODULE}.elsewhere", MODULE[:-1]])
def test_an_entry_point_that_leads_to_what_is_not_pinned_is_caught(
    council: Council, pin: Pin, module: str
) -> None:
    ((about, points),) = [
        (path, path.read_text()) for path in council.site.glob("*.dist-info/entry_points.txt")
    ]
    assert f"= {MODULE}\n" in points
    about.write_text(points.replace(f"= {MODULE}\n", f"= {module}\n"))
    other = dataclasses.replace(pin, content=council.installation.read(NAME).content)
    blocked(council.stands(other), Reason.CHANGED, "none of its files")


@pytest.mark.parametrize(
    "place",
    [
        f"{MODULE}/scale.cpython-311-x86_64-linux-gnu.so",
        f"{MODULE}/scale/__init__.py",
        f"{MODULE}.py",
        f"{MODULE}/_more.py",
    ],
)
def test_what_would_be_imported_instead_or_besides_is_caught(
    council: Council, pin: Pin, place: str
) -> None:
    path = council.site / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("evil")
    blocked(council.stands(pin), Reason.CHANGED, path.name)


def test_a_wheel_that_brings_files_of_the_plugin_is_caught(council: Council, pin: Pin) -> None:
    other = council.folder / "other"
    other.mkdir()
    wheel = write_wheel(other, {f"{MODULE}/scale.py": "STEP = 0.25\n"}, name="helper", points="")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(council.site)
    blocked(council.stands(pin), Reason.CHANGED, "helper-1.2.0.dist-info")


def documents(council: Council) -> list[Path]:
    return sorted(path for path in council.registry.rglob("*.json") if path.name != INDEX)


@pytest.mark.parametrize("kind", ["manifest", "review"])
def test_what_was_signed_cannot_be_changed_by_who_keeps_the_registry(
    council: Council, pin: Pin, kind: str
) -> None:
    """The registry's own key signs the list again, so that its digests agree."""
    [path, *_] = [one for one in documents(council) if one.name.startswith(kind)]
    index = read_signed_file(Index, council.registry / INDEX).body
    content = json.loads(path.read_bytes())
    content["body"]["valid_until"] = "2029-01-01"
    changed = (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()
    path.write_bytes(changed)
    listed = {**index.documents, path.relative_to(council.registry).as_posix(): digest_of(changed)}
    index = index.model_copy(update={"documents": listed, "number": index.number + 1})
    (council.registry / INDEX).write_bytes(sign(index, council.registry_key))
    found = council.stands(pin)
    if kind == "manifest":
        blocked(found, Reason.DAMAGED, path.name)
    else:
        assert not found.reviewed
        assert any(one.reason is Reason.DAMAGED and path.name in one.where for one in found.notes)


def digest_of(content: bytes) -> str:
    from folkmoot_kit.provenance.registry_index import digest

    return digest(content)


ROLES = ["vendor", "khan", "jones", "kit", "registry_key"]


@pytest.mark.parametrize("role", [one for one in ROLES if one != "vendor"])
def test_no_key_signs_a_manifest_but_the_vendors(council: Council, pin: Pin, role: str) -> None:
    shutil.rmtree(council.registry)
    council.keeper().init("The region")
    council.add(sign(council.manifest(), getattr(council, role)))
    blocked(council.stands(pin), Reason.UNKNOWN_KEY)


@pytest.mark.parametrize("role", [one for one in ROLES if one != "registry_key"])
def test_no_key_signs_the_registry_but_its_own(council: Council, role: str) -> None:
    index = read_signed_file(Index, council.registry / INDEX).body
    (council.registry / INDEX).write_bytes(sign(index, getattr(council, role)))
    with pytest.raises(Problem, match="follows The region") as caught:
        open_registry(council.registry, council.trusted)
    assert caught.value.exit_code is ExitCode.VERIFICATION


def test_the_vendor_cannot_review_itself_under_another_name(council: Council, pin: Pin) -> None:
    shutil.rmtree(council.registry)
    council.keeper().init("The region")
    council.add(
        sign(council.manifest(), council.vendor),
        sign(council.review("A. Khan", "Exampleton Council"), council.khan),
        sign(council.review("B. Jones", "Otherham Council"), council.vendor),
    )
    assert not council.stands(pin).reviewed


def test_a_manifest_of_one_plugin_is_of_no_use_for_another(council: Council, pin: Pin) -> None:
    """A vendor signs the wheel of a plugin that is not its own, under the other's name."""
    other = Ed25519PrivateKey.generate()
    council.trust(
        f'[[vendors]]\nname = "Other Ltd"\nkey = "{key_text(other)}"\n'
        f'distributions = ["folkmoot-plugin-other"]\n\n{council.keys_file()}'
    )
    shutil.rmtree(council.registry)
    council.keeper().init("The region")
    council.add(sign(council.manifest(), other))
    blocked(council.stands(pin), Reason.UNKNOWN_KEY, "Other Ltd")


def test_an_old_bundle_cannot_bring_a_revoked_plugin_back(council: Council, pin: Pin) -> None:
    own = council.folder / "own"

    def take_over(bundle: Path) -> None:
        import_registry(bundle, own, council.trusted, council.newest)

    def bundled(name: str) -> Path:
        path = council.folder / name
        write_bundle(open_registry(council.registry, council.trusted), path)
        return path

    old = bundled("old.zip")
    take_over(old)
    council.keeper().revoke(Revocation(wheel=pin.wheel, since=TODAY, reason="It leaks."))
    take_over(bundled("new.zip"))
    for _ in range(2):
        with pytest.raises(Problem, match="already"):
            take_over(old)
    shutil.rmtree(council.registry)
    own.rename(council.registry)
    blocked(council.stands(pin), Reason.REVOKED, "It leaks.")


def test_a_bundle_that_nobody_brings_any_more_is_noticed(council: Council, pin: Pin) -> None:
    """Whoever keeps new bundles away hides revocations for as long as the last one counts."""
    last = open_registry(council.registry, council.trusted).index.body.fresh_until
    assert (last - TODAY).days <= 90
    found = council.stands(pin, today=last + DAY)
    blocked(found, Reason.STALE, str(last), "newest bundle")


def test_a_stolen_key_loses_what_it_signed_before_too(council: Council, pin: Pin) -> None:
    """Dates in documents are the signer's own word, so they save nothing."""
    from folkmoot_kit.provenance import key_id

    of = key_id(public_key(council.vendor))
    council.keeper().revoke(Revocation(key=of, since=TODAY + 300 * DAY, reason="Stolen."))
    blocked(council.stands(pin), Reason.REVOKED, "Stolen.")


@confined
def test_a_plugin_that_does_more_than_it_says_is_caught(council: Council) -> None:
    """The vendor has signed a manifest without the input that the plugin reads."""
    from folkmoot_kit.provenance import Declarations

    shutil.rmtree(council.registry)
    council.keeper().init("The region")
    council.add(sign(council.manifest(declares=Declarations()), council.vendor))
    found = council.stands()
    assert not found.problems
    with opened(council) as plugins:
        found = found.compared_with(declarations_of(plugins))
    blocked(found, Reason.CLAIMS_LESS, "energy_debt", "Energy Data Ltd")
