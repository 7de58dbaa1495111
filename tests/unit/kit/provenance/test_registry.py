"""A registry: what keeps it, carries it to nodes, and keeps old ones from hiding anything."""

from __future__ import annotations

import datetime
import stat
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot_kit.provenance import NewestRegistry, key_id, open_registry, public_key, sign
from folkmoot_kit.provenance.bundle import check_registry, import_registry, write_bundle
from folkmoot_kit.provenance.registry_index import INDEX, PAGE, Index, Revocation, digest
from folkmoot_operator.problems import ExitCode, Problem
from tests.plugin_council import NAME, SBOM, TODAY, Council, key_text, make_council

DAY = datetime.timedelta(days=1)


@pytest.fixture
def council(tmp_path: Path) -> Council:
    return make_council(tmp_path)


def bundle(council: Council, name: str = "registry.zip") -> Path:
    path = council.folder / name
    write_bundle(open_registry(council.registry, council.trusted), path)
    return path


def take_over(council: Council, source: Path) -> Index:
    return import_registry(source, council.folder / "own", council.trusted, council.newest)


def refused(council: Council, source: Path, words: str = ".") -> None:
    own = council.folder / "own"
    before = {path: path.read_bytes() for path in own.rglob("*") if path.is_file()}
    with pytest.raises(Problem, match=words) as caught:
        take_over(council, source)
    assert caught.value.exit_code is ExitCode.VERIFICATION
    assert caught.value.remedy
    after = {path: path.read_bytes() for path in own.rglob("*") if path.is_file()}
    assert after == before


def test_each_change_has_a_higher_number(council: Council) -> None:
    numbers = [open_registry(council.registry, council.trusted).index.body.number]
    numbers.append(council.keeper().refresh().number)
    numbers.append(
        council.keeper().revoke(Revocation(key="1" * 64, since=TODAY, reason="x")).number
    )
    council.add(sign(council.report(), council.kit))
    numbers.append(check_registry(council.registry).body.number)
    assert numbers == list(range(2, 6))


def test_the_list_names_every_file(council: Council) -> None:
    found = check_registry(council.registry).body
    files = {
        path.relative_to(council.registry).as_posix()
        for path in council.registry.rglob("*")
        if path.is_file()
    }
    assert files == {INDEX, *found.documents}
    assert PAGE in found.documents
    for path, of in found.documents.items():
        assert digest((council.registry / path).read_bytes()) == of
    mode = (council.registry / INDEX).stat().st_mode
    assert mode & stat.S_IRUSR
    assert not mode & stat.S_IXUSR


def test_a_registry_is_made_once_and_kept_by_one_key(council: Council) -> None:
    with pytest.raises(Problem) as caught:
        council.keeper().init("Other")
    assert caught.value.exit_code is ExitCode.REFUSED
    council.registry_key = Ed25519PrivateKey.generate()
    with pytest.raises(Problem, match="another") as caught:
        council.keeper().refresh()
    assert caught.value.exit_code is ExitCode.USAGE


def test_what_is_no_document_is_not_added(council: Council, tmp_path: Path) -> None:
    other = sign(council.manifest(wheel=f"sha256:{'9' * 64}"), council.vendor)
    lonely = sign(council.review("A", "B", wheel=f"sha256:{'8' * 64}"), council.khan)
    changed = bytearray(other)
    changed[200] ^= 1
    for content, words in (
        (b"{}\n", "signed document"),
        (bytes(changed), "."),
        (lonely, "no manifest of the wheel"),
        (b'{"bomFormat": "CycloneDX", "x": 1}', "no manifest names"),
        (sign(check_registry(council.registry).body, council.registry_key), "plugin registry"),
    ):
        with pytest.raises(Problem, match=words):
            council.add(content)
    assert check_registry(council.registry).body.number == 2
    council.add(other)


def test_the_page_says_what_is_there_and_runs_nothing(council: Council) -> None:
    evil = "<script>alert(1)</script>"
    council.add(sign(council.review(evil, "Exampleton", statement=evil), council.khan))
    council.keeper().revoke(Revocation(wheel=council.wheel.digest, since=TODAY, reason=evil))
    text = (council.registry / PAGE).read_text()
    tags: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            tags.append(tag)

    Tags().feed(text)
    assert "script" not in tags
    assert text.startswith('<!doctype html>\n<html lang="en-GB">')
    assert tags.count("h1") == 1
    for said in (NAME, "Energy Data Ltd", "Apache-2.0", council.wheel.digest, "&lt;script&gt;",
                 key_id(public_key(council.registry_key))):  # fmt: skip
        assert said in text


def test_a_bundle_is_the_same_bytes_and_is_taken_over(council: Council) -> None:
    assert bundle(council).read_bytes() == bundle(council, "again.zip").read_bytes()
    taken = take_over(council, bundle(council))
    assert taken == check_registry(council.folder / "own").body
    assert taken == take_over(council, council.registry), "and so is a folder"
    assert open_registry(council.folder / "own", council.trusted).manifests(
        NAME, council.wheel.digest
    )


def test_documents_that_are_gone_are_deleted(council: Council) -> None:
    take_over(council, bundle(council))
    stray = council.folder / "own" / NAME / "1.2.0" / "review-0000.json"
    stray.write_text("{}")
    council.keeper().refresh()
    take_over(council, bundle(council))
    assert not stray.exists()
    check_registry(council.folder / "own")


