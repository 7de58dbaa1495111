"""A council leaves its region: nothing goes on, the evidence is exported, keys are destroyed.

What is left is a certificate that the node's key has signed before it was destroyed. It says what
the logs were, what was destroyed and what was not. Each step leaves something on disk by which a
repetition knows that it is done, so that it goes on wherever it was killed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from folkmoot.leaving import LEAVING, check_leaving
from folkmoot_node.evidence.fitted_policies import PROPOSED
from folkmoot_node.evidence.pauses import paused
from folkmoot_node.federation.trusted_authority import trusted_region
from folkmoot_node.home import SERVE_LOCK, NodeHome
from folkmoot_node.operations.exported_evidence import (
    check_exported,
    digests_of,
    export_evidence,
    heads_of,
)
from folkmoot_node.operations.pausing import pause
from folkmoot_node.pipeline.dry_run import FOLDER as TRIAL_FOLDER
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.store.encrypted_file import only_user
from folkmoot_operator import file_lock
from folkmoot_operator.accounts import Operator
from folkmoot_operator.backup_home import lies_in
from folkmoot_operator.key_files import KeyFile
from folkmoot_operator.moments import to_text
from folkmoot_operator.pauses import checked_reason
from folkmoot_operator.private_files import delete_private, make_private_folder, write_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.signed_statements import SignedStatement, read_statement, signed_statement

FOLDER, EVIDENCE, CERTIFICATE = "left", "evidence", "certificate-of-leaving.json"
"""In the node's folder, and in that folder: what is kept when a council has left."""
_PLAN = "destroying.json"
_BUSY = ("a scoring run is going on", "Run `folkmoot-node leave` again when it has ended")


class Step(StrEnum):
    """A step that is done."""

    STOPPED = "stopped"
    EXPORTED = "exported"
    PLANNED = "planned"
    DESTROYED = "destroyed"
    SIGNED = "signed"
    KEYS_DESTROYED = "keys destroyed"


@dataclass(frozen=True, slots=True)
class Doomed:
    """What is destroyed when a council leaves.

    Attributes:
        what: For people.
        path: File or folder, relative to the node's.
        files: Number of files.
    """

    what: str
    path: str
    files: int

    def as_json(self) -> dict[str, Any]:
        """As a certificate of leaving has it."""
        return {"what": self.what, "path": self.path, "files": self.files}


@dataclass(frozen=True, slots=True)
class Left:
    """A council that has left.

    Attributes:
        certificate: File of the certificate of leaving.
        body: What it says.
    """

    certificate: Path
    body: dict[str, Any]


def doomed(config: NodeConfig) -> tuple[Doomed, ...]:
    """What leaving would destroy now, the key of the store first."""
    return tuple(
        Doomed(what, str(path.relative_to(config.home)), _count(path))
        for what, path in _doomed(config)
        if path.exists() and _is_in(config.home, path)
    )


def remains(home: NodeHome) -> tuple[str, ...]:
    """What leaving does not destroy, and somebody has to think of."""
    config = home.config
    found = [
        "copies in backups: those of the store cannot be read without its key; delete copies of "
        "keys/ from them",
        f"the evidence in {FOLDER}/ and state.sqlite: ledger, answers, receipts and logs, which "
        "hold nothing about any household",
        "files that commands wrote where people said, such as lists of households, reports of "
        "`evaluate`, `fit` and `equality`, and documents with figures: delete yourself those that "
        "tell of residents",
    ]
    approved = config.approved_dossiers
    if approved.exists():
        found.append(
            "what people approved of how the node is set up, in "
            f"{approved.relative_to(config.home)}/: no figure over households is in it"
        )
    if home.audit.last((PROPOSED,)) is not None:
        found.append(
            "points that `fit` worked out from residents' records: they are in the policies that "
            f"it wrote; those of a policy in force are also in {FOLDER}/ and in what was approved"
        )
    if config.store_path.exists() and not config.key_file.exists():
        found.append(
            "the key of the store, which is not in the node's folder: where systemd hands it to "
            "services, delete the credential"
        )
    if any(config.extracts_folder.glob("*")):
        found.append(f"extracts in {config.extracts_folder.name}/: delete them yourself")
    if config.casework is not None:
        found.append(
            "casework: cases are records of their own, which end by the casework policy; their "
            "scores are gone"
        )
    outside = [what for what, path in _doomed(config) if not _is_in(config.home, path)]
    found.extend(
        f"{what}, which lies outside the node's folder: delete it yourself" for what in outside
    )
    return tuple(found)


