"""How a plugin stands: what lets it run, and each thing that does not."""

from __future__ import annotations

import dataclasses
import datetime
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from folkmoot_kit.provenance import (
    Declarations,
    Outcome,
    Privileges,
    Reason,
    Standing,
    key_id,
    open_registry,
    public_key,
    sign,
    standing,
)
from folkmoot_kit.provenance.declarations import (
    DeclaredFactor,
    DeclaredField,
    DeclaredInput,
    DeclaredSource,
    fields_not_claimed,
    fields_of,
)
from folkmoot_kit.provenance.registry_index import PAGE, Revocation
from folkmoot_sdk.schema import Category, Combine, Field, FieldType, RecordLevel, Schema
from tests.plugin_council import (
    FILES,
    MODULE,
    NAME,
    POINTS,
    TODAY,
    Council,
    key_text,
    make_council,
    unpack,
    write_wheel,
)

DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Council:
    return make_council(tmp_path_factory.mktemp("council"))


@pytest.fixture
def council(made: Council, tmp_path: Path) -> Council:
    """One of its own for each test."""
    shutil.copytree(made.folder, tmp_path, dirs_exist_ok=True)
    return dataclasses.replace(made, folder=tmp_path)


def blocked(found: Standing, reason: Reason, *words: str) -> None:
    """That it must not run, for this reason alone, which is said with a remedy and a place."""
    assert found.problems
    assert {one.reason for one in found.problems} == {reason}
    said = "\n".join(map(str, found.problems))
    for word in words:
        assert word in said
    for one in found.problems:
        assert one.where
        assert one.remedy
        assert str(one.as_problem()).startswith(one.where)


def test_a_signed_and_pinned_plugin_may_run(council: Council) -> None:
    found = council.stands()
    assert not found.problems, found.problems
    assert (found.allowed, found.pinned, found.signed) == (True, True, True)
    assert (found.reviewed, found.revoked, found.reported) == (False, False, False)
    assert found.manifest is not None
    assert {one.reason for one in found.notes} == {Reason.NOT_REVIEWED, Reason.NOT_REPORTED}


def test_what_is_not_allowed_is_not_even_looked_at(council: Council) -> None:
    shutil.rmtree(council.site)
    found = standing(NAME, None, None, None, TODAY, installation=council.installation)
    blocked(found, Reason.NOT_ALLOWED, "folkmoot-plugin pin")
    assert not found.allowed


def test_a_changed_byte_is_named_even_if_the_list_of_files_agrees(council: Council) -> None:
    pin = council.pin()
    place = council.site / MODULE / "scale.py"
    files = {**FILES, f"{MODULE}/scale.py": "STEPS = ()\n"}
    other = write_wheel(council.registry, files)
    shutil.rmtree(council.site)
    council.site.mkdir()
    unpack(other, council.site)
    assert council.installation.read(NAME).changed == ()
    found = council.stands(pin)
    blocked(found, Reason.CHANGED, f"{MODULE}/scale.py")
    assert not found.pinned
    place.write_text("STEPS = (1,)\n")
    blocked(council.stands(pin), Reason.CHANGED, f"{MODULE}/scale.py")


def test_a_changed_byte_is_named_without_a_manifest(council: Council) -> None:
    pin = council.pin()
    (council.site / MODULE / "scale.py").write_text("STEPS = ()\n")
    trusted = council.trusted
    found = standing(NAME, pin, None, trusted, TODAY, installation=council.installation)
    assert {one.reason for one in found.problems} == {Reason.CHANGED, Reason.UNSIGNED}
    assert f"{MODULE}/scale.py" in str(found.problems[-1])


def test_a_stranger_among_the_files_is_named(council: Council) -> None:
    pin = council.pin()
    (council.site / MODULE / "evil.py").write_text("evil")
    blocked(council.stands(pin), Reason.CHANGED, "evil.py")


