"""The structure that the privacy promise rests on, checked over source and descriptors."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from folkmoot.v1 import collection_pb2, enrolment_pb2

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "node" / "folkmoot_node"


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            if "_pb2" not in path.name and "build" not in path.parts:
                yield path


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def importers(top: str, *folders: str) -> set[str]:
    found = set()
    for path in sources(*folders):
        names = imported(ast.parse(path.read_text()))
        if any(name == top or name.startswith(f"{top}.") for name in names):
            found.add(str(path.relative_to(ROOT)))
    return found


def callers(name: str, *folders: str) -> set[str]:
    found = set()
    for path in sources(*folders):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if called == name:
                    found.add(str(path.relative_to(ROOT)))
    return found


def test_only_the_release_imports_opendp() -> None:
    everything = ("node", "coordinator", "proto", "operator", "plugins", "rehearsal")
    assert importers("opendp", *everything) == {"node/folkmoot_node/release.py"}


def test_only_release_and_codec_make_noisy_counts() -> None:
    assert callers("NoisyCounts", "node", "proto", "coordinator") == {
        "node/folkmoot_node/release.py",
        "proto/folkmoot/codec.py",
    }


def test_exact_counts_are_made_by_tabulate_and_read_by_release() -> None:
    assert callers("ExactCounts", "node") == {"node/folkmoot_node/tabulate.py"}
    readers = {
        str(path.relative_to(NODE))
        for path in sources("node")
        if re.search(r"\._tables\b", path.read_text())
    }
    assert readers == {"counts.py", "release.py"}


def test_nothing_in_the_node_draws_random_numbers_from_numpy() -> None:
    for path in sources("node"):
        text = path.read_text()
        assert "numpy.random" not in text, path
        assert "np.random" not in text, path


@pytest.mark.parametrize("folder", ["proto", "coordinator"])
def test_residents_are_not_spoken_of_outside_the_node(folder: str) -> None:
    words = re.compile(
        r"\buprn\b|date_of_birth|\bdob\b|nhs_number|\bnino\b|surname|forename|postcode",
        re.IGNORECASE,
    )
    for path in (ROOT / folder).rglob("*"):
        if path.suffix in {".py", ".proto", ".pyi", ".toml", ".md", ".sql"}:
            assert not words.search(path.read_text()), path


SENT_BY_NODES = (
    enrolment_pb2.EnrolRequest,
    enrolment_pb2.RenewRequest,
    collection_pb2.NegotiateRequest,
    collection_pb2.ListReceiptsRequest,
    collection_pb2.ListRoundsRequest,
    collection_pb2.SubmitRequest,
    collection_pb2.RefuseRequest,
)
IDENTIFIERS = {"council", "round_id"}
DIGESTS_AND_KEYS = {
    "round_digest",
    "release_digest",
    "answers_digest",
    "ledger_entry",
    "token",
    "csr",
}


def fields(message: Descriptor) -> Iterator[FieldDescriptor]:
    for field in message.fields:
        yield field
        if field.message_type is not None:
            yield from fields(field.message_type)


def test_the_messages_nodes_send_have_no_room_for_text() -> None:
    requests = {
        method.input_type.name
        for service in (
            *collection_pb2.DESCRIPTOR.services_by_name.values(),
            *enrolment_pb2.DESCRIPTOR.services_by_name.values(),
        )
        for method in service.methods
    }
    assert requests == {message.DESCRIPTOR.name for message in SENT_BY_NODES}
    for message in SENT_BY_NODES:
        for field in fields(message.DESCRIPTOR):
            if field.type == FieldDescriptor.TYPE_STRING:
                assert field.name in IDENTIFIERS, field.full_name
            if field.type == FieldDescriptor.TYPE_BYTES:
                assert field.name in DIGESTS_AND_KEYS, field.full_name
            assert field.type not in {
                FieldDescriptor.TYPE_DOUBLE,
                FieldDescriptor.TYPE_FLOAT,
            }, f"{field.full_name} is floating-point"


def test_every_field_of_the_contract_is_commented() -> None:
    for path in (ROOT / "proto/folkmoot/v1").glob("*.proto"):
        lines = path.read_text().splitlines()
        for at, line in enumerate(lines):
            if re.match(r"\s+(repeated )?[\w.]+ \w+ = \d+;", line):
                assert lines[at - 1].strip().startswith("//"), f"{path.name}:{at + 1}"


def test_there_is_no_drawer() -> None:
    for path in sources("node", "coordinator", "proto", "operator", "plugins", "rehearsal"):
        assert path.stem not in {"utils", "util", "common", "helpers", "misc"}, path
