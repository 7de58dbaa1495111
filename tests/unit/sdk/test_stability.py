"""What README and CHANGELOG promise of versions: stated, warned ahead, removed on time."""

import importlib
import re
import warnings
from pathlib import Path

import pytest

import folkmoot_sdk
from folkmoot_sdk import deprecation
from folkmoot_sdk.deprecation import DEPRECATIONS, deprecated, overdue

ROOT = Path(__file__).parents[3]
SDK = ROOT / "plugins" / "sdk"
README = (SDK / "README.md").read_text("utf-8")
CHANGELOG = (SDK / "CHANGELOG.md").read_text("utf-8")


@pytest.fixture
def listed(monkeypatch):
    """A list of its own for what a test marks."""
    entries = []
    monkeypatch.setattr(deprecation, "DEPRECATIONS", entries)
    return entries


def test_the_version_is_that_of_the_distribution():
    assert folkmoot_sdk.__version__ == (ROOT / "VERSION").read_text().strip()
    with pytest.raises(AttributeError, match="no attribute 'version'"):
        folkmoot_sdk.version  # noqa: B018


def test_a_deprecated_function_works_and_warns_who_calls_it(listed):
    @deprecated(since="0.2", removed_in="0.3", instead="Use `new`")
    def old(value: int) -> int:
        """Doubles."""
        return 2 * value

    with pytest.warns(DeprecationWarning, match="old is deprecated") as caught:
        assert old(2) == 4
    said = str(caught[0].message)
    assert said.endswith(
        "old is deprecated since folkmoot-sdk 0.2 and will be removed in 0.3. Use `new`"
    )
    assert caught[0].filename == __file__
    assert old.__doc__ == "Doubles."
    assert [entry.removed_in for entry in listed] == ["0.3"]


@pytest.mark.parametrize(
    ("since", "removed_in"), [("0.2", "0.2"), ("0.2.0", "0.2.9"), ("1.0", "0.9")]
)
def test_nothing_is_removed_without_a_version_that_warns(listed, since, removed_in):
    with pytest.raises(ValueError, match="warn one version ahead"):
        deprecated(since=since, removed_in=removed_in, instead="Use another")
    assert listed == []


def test_what_is_overdue_is_found(listed):
    deprecated(since="0.2", removed_in="0.4", instead="Use another")(lambda: None)
    assert overdue("0.3.7") == ()
    assert [entry.since for entry in overdue("0.4.0")] == ["0.2"]


def test_what_was_to_be_removed_is_gone_and_the_changelog_names_what_will_be():
    for path in sorted((SDK / "folkmoot_sdk").glob("*.py")):
        importlib.import_module(f"folkmoot_sdk.{path.stem}".removesuffix(".__init__"))
    assert overdue(folkmoot_sdk.__version__) == ()
    for entry in DEPRECATIONS:
        assert entry.name in CHANGELOG, entry


def test_importing_the_sdk_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importlib.reload(folkmoot_sdk)


def test_the_changelog_has_the_running_version():
    assert re.search(rf"^## {re.escape(folkmoot_sdk.__version__)}\b", CHANGELOG, re.M)


def test_every_public_name_is_stable_or_the_readme_says_otherwise():
    """The table in the README lists each name that a plugin may import."""
    section = README[README.index("## Stability") :]
    named = set(re.findall(r"`([A-Za-z_]+)`", section))
    assert set(folkmoot_sdk.__all__) <= named


def test_the_arrays_that_the_readme_promises_are_those_that_factors_get():
    import datetime

    from folkmoot_sdk import FieldType, Input, samples

    table = README[README.index("| Input type |") :].partition("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in row.strip(" |").split("|")] for row in table]
    said = {kind: cells for kinds, *cells in rows for kind in re.split(r", ", kinds)}
    for kind in FieldType:
        if kind is FieldType.AREA:
            assert kind.value not in said
            continue
        codes = ("a",) if kind is FieldType.CATEGORY else ()
        entry = Input("x", kind, codes=codes)
        array = samples.households([entry], datetime.date(2026, 4, 1), 5)["x"]
        dtype, unknown = said[kind.value]
        assert dtype.startswith(str(array.dtype))
        assert str(samples.unknowns(entry, 1)[0]).lower() == unknown.lower()