def test_another_version_is_said(council: Council) -> None:
    pin = dataclasses.replace(council.pin(), version="1.3.0")
    found = council.stands(pin)
    assert Reason.CHANGED in {one.reason for one in found.problems}
    assert "version 1.3.0 is pinned" in str(found.problems)


@pytest.fixture
def requiring(tmp_path: Path) -> Council:
    """A council whose plugin requires another distribution."""
    council = Council(tmp_path)
    council.site.mkdir()
    wheel = write_wheel(
        tmp_path, requires=("folkmoot-sdk>=0.1,<9", "meters[extra]; python_version > '3'")
    )
    unpack(wheel, council.site)
    parts = tmp_path / "parts"
    parts.mkdir()
    for name, requires in (
        ("meters", ["numpy", "units; extra == 'extra'", "absent; extra == 'other'"]),
        ("units", []),
    ):
        part = write_wheel(parts, {f"{name}/__init__.py": name}, name=name, requires=requires,
                           points="")  # fmt: skip
        unpack(part, council.site)
    council.trust(council.keys_file())
    council.keeper().init("The region")
    council.add(sign(council.manifest(), council.vendor))
    return council


def test_what_a_plugin_requires_is_pinned_too(requiring: Council) -> None:
    pin = requiring.pin()
    assert set(pin.requires) == {"meters", "units"}, "and neither numpy nor the SDK"
    assert not requiring.stands(pin).problems
    (requiring.site / "units" / "__init__.py").write_text("evil")
    blocked(requiring.stands(pin), Reason.REQUIREMENT_CHANGED, "units/__init__.py")


def test_what_a_plugin_requires_must_be_there_and_pinned(requiring: Council) -> None:
    pin = requiring.pin()
    less = dataclasses.replace(pin, requires={"meters": pin.requires["meters"]})
    blocked(requiring.stands(less), Reason.REQUIREMENT_CHANGED, "units", "not pinned")
    other = dict(pin.requires) | {"units": pin.requires["units"].replace("1.2.0", "1.3.0")}
    blocked(
        requiring.stands(dataclasses.replace(pin, requires=other)),
        Reason.REQUIREMENT_CHANGED,
        "version 1.2.0 is installed",
    )
    shutil.rmtree(requiring.site / "units-1.2.0.dist-info")
    blocked(requiring.stands(pin), Reason.REQUIREMENT_CHANGED, "units", "not installed")


def test_a_plugin_without_a_manifest_is_unsigned(council: Council) -> None:
    shutil.rmtree(council.registry)
    council.keeper().init("The region")
    found = council.stands()
    blocked(found, Reason.UNSIGNED, "no manifest")
    assert not found.signed
    trusted = council.trusted
    for registry, keys in ((None, trusted), (open_registry(council.registry, trusted), None)):
        found = standing(
            NAME, council.pin(), registry, keys, TODAY, installation=council.installation
        )
        blocked(found, Reason.UNSIGNED)


def test_a_key_that_nobody_trusts_does_not_count(council: Council) -> None:
    council.trust(council.keys_file().replace(key_text(council.vendor), f"ed25519:{'1' * 64}"))
    blocked(council.stands(), Reason.UNKNOWN_KEY, key_id(public_key(council.vendor)))


def test_a_vendors_key_counts_for_its_own_plugins(council: Council) -> None:
    council.trust(council.keys_file().replace(f'"{NAME}"', '"folkmoot-plugin-other"'))
    blocked(council.stands(), Reason.UNKNOWN_KEY, "counts for other plugins")


def test_a_reviewers_key_signs_no_manifest(council: Council) -> None:
    shutil.rmtree(council.registry)
    council.keeper().init("The region")
    council.add(sign(council.manifest(), council.khan))
    blocked(council.stands(), Reason.UNKNOWN_KEY)


def test_a_key_counts_as_long_as_the_council_says(council: Council) -> None:
    council.trust(council.keys_file(vendor_until=f"until = {TODAY}\n"))
    assert not council.stands().problems
    blocked(council.stands(today=TODAY + DAY), Reason.UNKNOWN_KEY, "until 2026-11-29")


