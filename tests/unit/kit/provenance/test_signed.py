"""A signed document is the bytes that were signed, of its kind, by its key; all else is none."""

from __future__ import annotations

import datetime
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot_kit.provenance import (
    Declarations,
    Manifest,
    Outcome,
    Report,
    Review,
    canonical_json,
    key_id,
    load_key,
    new_key,
    public_key,
    sign,
)
from folkmoot_kit.provenance.registry_index import Index
from folkmoot_kit.provenance.signed import Document, read_signed, read_signed_file
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.signatures import domain

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
DAY = datetime.date(2026, 11, 29)
ABOUT: dict[str, Any] = {
    "distribution": "folkmoot-plugin-x",
    "version": "1.0",
    "wheel": f"sha256:{'1' * 64}",
    "content": f"sha256:{'2' * 64}",
    "valid_from": DAY,
    "valid_until": DAY + datetime.timedelta(days=30),
}
DOCUMENTS: dict[str, Document] = {
    "manifest": Manifest(
        **ABOUT,
        vendor="Énergie Ltd",
        licence="MIT",
        sbom=f"sha256:{'3' * 64}",
        sdk=">=0.1,<0.2",
        declares=Declarations(),
        files={"x.py": "4" * 64},
    ),
    "review": Review(**ABOUT, person="A. Khan", organisation="Exampleton", statement="Read it."),
    "report": Report(
        **ABOUT, kit="0.1", sdk="0.1", outcomes=(Outcome(check="order", passed=False),)
    ),
    "registry": Index(name="R", number=3, made_on=DAY, fresh_until=DAY, documents={}),
}


def refused(model: type[Document], content: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        read_signed(model, content, "x.json")
    assert caught.value.exit_code is ExitCode.VERIFICATION
    assert caught.value.where == "x.json"
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_what_was_signed_is_read_again(kind: str) -> None:
    body = DOCUMENTS[kind]
    found = read_signed(type(body), sign(body, KEY), "x.json")
    assert found.body == body
    assert found.key == public_key(KEY)
    assert found.key_id == key_id(public_key(KEY))


@pytest.mark.parametrize("kind", DOCUMENTS)
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_no_byte_can_be_changed(kind: str, data: st.DataObject) -> None:
    body = DOCUMENTS[kind]
    content = bytearray(sign(body, KEY))
    begin = data.draw(st.integers(0, len(content) - 1))
    how = data.draw(st.sampled_from(["flip", "remove", "insert", "digit"]))
    if how == "flip":
        content[begin] ^= data.draw(st.integers(1, 255))
    elif how == "remove":
        del content[begin : begin + data.draw(st.integers(1, 40))]
    elif how == "insert":
        content[begin:begin] = data.draw(st.binary(min_size=1, max_size=8))
    else:
        content[begin] = data.draw(st.sampled_from(b'0123456789abcdef", \n}'))
    if bytes(content) != sign(body, KEY):
        refused(type(body), bytes(content))


def test_every_byte_of_a_document_counts() -> None:
    body = DOCUMENTS["review"]
    content = sign(body, KEY)
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        refused(Review, bytes(changed))


@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.parametrize("other", DOCUMENTS)
def test_a_document_is_of_its_own_kind_alone(kind: str, other: str) -> None:
    if kind == other:
        return
    body, model = DOCUMENTS[kind], type(DOCUMENTS[other])
    refused(model, sign(body, KEY))
    whole = json.loads(sign(body, KEY))
    whole["kind"] = model.kind
    refused(model, canonical_json.encode(whole))


def test_the_signature_of_one_body_is_not_that_of_another_kind_with_the_same_body() -> None:
    class First(Document):
        kind = "plugin first"

    class Second(Document):
        kind = "plugin second"

    whole = json.loads(sign(First(), KEY))
    whole["kind"] = Second.kind
    assert "signature is not valid" in refused(Second, canonical_json.encode(whole)).problem


def test_the_domains_of_all_kinds_differ_and_none_begins_another() -> None:
    kinds = [type(body).kind for body in DOCUMENTS.values()]
    kinds += ["release policy", "casework policy"]
    domains = [domain(kind) for kind in kinds]
    assert len(set(domains)) == len(domains)
    for one in domains:
        assert not any(other.startswith(one) for other in domains if other != one)


def test_a_key_cannot_be_put_in_the_place_of_another() -> None:
    whole = json.loads(sign(DOCUMENTS["review"], KEY))
    whole["key"] = public_key(OTHER).hex()
    refused(Review, canonical_json.encode(whole))
    other = json.loads(sign(DOCUMENTS["review"], OTHER))
    whole["key"] = public_key(KEY).hex()
    whole["signature"] = other["signature"]
    refused(Review, canonical_json.encode(whole))


SMALL = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"


@pytest.mark.parametrize(
    "key",
    [
        "00" * 32,
        "01" + "00" * 31,
        "01" + "00" * 30 + "80",
        "ec" + "ff" * 31,
        "ee" + "ff" * 30 + "7f",
        SMALL,
        SMALL[:-2] + "85",
        "ff" * 32,
        "",
        "zz",
        "00" * 31,
    ],
)
def test_keys_of_small_order_sign_nothing(key: str) -> None:
    whole = json.loads(sign(DOCUMENTS["review"], KEY))
    whole["key"] = key
    for signature in ("00" * 64, "01" + "00" * 63, whole["signature"], ""):
        whole["signature"] = signature
        refused(Review, canonical_json.encode(whole))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]\n",
        b"null\n",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": 1.5}\n',
        b'{"a": NaN}\n',
        b'{"a": 1, "a": 1}\n',
        b'{"a": 1e400}\n',
        b"9" * 100_000,
        b'{"a": "\\ud800"}\n',
        b" " * (canonical_json.MAX_BYTES + 1),
    ],
    ids=range(13),
)
def test_what_is_no_document_is_refused(content: bytes) -> None:
    refused(Review, content)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda held: (
        st.lists(held, max_size=3) | st.dictionaries(st.text(max_size=5), held, max_size=3)
    ),
    max_leaves=8,
)


