"""The head of a ledger as a small signed text, for a witness: a share, or another council.

The coordinator's receipts show a restored node what it has forgotten. A coordinator that hides one
could make a node spend twice; it cannot change what lies elsewhere. So the text says two things:
where the logs ended, and how much was spent until then. The first shows that something is missing;
the second, after recovery has put other entries in place of the lost ones, that nothing is.

The key is made for this alone, at the first signature, and no renewal changes it. The coordinator
has no part in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from folkmoot.privacy import Rho
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.evidence.joint_head import JointHead, NotedHead
from folkmoot_node.evidence.ledger import Ledger
from folkmoot_operator.hash_chain import Head
from folkmoot_operator.key_files import KeyFile
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.signatures import create_key, domain, is_valid

KEY_FILE = "witness.key"
"""Name of the key in the folder of keys."""
_DOMAIN = domain("ledger head for a witness")
_FIRST = "folkmoot ledger head 1"
_TEXT = re.compile(
    rf"{_FIRST}\ncouncil (?P<council>[EWSN][0-9]{{8}})\nat (?P<at>[0-9TZ:-]{{20}})\n"
    r"ledger (?P<ledger>[0-9]{1,12}:[0-9a-f]{64})\nall (?P<all>[0-9.]{5,38}:[0-9a-f]{64})\n"
    r"spent (?P<spent>[0-9]{1,20}) nano-rho\nkey (?P<key>[0-9a-f]{64})\n"
    r"signature (?P<signature>[0-9a-f]{128})\n?"
)
_MAX_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class WitnessedHead:
    """What a council has signed of its ledger.

    Attributes:
        council: GSS code.
        at: When, ISO 8601 in UTC.
        ledger: Where the ledger ended.
        joint: Where all logs ended.
        spent: Loss since the node exists.
        key: Ed25519 public key that signed, 32 bytes.
        signature: 64 bytes.
    """

    council: str
    at: str
    ledger: Head
    joint: JointHead
    spent: Rho
    key: bytes
    signature: bytes

    @classmethod
    def sign(cls, state: StateDatabase, council: str, now: int, keys: Path) -> WitnessedHead:
        """Signs where the logs end now; makes the key at the first time.

        Args:
            state: The node's state.
            council: GSS code.
            now: Seconds since 1970-01-01T00:00:00Z.
            keys: The folder of keys.

        Raises:
            Problem: Exit code SETTINGS, if the key is damaged.
        """
        file = keys / KEY_FILE
        private = _key(keys).ed25519_key() if file.exists() else create_key(file)
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        ledger, joint = state.chain("ledger").head(), JointHead.now(state)
        spent = Rho.total(debit.rho for debit in Ledger(state).debits())
        unsigned = cls(council, to_text(now), ledger, joint, spent, public, b"")
        signature = private.sign(_DOMAIN + unsigned._statement.encode())
        return cls(council, unsigned.at, ledger, joint, spent, public, signature)

    @classmethod
    def parse(cls, text: str, where: str) -> WitnessedHead:
        """Reads the text, and checks its signature by the key that it names.

        Raises:
            Problem: Exit code VERIFICATION, if it is no such text or was changed.
        """
        match = _TEXT.fullmatch(text) if len(text) <= _MAX_CHARACTERS else None
        if match:
            joint = NotedHead.parse(match["all"]).head
            if isinstance(joint, JointHead):
                found = cls(
                    match["council"],
                    match["at"],
                    Head.parse(match["ledger"]),
                    joint,
                    Rho(int(match["spent"])),
                    bytes.fromhex(match["key"]),
                    bytes.fromhex(match["signature"]),
                )
                if is_valid(found.key, found.signature, _DOMAIN + found._statement.encode()):
                    return found
        raise Problem(
            "is no signed head of a ledger, or was changed",
            where=where,
            remedy="Ask for it again: `folkmoot-node ledger head` prints it",
            exit_code=ExitCode.VERIFICATION,
        )

    @property
    def _statement(self) -> str:
        return (
            f"{_FIRST}\ncouncil {self.council}\nat {self.at}\nledger {self.ledger}\n"
            f"all {self.joint}\nspent {self.spent.nano} nano-rho\nkey {self.key.hex()}\n"
        )

    def __str__(self) -> str:
        """The text, lines ended."""
        return f"{self._statement}signature {self.signature.hex()}\n"

    def require(self, state: StateDatabase, keys: Path) -> None:
        """Checks that a node has forgotten nothing of what the head says was spent.

        The ledger goes on from it; or, after a recovery, at least as much is debited here.

        Args:
            state: The node's state.
            keys: The folder of keys.

        Raises:
            Problem: Exit code VERIFICATION, if something is missing here, or the head was signed
                by a key that is not this node's.
        """
        if not (keys / KEY_FILE).exists() or self.key != public_key(keys):
            raise Problem(
                f"the head of {self.at} was signed with a key that is not among this node's files:"
                " they are older than that key, or somebody else wrote the head",
                where=str(keys / KEY_FILE),
                remedy="Nothing is answered. Put a newer copy of the node's files back; or, if "
                "the head is not yours, delete it where it lies",
                exit_code=ExitCode.VERIFICATION,
            )
        if state.chain("ledger").holds(self.ledger):
            return
        spent = Rho.total(debit.rho for debit in Ledger(state).debits())
        if spent >= self.spent and Ledger(state).recovered():
            return
        raise Problem(
            f"a witness has the ledger's head {str(self.ledger)[:24]}... of {self.at}, with rho "
            f"{self.spent} spent; here rho {spent} is, and the ledger does not go on from it",
            where=str(state.path),
            remedy="Nothing is answered. Put a newer copy of the node's folder back; else run "
            "`folkmoot-node ledger recover`. If that finds no more, the coordinator hides "
            "receipts: report it to the region",
            exit_code=ExitCode.VERIFICATION,
        )


def public_key(keys: Path) -> bytes:
    """The public key of a node's heads, 32 bytes.

    Args:
        keys: The folder of keys, in which there is one.
    """
    return _key(keys).ed25519_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _key(keys: Path) -> KeyFile:
    return KeyFile(
        keys / KEY_FILE,
        "the key of heads for witnesses",
        "Restore it from backup; or delete it, and the heads of this council in the witnesses' "
        "folders: a new one is made",
    )