@pytest.mark.parametrize(
    ("begin", "end", "words"),
    [(1, 10, "is valid from 2026-11-30"), (-10, -1, "expired on 2026-11-28")],
)
def test_a_manifest_counts_in_its_time(council: Council, begin: int, end: int, words: str) -> None:
    shutil.rmtree(council.registry)
    council.keeper().init("The region")
    body = council.manifest(valid_from=TODAY + begin * DAY, valid_until=TODAY + end * DAY)
    council.add(sign(body, council.vendor))
    blocked(council.stands(), Reason.EXPIRED, words)


def test_the_first_and_the_last_day_count(council: Council) -> None:
    body = council.manifest()
    council.keeper(body.valid_until - DAY).refresh()
    assert not council.stands(today=body.valid_from).problems
    assert not council.stands(today=body.valid_until).problems
    blocked(council.stands(today=body.valid_until + DAY), Reason.EXPIRED)
    blocked(council.stands(today=body.valid_from - DAY), Reason.EXPIRED)


def test_a_manifest_that_counts_suffices_beside_one_that_does_not(council: Council) -> None:
    old = council.manifest(valid_from=TODAY - 9 * DAY, valid_until=TODAY - DAY)
    council.add(sign(old, council.vendor), sign(council.manifest(), council.khan))
    assert not council.stands().problems


def test_a_manifest_about_other_files_is_refused(council: Council) -> None:
    shutil.rmtree(council.registry)
    council.keeper().init("The region")
    council.add(sign(council.manifest(content=f"sha256:{'0' * 64}"), council.vendor))
    blocked(council.stands(), Reason.WRONG_DIGEST)


def test_a_revoked_wheel_must_not_run(council: Council) -> None:
    what = Revocation(wheel=council.wheel.digest, since=TODAY, reason="It reads more.")
    council.keeper().revoke(what)
    found = council.stands()
    blocked(found, Reason.REVOKED, "It reads more.")
    assert found.revoked


def test_the_files_of_a_revoked_wheel_must_not_run_from_another_wheel(council: Council) -> None:
    """The same files, packed again, are another wheel, which nobody has revoked."""
    what = Revocation(wheel=council.wheel.digest, since=TODAY, reason="It reads more.")
    council.keeper().revoke(what)
    [path] = council.folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    assert council.wheel.digest != what.wheel
    council.add(sign(council.manifest(), council.vendor))
    blocked(council.stands(), Reason.REVOKED, "It reads more.")


def test_a_revoked_key_has_signed_nothing(council: Council) -> None:
    of = key_id(public_key(council.vendor))
    council.keeper().revoke(Revocation(key=of, since=TODAY, reason="Stolen."))
    found = council.stands()
    blocked(found, Reason.REVOKED, "Stolen.")
    assert found.revoked
    assert not found.signed


def test_a_registry_that_is_out_of_date_is_not_relied_on(council: Council) -> None:
    last = open_registry(council.registry, council.trusted).index.body.fresh_until
    assert not council.stands(today=last).problems
    blocked(council.stands(today=last + DAY), Reason.STALE, str(last))


def test_a_registry_whose_key_is_trusted_no_longer_is_not_relied_on(council: Council) -> None:
    council.trust(council.keys_file() + f"until = {TODAY - DAY}\n")
    blocked(council.stands(), Reason.UNKNOWN_KEY, "the registry")


def test_a_document_that_was_changed_is_named(council: Council) -> None:
    [path] = council.registry.rglob("manifest-*.json")
    path.write_bytes(path.read_bytes().replace(b"Energy", b"energy"))
    found = council.stands()
    blocked(found, Reason.DAMAGED, path.name)
    path.unlink()
    blocked(council.stands(), Reason.DAMAGED, path.name)