@given(value=PLAIN)
def test_a_value_has_one_form_that_is_read_again(value: Any) -> None:
    content = canonical_json.encode(value)
    assert canonical_json.decode(content, "x") == value


@given(value=PLAIN, indent=st.sampled_from([None, 0, 2]))
def test_another_form_of_a_value_is_refused(value: Any, indent: int | None) -> None:
    other = json.dumps(value, indent=indent).encode()
    with pytest.raises(Problem):
        canonical_json.decode(other, "x")


@pytest.mark.parametrize("value", [1.5, float("nan"), 2**60, {1: "a"}, b"x", "\ud800"])
def test_what_has_no_one_form_is_not_written(value: Any) -> None:
    with pytest.raises(ValueError):
        canonical_json.encode(value)


def signed_by_hand(body: dict[str, Any], before: bytes) -> bytes:
    """A document whose signature is over what is given in front of its body."""
    signature = KEY.sign(before + canonical_json.encode(body))
    key = public_key(KEY).hex()
    return canonical_json.encode(
        {"kind": Review.kind, "body": body, "key": key, "signature": signature.hex()}
    )


def test_what_is_signed_is_kind_key_and_body() -> None:
    body = DOCUMENTS["review"].model_dump(mode="json")
    public = public_key(KEY)
    read_signed(Review, signed_by_hand(body, domain(Review.kind) + public), "x.json")
    for before in (b"", public, domain(Review.kind), domain(Manifest.kind) + public):
        refused(Review, signed_by_hand(body, before))


@pytest.mark.parametrize("change", [{"valid_from": "2026-11-29T00:00:00"}, {"format": None}])
def test_a_body_that_can_be_read_in_two_ways_is_refused(change: dict[str, Any]) -> None:
    """Such as one that leaves out what it could say, though its signature is valid."""
    body = DOCUMENTS["review"].model_dump(mode="json") | change
    body = {key: value for key, value in body.items() if value is not None}
    refused(Review, signed_by_hand(body, domain(Review.kind) + public_key(KEY)))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("person", "A\u202eK"),
        ("person", "A\nK"),
        ("person", ""),
        ("person", " A"),
        ("person", "A" * 2001),
        ("wheel", "1" * 64),
        ("wheel", f"sha256:{'1' * 64}\n"),
        ("distribution", "Folkmoot_Plugin"),
        ("distribution", "../x"),
        ("version", "1.0/.."),
        ("valid_until", DAY - datetime.timedelta(days=1)),
        ("valid_until", DAY + datetime.timedelta(days=3 * 366 + 1)),
        ("more", "x"),
    ],
)
def test_a_body_that_says_what_it_must_not_is_refused(key: str, value: Any) -> None:
    with pytest.raises(ValueError):
        Review(**{**ABOUT, "person": "A", "organisation": "B", "statement": "C", key: value})


def test_a_key_is_private_and_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    made = new_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert public_key(load_key(path)) == public_key(made)
    content = path.read_bytes()
    with pytest.raises(Problem) as caught:
        new_key(path)
    assert caught.value.exit_code is ExitCode.REFUSED
    assert path.read_bytes() == content


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    new_key(path)
    path.chmod(0o640)
    with pytest.raises(Problem, match="other accounts") as caught:
        load_key(path)
    assert "chmod 600" in caught.value.remedy
    assert "replaced" in caught.value.remedy, "it may be known by now"


def test_a_key_that_is_none_is_said(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    for content in (b"", b"x" * 70_000, b"-----BEGIN PRIVATE KEY-----\n"):
        path.write_bytes(content)
        with pytest.raises(Problem) as caught:
            load_key(path)
        assert caught.value.exit_code is ExitCode.SETTINGS


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="not there"):
        read_signed_file(Review, tmp_path / "x.json")
    with pytest.raises(Problem, match="folder"):
        read_signed_file(Review, tmp_path)
    (tmp_path / "long").write_bytes(b"x" * (canonical_json.MAX_BYTES + 1))
    with pytest.raises(Problem, match="longer"):
        read_signed_file(Review, tmp_path / "long")