def test_an_old_bundle_cannot_hide_a_revocation(council: Council) -> None:
    old = bundle(council, "old.zip")
    council.keeper().revoke(Revocation(wheel=council.wheel.digest, since=TODAY, reason="Bad."))
    take_over(council, bundle(council))
    refused(council, old, "has seen number 3 already")
    own = council.folder / "own"
    with zipfile.ZipFile(old) as archive:  # put there by hand
        archive.extractall(own)
    index = open_registry(own, council.trusted).index
    with pytest.raises(Problem, match="has seen number 3"):
        council.newest.accept(index)


def test_two_lists_of_one_number_are_refused(council: Council) -> None:
    take_over(council, bundle(council))
    body = check_registry(council.registry).body
    other = body.model_copy(update={"fresh_until": body.fresh_until + DAY})
    (council.registry / INDEX).write_bytes(sign(other, council.registry_key))
    refused(council, council.registry, "another list with number 2")


def test_the_number_is_remembered_for_each_key(council: Council) -> None:
    take_over(council, bundle(council))
    new = Ed25519PrivateKey.generate()
    other = check_registry(council.registry).body.model_copy(update={"number": 1})
    (council.registry / INDEX).write_bytes(sign(other, new))
    refused(council, council.registry, "follows The region")
    council.trust(council.keys_file().replace(key_text(council.registry_key), key_text(new)))
    take_over(council, council.registry)


@pytest.mark.parametrize(
    "content", [b"", b"{}x", b"[]\n", b'{\n "a": 1\n}\n', b'{\n "a": [\n  "1",\n  "2"\n ]\n}\n']
)
def test_a_damaged_memory_is_not_taken_for_none(council: Council, content: bytes) -> None:
    (council.folder / "newest").write_bytes(content)
    with pytest.raises(Problem, match="damaged") as caught:
        take_over(council, bundle(council))
    assert caught.value.exit_code is ExitCode.VERIFICATION
    assert not (council.folder / "own").exists()


def test_the_memory_is_private(council: Council) -> None:
    take_over(council, bundle(council))
    assert stat.S_IMODE((council.folder / "newest").stat().st_mode) == 0o600


def test_what_was_taken_out_or_changed_is_named(council: Council) -> None:
    for path in sorted(council.registry.rglob("*")):
        if not path.is_file() or path.name == INDEX:
            continue
        content = path.read_bytes()
        path.unlink()
        refused(council, council.registry, path.name)
        path.write_bytes(content + b"\n")
        refused(council, council.registry, path.name)
        path.write_bytes(content)
    take_over(council, council.registry)


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 0.999))
def test_a_bundle_that_was_cut_is_refused(share: float, cut: tuple[Council, bytes]) -> None:
    council, content = cut
    path = council.folder / "cut.zip"
    path.write_bytes(content[: int(len(content) * share)])
    refused(council, path)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_changed_byte_of_a_bundle_changes_nothing_that_is_taken_over(
    data: st.DataObject, cut: tuple[Council, bytes]
) -> None:
    council, content = cut
    changed = bytearray(content)
    changed[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path = council.folder / "changed.zip"
    path.write_bytes(changed)
    try:
        taken = take_over(council, path)
    except Problem:
        return
    assert taken == check_registry(council.registry).body  # dates in the archive's own headers


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> tuple[Council, bytes]:
    council = make_council(tmp_path_factory.mktemp("cut"))
    return council, bundle(council).read_bytes()


def test_a_bundle_of_another_kind_is_refused(council: Council) -> None:
    path = council.folder / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "y")
    refused(council, path, "no bundle")
    content = bundle(council).read_bytes()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(INDEX, (council.registry / INDEX).read_bytes())
        archive.writestr("bomb", bytes(64 * 1024 * 1024))
    refused(council, path, "too long")
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr(INDEX, b"{}")
    refused(council, path, "two files of one name")


@pytest.mark.parametrize(
    "path", ["../x.json", "/etc/x", "a/../b", "a//b", "a/b/c/d", f"a/{INDEX}", ".x", "a\\b", ""]
)
def test_a_list_that_names_files_outside_the_registry_is_none(council: Council, path: str) -> None:
    body = check_registry(council.registry).body
    other = body.model_copy(update={"documents": {path: f"sha256:{'0' * 64}"}})
    (council.registry / INDEX).write_bytes(sign(other, council.registry_key))
    refused(council, council.registry)
    assert not (council.folder.parent / "x.json").exists()


def test_a_revocation_names_a_wheel_or_a_key() -> None:
    with pytest.raises(ValueError, match="a wheel or a key"):
        Revocation(since=TODAY, reason="x")
    with pytest.raises(ValueError, match="a wheel or a key"):
        Revocation(wheel=f"sha256:{'1' * 64}", key="1" * 64, since=TODAY, reason="x")


def test_what_is_revoked_already_is_said(council: Council) -> None:
    what = Revocation(key="1" * 64, since=TODAY, reason="x")
    council.keeper().revoke(what)
    with pytest.raises(Problem) as caught:
        council.keeper().revoke(what)
    assert caught.value.exit_code is ExitCode.REFUSED


def test_the_list_of_components_is_carried(council: Council) -> None:
    [path] = council.registry.rglob("sbom-*.json")
    assert path.read_bytes() == SBOM
    assert council.manifest().sbom == digest(SBOM)


def test_nothing_is_remembered_that_was_not_written(
    council: Council, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that lost power in between is not left without any registry that it accepts."""
    take_over(council, bundle(council))
    council.keeper().refresh()
    from folkmoot_kit.provenance import bundle as module

    def power_cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_private", power_cut)
    with pytest.raises(KeyboardInterrupt):
        take_over(council, bundle(council))
    own = open_registry(council.folder / "own", council.trusted)
    NewestRegistry(council.folder / "newest").accept(own.index)