FACTOR = DeclaredFactor(
    name="energy_debt",
    title="Energy debt",
    domain="finance",
    inputs=(DeclaredInput(name="debt", type="number", unit="GBP"),),
)
SOURCE = DeclaredSource(kind="meters", fields=(DeclaredField(name="debt", type="number"),))
MORE: dict[str, Callable[[Declarations], Declarations]] = {
    "the factor 'other'": lambda said: said.model_copy(
        update={"factors": (*said.factors, FACTOR.model_copy(update={"name": "other"}))}
    ),
    "has the input 'age'": lambda said: said.model_copy(
        update={
            "factors": (
                FACTOR.model_copy(
                    update={"inputs": (*FACTOR.inputs, DeclaredInput(name="age", type="integer"))}
                ),
            )
        }
    ),
    "has no input 'debt'": lambda said: said.model_copy(
        update={"factors": (FACTOR.model_copy(update={"inputs": ()}),)}
    ),
    "the input 'debt' is another": lambda said: said.model_copy(
        update={
            "factors": (
                FACTOR.model_copy(
                    update={"inputs": (DeclaredInput(name="debt", type="number", unit="EUR"),)}
                ),
            )
        }
    ),
    "its title is another": lambda said: said.model_copy(
        update={"factors": (FACTOR.model_copy(update={"title": "Wealth"}),)}
    ),
    "the source 'more'": lambda said: said.model_copy(
        update={"sources": (*said.sources, DeclaredSource(kind="more"))}
    ),
    "has the field 'name'": lambda said: said.model_copy(
        update={
            "sources": (
                SOURCE.model_copy(
                    update={"fields": (DeclaredField(name="name", type="category"),)}
                ),
            )
        }
    ),
}


@pytest.mark.parametrize("what", MORE)
def test_a_manifest_that_claims_less_than_the_plugin_does_is_said(
    council: Council, what: str
) -> None:
    claimed = Declarations(sources=(SOURCE,), factors=(FACTOR,))
    shutil.rmtree(council.registry)
    council.keeper().init("The region")
    council.add(sign(council.manifest(declares=claimed), council.vendor))
    found = council.stands()
    assert not found.compared_with(claimed).problems
    blocked(found.compared_with(MORE[what](claimed)), Reason.CLAIMS_LESS, what)
    assert not found.compared_with(Declarations()).problems, "less is no fault"


def test_fields_that_settings_name_are_not_compared() -> None:
    claimed = Declarations(sources=(DeclaredSource(kind="file", fields=None), SOURCE))
    field = DeclaredField(name="any", type="number")
    assert fields_not_claimed(claimed, "file", [field]) == ()
    assert fields_not_claimed(claimed, "meters", [field])
    assert fields_not_claimed(claimed, "other", [])


EVENT = Field(
    "homeless", FieldType.DATE, Combine.MINIMUM, Category.HOUSING, outcome=True
)  # fmt: skip


def test_a_manifest_says_which_fields_are_outcomes(council: Council) -> None:
    [declared] = fields_of(Schema("homes", RecordLevel.HOUSEHOLD, (EVENT,)))
    claimed = Declarations(sources=(DeclaredSource(kind="meters", fields=(declared,)),))
    shutil.rmtree(council.registry)
    council.keeper().init("The region")
    council.add(sign(council.manifest(declares=claimed), council.vendor))
    manifest = council.stands().manifest
    assert manifest is not None
    assert manifest.declares == claimed
    assert "Gives: homeless (an outcome)" in (council.registry / PAGE).read_text()

    assert fields_not_claimed(claimed, "meters", [declared]) == ()
    other = declared.model_copy(update={"outcome": False})
    (said,) = fields_not_claimed(claimed, "meters", [other])
    assert "the field 'homeless' is no outcome" in said
    older = Declarations(sources=(DeclaredSource(kind="meters", fields=(other,)),))
    (said,) = fields_not_claimed(older, "meters", [declared])
    assert "the field 'homeless' is an outcome" in said


