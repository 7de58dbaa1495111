"""The structure that the privacy promise rests on, checked over source and descriptors."""

from __future__ import annotations

import ast
import functools
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, ServiceDescriptor

from folkmoot.v1 import catalogue_pb2, round_pb2

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "node" / "folkmoot_node"
CATALOGUE = catalogue_pb2.Catalogue.DESCRIPTOR


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


def called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield node.func.id if isinstance(node.func, ast.Name) else node.func.attr


@functools.cache
def names_in(path: Path) -> tuple[frozenset[str], frozenset[str]]:
    """What a module imports, and what it calls; each is read once for all tests."""
    tree = ast.parse(path.read_text())
    return frozenset(imported(tree)), frozenset(called(tree))


def importers(top: str, *folders: str) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for path in sources(*folders)
        if any(name == top or name.startswith(f"{top}.") for name in names_in(path)[0])
    }


def callers(name: str, *folders: str) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in sources(*folders) if name in names_in(path)[1]}


def test_only_the_release_imports_opendp() -> None:
    everything = ("node", "coordinator", "proto", "operator", "web", "plugins", "rehearsal")
    assert importers("opendp", *everything) == {"node/folkmoot_node/release/mechanism.py"}


def test_only_release_and_codec_make_noisy_counts() -> None:
    assert callers("NoisyCounts", "node", "proto", "coordinator") == {
        "node/folkmoot_node/release/mechanism.py",
        "proto/folkmoot/answer_codec.py",
    }


def test_exact_counts_are_made_by_tabulate_and_read_by_release() -> None:
    assert callers("ExactCounts", "node") == {"node/folkmoot_node/release/tabulate.py"}
    for name, readers in {
        "_tables": {"release/exact_counts.py", "release/mechanism.py"},
        "counter": {"release/tabulate.py"},
    }.items():
        assert readers == {
            str(path.relative_to(NODE))
            for path in sources("node")
            if re.search(rf"\.{name}\b", path.read_text())
        }


def test_only_the_release_reads_counts_and_only_measurements_get_them() -> None:
    """Contrasts are exact too: release.py makes them, and gives them to OpenDP only."""
    for name in ("contrasts", "marginal", "sensitivities"):
        found = callers(name, "node") - {"node/folkmoot_node/release/contrasts.py"}
        assert found == {"node/folkmoot_node/release/mechanism.py"}, name
    assert importers("folkmoot_node.release.contrasts", "node", "rehearsal") == {
        "node/folkmoot_node/release/mechanism.py"
    }
    tree = ast.parse((NODE / "release" / "mechanism.py").read_text())
    read = {
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"exact", "_tables"}
    }
    assert read == {"task.exact", "counts._tables"}
    drawn = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and "task.exact" in ast.unparse(node)
    ]
    assert drawn == ["task.measurement(task.exact.tolist())", "task.exact.tolist()"]
    assert callers("_tasks", "node") == {"node/folkmoot_node/release/mechanism.py"}


def test_nothing_in_the_node_draws_noise_but_opendp() -> None:
    """Random numbers that are not noise: names of runs and files, keys, a password, waits,
    the order in which factors of others see households, and what a back-test draws from a seed."""
    random_numbers = {
        "node/folkmoot_node/casework/ids.py": "secrets",
        "node/folkmoot_node/casework/referrals/links.py": "secrets",
        "node/folkmoot_node/casework/settings.py": "secrets",
        "node/folkmoot_node/evidence/ledger.py": "secrets",
        "node/folkmoot_node/evidence/scoring_runs.py": "secrets",
        "node/folkmoot_node/pipeline/own_run.py": "secrets",
        "node/folkmoot_node/pipeline/spool.py": "secrets",
        "node/folkmoot_node/scoring/independence.py": "secrets",
        "node/folkmoot_node/scoring/stratify.py": "secrets",
        "node/folkmoot_node/store/encrypted_file.py": "secrets",
        "node/folkmoot_node/store/sealing.py": "secrets",
        "operator/folkmoot_operator/backup_home.py": "secrets",
        "operator/folkmoot_operator/prefect_process.py": "secrets",
        "operator/folkmoot_operator/private_files.py": "secrets",
        "operator/folkmoot_operator/backoff.py": "random",
    }
    for name in ("random", "secrets"):
        assert importers(name, "node", "proto", "operator") == {
            path for path, used in random_numbers.items() if used == name
        }
    others = {
        path.relative_to(ROOT).as_posix()
        for path in sources("node", "proto", "operator")
        if re.search(r"(numpy|np)\.random|urandom|getrandbits", path.read_text())
    }
    assert others == {"node/folkmoot_node/evaluation/draws.py"}


def test_no_trace_shows_the_values_of_variables() -> None:
    """Frames of the release hold exact counts; a trace names them and shows none."""
    shows = re.compile(r"show_locals|capture_locals|cgitb|rich\.traceback|f_locals|\blocals\(\)")
    for path in sources("node", "coordinator", "proto", "operator", "web", "plugins"):
        assert not shows.search(path.read_text()), path


@pytest.mark.parametrize("folder", ["proto", "coordinator", "web"])
def test_residents_are_not_spoken_of_outside_the_node(folder: str) -> None:
    words = re.compile(
        r"\buprn\b|date_of_birth|\bdob\b|nhs_number|\bnino\b|surname|forename|postcode",
        re.IGNORECASE,
    )
    for path in (ROOT / folder).rglob("*"):
        if path.suffix in {".py", ".proto", ".pyi", ".toml", ".md", ".sql"}:
            assert not words.search(path.read_text()), path