def leave(
    home: NodeHome,
    reason: str,
    who: Operator,
    done: Callable[[Step], None] = lambda _: None,
) -> Left:
    """Leaves the region. To repeat it goes on with what is not done, or changes nothing.

    Args:
        home: The node.
        reason: Why, for people.
        who: Who decided it.
        done: Told of each step when it is done.

    Raises:
        Problem: SETTINGS, if the node is in no region; REFUSED, if `serve` runs; DATA, if a
            scoring run is going on.
    """
    config, folder = home.config, home.config.home / FOLDER
    reason, certificate = checked_reason(reason), folder / CERTIFICATE
    with (
        file_lock.alone(config.home / SERVE_LOCK, "folkmoot-node serve"),
        only_user(config.store_path, *_BUSY),
    ):
        if not certificate.exists():
            home.identity()  # a node that cannot sign says so before anything is destroyed
        stop = pause(home, f"the council has left its region: {reason}", who, is_final=True)
        done(Step.STOPPED)
        make_private_folder(folder)
        export_evidence(home, folder / EVIDENCE)
        done(Step.EXPORTED)
        plan = _planned(home, folder / _PLAN)
        done(Step.PLANNED)
        for one in plan["destroyed"]:
            delete_private(config.home / one["path"])
        done(Step.DESTROYED)
        if not certificate.exists():
            body = _body(home, reason, stop.by, plan, folder / EVIDENCE)
            identity = home.identity()
            key = KeyFile(home.keys.tls_key, "the node's private key", "").elliptic_curve_key()
            content = signed_statement(LEAVING, body, key, identity.certificate)
            write_private(certificate, content, replace=False)
        done(Step.SIGNED)
        for path in home.keys.private:
            delete_private(path)
        done(Step.KEYS_DESTROYED)
    return Left(certificate, dict(read_statement(certificate, LEAVING).body))


def has_left(home: NodeHome) -> bool:
    """Whether the council has left, or began to."""
    found = paused(home)
    return found is not None and found.is_final


def is_finished(home: NodeHome) -> bool:
    """Whether nothing is left to do of leaving: the node's own keys are destroyed last."""
    return not any(path.exists() for path in home.keys.private)


def check_certificate(
    path: Path, node_certificate: bytes | None, evidence: Path | None
) -> SignedStatement:
    """Checks a certificate of leaving.

    Args:
        path: The file.
        node_certificate: The certificate, PEM, that its signer must have; None: the one it carries.
        evidence: Folder of the exported evidence, to be checked against it; None: it is not.

    Raises:
        Problem: Exit code VERIFICATION, if anything was changed.
    """
    found = read_statement(path, LEAVING)
    check_leaving(found.body, str(path))
    if node_certificate is not None:
        try:
            expected = x509.load_pem_x509_certificate(node_certificate).public_bytes(Encoding.DER)
        except ValueError:
            raise Problem(
                "is not a certificate (PEM)",
                where="--certificate",
                remedy="Name the node's certificate, keys/node.crt",
                exit_code=ExitCode.USAGE,
            ) from None
        if found.certificate != expected:
            raise Problem(
                "another certificate has signed it",
                where=str(path),
                remedy="Name the certificate that the node had last; `folkmoot-coordinator "
                "councils show` lists those that it was given",
                exit_code=ExitCode.VERIFICATION,
            )
    if found.name != found.body["council"]:
        raise Problem(
            f"it is about {found.body['council']}, and {found.name} has signed it",
            where=str(path),
            remedy="Ask the council for the file as its node wrote it",
            exit_code=ExitCode.VERIFICATION,
        )
    if evidence is not None:
        check_exported(evidence, found.body["evidence"], found.body["logs"])
    return found


def _doomed(config: NodeConfig) -> Iterator[tuple[str, Path]]:
    store = config.store_path
    yield "key of the store", config.key_file
    yield "scores of households", store
    yield "journal of the scores", store.with_name(store.name + ".wal")
    then = config.snapshot_path
    yield "households as known on a past date", then
    yield "journal of the households as known then", then.with_name(then.name + ".wal")
    for one in (store, then):
        for path in sorted(store.parent.glob(f"{one.name}.unfinished*")):
            yield "scores of a run that was stopped", path
    yield "records of a run that was stopped", config.runs_folder
    for path in sorted(store.parent.glob(f"{TRIAL_FOLDER}*")):
        yield "scores of a trial", path
    yield "histories of series", config.history_folder
    yield "decisions of clerical review", config.review_store
    yield "files for clerical review", config.review_folder
    yield "decisions about objections", config.corrections_file
    yield "rejected records", config.quarantine_folder


def _is_in(home: Path, path: Path) -> bool:
    """Whether what is deleted in the home is the thing itself, and not a link to it."""
    return lies_in(home, path.parent) and not path.is_symlink()


def _planned(home: NodeHome, path: Path) -> dict[str, Any]:
    """What is to be destroyed, written down before it is."""
    if not path.exists():
        plan = {
            "destroyed": [one.as_json() for one in doomed(home.config)],
            "remains": list(remains(home)),
        }
        write_private(path, json.dumps(plan, indent=2).encode(), replace=False)
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def _body(
    home: NodeHome, reason: str, by: str, plan: dict[str, Any], evidence: Path
) -> dict[str, Any]:
    config, identity = home.config, home.identity()
    pending = home.outbox.pending()
    return {
        "schema": 1,
        "council": config.council,
        "name": config.name,
        "region": trusted_region(identity.authority, identity.signing_key).name,
        "reason": reason,
        "left_at": to_text(home.clock()),
        "by": by,
        "logs": heads_of(evidence),
        "evidence": digests_of(evidence),
        "destroyed": plan["destroyed"],
        "destroyed_after_signing": [
            str(path.relative_to(config.home)) for path in home.keys.private if path.exists()
        ],
        "answers_not_delivered": [one.round_id for one in pending],
        "remains": plan["remains"],
    }


def _count(path: Path) -> int:
    return sum(1 for one in path.rglob("*") if one.is_file()) if path.is_dir() else 1