def test_a_manifest_from_before_outcomes_is_the_same_bytes() -> None:
    older = {"name": "debt", "type": "number", "unit": "GBP", "category": "", "protected": ""}
    assert DeclaredField.model_validate(older).model_dump(mode="json") == older


def test_what_is_granted_is_compared_with_what_is_asked(council: Council) -> None:
    shutil.rmtree(council.registry)
    council.keeper().init("The region")
    asked = Privileges(network=("a.example.org",), files=False, memory_mib=4096)
    council.add(sign(council.manifest(privileges=asked), council.vendor))
    granted = Privileges(network=("b.example.org",), files=True)
    found = council.stands(council.pin(granted))
    blocked(found, Reason.GRANTED_TOO_MUCH, "b.example.org", "files")
    notes = [str(one) for one in found.notes if one.reason is Reason.GRANTED_TOO_LITTLE]
    assert len(notes) == 2
    assert "a.example.org" in notes[0]
    assert "4096 MiB" in notes[1]
    assert not council.stands(council.pin(asked)).problems


def test_the_sdk_must_be_one_that_the_plugin_works_with(council: Council) -> None:
    def stands(sdk: str) -> Standing:
        trusted = council.trusted
        registry = open_registry(council.registry, trusted)
        return standing(NAME, council.pin(), registry, trusted, TODAY,
                        installation=council.installation, sdk=sdk)  # fmt: skip

    assert not stands("0.4.0").problems
    assert not stands("8.0.0.dev1").problems
    blocked(stands("9.0"), Reason.OTHER_SDK, "9.0")


def test_a_report_counts_if_it_is_needed_and_passed(council: Council) -> None:
    blocked(council.stands(require_report=True), Reason.NOT_REPORTED)
    council.add(sign(council.report(), council.vendor))
    found = council.stands(require_report=True)
    assert found.problems, "the vendor's own report does not count"
    council.add(sign(council.report(), council.kit))
    found = council.stands(require_report=True)
    assert not found.problems
    assert found.reported
    failed = Outcome(check="order", passed=False, finding="rows", remedy="x")
    council.add(sign(council.report(failed), council.khan))
    found = council.stands(require_report=True)
    blocked(found, Reason.NOT_REPORTED, "order")
    assert not found.reported
    assert not council.stands().problems, "and only then"


@pytest.mark.parametrize(
    "changed",
    [
        {"valid_from": TODAY - 9 * DAY, "valid_until": TODAY - DAY},
        {"content": f"sha256:{'0' * 64}"},
        {"outcomes": ()},
    ],
)
def test_a_report_that_is_old_or_about_other_files_or_empty_does_not_count(
    council: Council, changed: dict[str, object]
) -> None:
    council.add(sign(council.report(**changed), council.kit))
    found = council.stands(require_report=True)
    assert Reason.NOT_REPORTED in {one.reason for one in found.problems}
    assert found.problems


REVIEWS: dict[str, tuple[Callable[[Council], list[bytes]], str]] = {}


def reviews(words: str) -> Callable[[Callable[[Council], list[bytes]]], None]:
    def keep(make: Callable[[Council], list[bytes]]) -> None:
        REVIEWS[make.__name__] = (make, words)

    return keep


def both(council: Council, **changed: object) -> list[bytes]:
    return [
        sign(council.review("A. Khan", "Exampleton Council"), council.khan),
        sign(council.review("B. Jones", "Otherham Council", **changed), council.jones),
    ]


def trust_reviewer(council: Council, person: str, organisation: str, key: object) -> None:
    assert isinstance(key, Ed25519PrivateKey)
    council.trust(
        f'[[reviewers]]\nperson = "{person}"\norganisation = "{organisation}"\n'
        f'key = "{key_text(key)}"\n\n{council.keys_file()}'
    )


@reviews("1 of 2")
def one_alone(council: Council) -> list[bytes]:
    return both(council)[:1]