IDENTIFIERS = {"council", "round_id"}
DIGESTS_AND_KEYS = {
    "round_digest", "release_digest", "ledger_entry", "answers_digest", "token", "csr",
    "signature", "policy_key", "ended_key_digest",
}  # fmt: skip
NUMBERS = {
    "protocol", "oldest", "newest",  # wire versions
    "rho_nano",  # the loss, which the round asked for
    "cells", "first_cell",  # a function of the round
    "values",  # the noisy counts
    "scores_day",  # the day on which scoring was asked for, whatever the records say
    "attribute_number",  # which attribute of the round is not permitted
    "series_step", "series_cohort",  # a function of which rounds were answered and arrived
}  # fmt: skip
OF_POLICIES = {"folkmoot.v1.SignedCatalogue.catalogue"}
"""What is made from policies and declared code lists alone; see the tests of it below."""
WHOLE = {
    FieldDescriptor.TYPE_UINT32,
    FieldDescriptor.TYPE_UINT64,
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_SINT64,
}


def services() -> Iterator[ServiceDescriptor]:
    """Every service of every file of the contract."""
    for path in sorted((ROOT / "proto/folkmoot/v1").glob("*.proto")):
        module = importlib.import_module(f"folkmoot.v1.{path.stem}_pb2")
        yield from module.DESCRIPTOR.services_by_name.values()


def fields(message: Descriptor, seen: frozenset[str] = frozenset()) -> Iterator[FieldDescriptor]:
    """Fields of a message and of all messages within it."""
    for field in message.fields:
        yield field
        if field.message_type is not None and field.message_type.full_name not in seen:
            yield from fields(field.message_type, seen | {message.full_name})


def has_room_for_text(field: FieldDescriptor) -> bool:
    """False if a field can only hold what is named above, a message or an enumeration."""
    if field.full_name in OF_POLICIES:
        return False
    if field.type in WHOLE:
        return field.name not in NUMBERS
    return {
        FieldDescriptor.TYPE_STRING: field.name not in IDENTIFIERS,
        FieldDescriptor.TYPE_BYTES: field.name not in DIGESTS_AND_KEYS,
        FieldDescriptor.TYPE_ENUM: False,
        FieldDescriptor.TYPE_MESSAGE: field.message_type is not None
        and not field.message_type.full_name.startswith("folkmoot."),
    }.get(field.type, True)


def test_the_messages_nodes_send_have_no_room_for_text() -> None:
    """By reflection over every call that there is: nodes call, and are never called."""
    requests = {method.input_type for service in services() for method in service.methods}
    assert len(requests) >= 7
    for request in requests:
        assert not request.is_extendable
        for field in fields(request):
            assert not has_room_for_text(field), field.full_name


def test_a_field_with_room_for_text_would_be_seen() -> None:
    """The coordinator's messages have such fields, and fields nobody thought of are seen."""
    assert {field.name for field in fields(round_pb2.Round.DESCRIPTOR) if has_room_for_text(field)}
    replies = {method.output_type for service in services() for method in service.methods}
    seen = {field.name for reply in replies for field in fields(reply) if has_room_for_text(field)}
    assert {"detail", "certificate"} <= seen


def test_a_catalogue_says_what_was_signed_and_no_more() -> None:
    """A field that is added here leaves the node as text: think before you add it."""
    assert {field.full_name.removeprefix("folkmoot.v1.") for field in fields(CATALOGUE)} == {
        "Catalogue.council",
        "Catalogue.attributes",
        "Catalogue.purposes",
        "Catalogue.mechanisms",
        "Catalogue.plugins",
        "Catalogue.per_round",
        "Catalogue.per_period",
        "Catalogue.lifetime",
        "Catalogue.per_series",
        "Catalogue.sunset_day",
        "Catalogue.policy_key",
        "CatalogueAttribute.name",
        "CatalogueAttribute.codes",
        "CatalogueAttribute.area_type",
        "CataloguePlugin.name",
        "CataloguePlugin.version",
        "PrivacyLoss.rho_nano",
    }


def test_a_catalogue_is_made_without_store_ledger_or_records() -> None:
    """Its one maker is given policies, settings and a day, and names nothing else of the node."""
    maker = "node/folkmoot_node/answering/catalogue.py"
    assert callers("Catalogue", "node") == {maker}
    assert callers("encode_catalogue", "node") == {maker}
    tree = ast.parse((ROOT / maker).read_text())
    assert {name for name in imported(tree) if name.startswith("folkmoot_node.")} == {
        "folkmoot_node.answering.event",
        "folkmoot_node.federation.client",
        "folkmoot_node.federation.identity",
        "folkmoot_node.home",
        "folkmoot_node.policies.release_policy",
        "folkmoot_node.policies.risk_policy",
        "folkmoot_node.scoring.binding",
        "folkmoot_node.settings.node_toml",
        "folkmoot_node.signals",  # the names of events
        "folkmoot_node.sources.connect",
    }
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "home"
    }
    assert used == {
        "release_policy", "risk_policy", "config", "today", "identity", "audit", "state", "clock",
    }  # fmt: skip


def test_nodes_send_nothing_beside_their_messages() -> None:
    """No metadata of a call, which would be text."""
    for path in sources("node"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "metadata":
                raise AssertionError(f"{path.name}:{node.value.lineno} sends metadata")


def test_every_field_of_the_contract_is_commented() -> None:
    for path in (ROOT / "proto/folkmoot/v1").glob("*.proto"):
        lines = path.read_text().splitlines()
        for at, line in enumerate(lines):
            if re.match(r"\s+(repeated )?[\w.]+ \w+ = \d+;", line):
                assert lines[at - 1].strip().startswith("//"), f"{path.name}:{at + 1}"


def test_there_is_no_drawer() -> None:
    for path in sources("node", "coordinator", "proto", "operator", "web", "plugins", "rehearsal"):
        assert path.stem not in {"utils", "util", "common", "helpers", "misc"}, path