@reviews("reviewed it already")
def the_same_person_twice(council: Council) -> list[bytes]:
    return [both(council)[0], sign(council.review("A. Khan", "Exampleton Council",
            statement="Again."), council.khan)]  # fmt: skip


@reviews("from an organisation that has reviewed it already")
def two_people_of_one_organisation(council: Council) -> list[bytes]:
    other = Ed25519PrivateKey.generate()
    trust_reviewer(council, "C. Singh", "EXAMPLETON  council.", other)
    return [both(council)[0], sign(council.review("C. Singh", "Exampleton Council"), other)]


@reviews("by a person who has reviewed it already")
def one_person_with_two_keys(council: Council) -> list[bytes]:
    other = Ed25519PrivateKey.generate()
    trust_reviewer(council, "a khan", "Otherham Council", other)
    return [both(council)[0], sign(council.review("A. Khan", "Otherham Council"), other)]


@reviews("does not trust to review")
def a_key_that_nobody_trusts(council: Council) -> list[bytes]:
    other = Ed25519PrivateKey.generate()
    return [both(council)[0], sign(council.review("B. Jones", "Otherham Council"), other)]


@reviews("does not trust to review")
def the_vendors_key(council: Council) -> list[bytes]:
    body = council.review("B. Jones", "Otherham Council")
    return [both(council)[0], sign(body, council.vendor)]


@reviews("is by the vendor")
def the_vendor_with_a_reviewers_key(council: Council) -> list[bytes]:
    other = Ed25519PrivateKey.generate()
    trust_reviewer(council, "C. Singh", "ENERGY DATA LTD.", other)
    return [both(council)[0], sign(council.review("C. Singh", "Energy Data Ltd"), other)]


@reviews("is signed by the key of A. Khan")
def somebody_elses_name(council: Council) -> list[bytes]:
    body = council.review("B. Jones", "Otherham Council")
    return [both(council)[0], sign(body, council.khan)]


@reviews("expired on")
def an_old_review(council: Council) -> list[bytes]:
    return both(council, valid_from=TODAY - 9 * DAY, valid_until=TODAY - DAY)


@reviews("is valid from")
def a_review_of_tomorrow(council: Council) -> list[bytes]:
    return both(council, valid_from=TODAY + DAY)


@reviews("about other files")
def a_review_of_other_files(council: Council) -> list[bytes]:
    return both(council, content=f"sha256:{'0' * 64}")


@pytest.mark.parametrize("how", REVIEWS)
def test_two_reviews_that_are_not_of_two_people_of_two_organisations_are_not_enough(
    council: Council, how: str
) -> None:
    make, words = REVIEWS[how]
    council.add(*make(council))
    found = council.stands()
    assert not found.problems, "reviews are no condition"
    assert not found.reviewed
    assert words in "\n".join(map(str, found.notes))


def test_two_reviews_of_two_people_of_two_organisations_are_enough(council: Council) -> None:
    council.add(*both(council))
    found = council.stands()
    assert found.reviewed, found.notes
    assert {one.person for one in found.reviews} == {"A. Khan", "B. Jones"}
    of = key_id(public_key(council.jones))
    council.keeper().revoke(Revocation(key=of, since=TODAY, reason="Lost."))
    assert not council.stands().reviewed


def test_reviews_of_another_wheel_are_of_no_use(council: Council) -> None:
    council.add(*both(council))
    other = council.folder / "registry" / "other"
    other.mkdir()
    pin = council.pin()
    unlike = write_wheel(other, points=POINTS + f"more = {MODULE}\n")
    shutil.rmtree(council.site)
    council.site.mkdir()
    unpack(unlike, council.site)
    for path in council.folder.glob("*.whl"):
        path.unlink()
    unlike.rename(council.folder / unlike.name)
    council.add(sign(council.manifest(), council.vendor))
    assert council.pin().wheel != pin.wheel
    found = council.stands()
    assert not found.problems
    assert not found.reviewed
