"""The file of decisions about upheld objections: sealed, private, replaced at once.

Scoring reads it, and knows nothing of how a decision came about. It names households and what
they said of themselves, so it is sealed under a key derived from the store's. Where casework runs
under an account of its own, the administrator gives the folder to a group of both (`chmod 2770`).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from folkmoot_node.corrections.decisions import Decision, Decisions
from folkmoot_node.corrections.values import can_be_corrected, checked_value, unknown_field
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.store.encrypted_file import StoreKey, read_key
from folkmoot_node.store.sealing import BrokenSeal, Seal
from folkmoot_operator import file_lock
from folkmoot_operator.private_files import delete_private, make_private_folder, write_shared
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.unusable_files import unusable
from folkmoot_sdk.schema import Field

_WHAT = "the decisions about objections"


def open_corrections(config: NodeConfig) -> Corrections:
    """The corrections of a node.

    Raises:
        Problem: Exit code SETTINGS, if the key of the store is missing or damaged.
    """
    key = read_key(config.key_file, config.readers)
    return Corrections(config.corrections_file, key)


def decisions_of(config: NodeConfig) -> Decisions:
    """The decisions of a node; needs no key where there is no file.

    Raises:
        Problem: Exit code DATA, if the file is damaged or was sealed with another key; SETTINGS
            if the key is missing.
    """
    if not config.corrections_file.exists():
        return Decisions()
    return open_corrections(config).read()


class Corrections:
    """The file of decisions. Several processes may change it.

    Args:
        path: The file; it need not be there.
        key: Key of the store, from which the file's own is derived.
    """

    def __init__(self, path: Path, key: StoreKey) -> None:
        self._path = path
        self._seal = Seal(key, "folkmoot corrections")

    def read(self) -> Decisions:
        """All decisions, also those that are not in force any more.

        Raises:
            Problem: Exit code DATA, if the file is damaged or was sealed with another key.
            UnusableFile: If it cannot be read now.
        """
        try:
            sealed = self._path.read_bytes()
        except FileNotFoundError:
            return Decisions()
        except OSError as error:
            raise unusable(error, self._path, _WHAT) from None
        try:
            return Decisions.model_validate_json(self._seal.open(sealed))
        except (BrokenSeal, ValidationError):
            raise Problem(
                f"{_WHAT} cannot be read",
                where=str(self._path),
                remedy="Restore the file from backup, with keys/store.key of the same day. Without "
                "it nobody is scored and no round is answered, since what was agreed with "
                "residents would not be kept",
                exit_code=ExitCode.DATA,
            ) from None

    def add(self, uprn: int, decision: Decision, fields: Mapping[str, Field]) -> None:
        """Adds a decision, durably. It counts from the next scoring run; withholding at once.

        Args:
            uprn: The household.
            decision: The decision.
            fields: The fields that the policy uses, by name: `Binding.fields` has them.

        Raises:
            Problem: Exit code DATA, if the policy does not use a field or it is an area, a value is
                none that its field can have, the objection has a decision already, or another
                decision about the household is about the same field at the same time.
        """
        with self._changing():
            self._write(_with(self.read(), uprn, decision, fields))

    def withdraw(self, objection: str) -> Decision:
        """Takes out the decision about an objection, because the source has been corrected.

        Returns:
            What was taken out.

        Raises:
            Problem: Exit code DATA, if there is none.
        """
        with self._changing():
            uprn, decision = self._found(objection)
            self._write(_without(self.read(), uprn, decision))
            return decision

    def require(self, objection: str) -> None:
        """Checks that an objection has a decision; raises as `withdraw`."""
        self._found(objection)

    def _found(self, objection: str) -> tuple[int, Decision]:
        for uprn, decisions in self.read().households.items():
            for decision in decisions:
                if decision.objection == objection:
                    return uprn, decision
        raise Problem(
            f"no decision belongs to the objection {objection!r}",
            where="the corrections",
            remedy="See `folkmoot-node corrections list` for the ids that there are",
            exit_code=ExitCode.DATA,
        )

    def drop_ended(self, day: datetime.date) -> int:
        """Takes out decisions whose last day is before `day`; says how many there were."""
        with self._changing():
            before = self.read()
            kept = {
                uprn: tuple(one for one in entries if one.until is None or day <= one.until)
                for uprn, entries in before.households.items()
            }
            after = Decisions(households={uprn: one for uprn, one in kept.items() if one})
            gone = len(list(before.all)) - len(list(after.all))
            if gone:
                self._write(after)
        return gone

    @contextmanager
    def _changing(self) -> Iterator[None]:
        make_private_folder(self._path.parent)
        with file_lock.waiting_for_folder(self._path.parent):
            yield

    def _write(self, decisions: Decisions) -> None:
        if not decisions.households:
            delete_private(self._path)
            return
        write_shared(self._path, self._seal.seal(decisions.model_dump_json().encode()))


def _with(
    before: Decisions, uprn: int, decision: Decision, fields: Mapping[str, Field]
) -> Decisions:
    where = f"objection {decision.objection}"
    for name in decision.fields:
        _check_field(name, fields, where)
    values = {name: checked_value(fields[name], v) for name, v in decision.correct.items()}
    if any(one.objection == decision.objection for one in before.all):
        raise Problem(
            "the objection has a decision already",
            where=where,
            remedy="Withdraw that decision first, or give the objection another id",
            exit_code=ExitCode.DATA,
        )
    own = before.households.get(uprn, ())
    for one in own:
        both = sorted({*one.fields} & {*decision.fields})
        if both and one.meets(decision):
            raise Problem(
                f"the objection {one.objection!r} of this household is about {both[0]!r} too",
                where=where,
                remedy=f"Withdraw the decision about {one.objection!r} first, or leave the field "
                "out",
                exit_code=ExitCode.DATA,
            )
    added = decision.model_copy(update={"correct": values})
    return _validated({**before.households, uprn: (*own, added)}, where)


def _validated(households: Mapping[int, tuple[Decision, ...]], where: str) -> Decisions:
    try:
        return Decisions(households=dict(households))
    except ValidationError:
        raise Problem(
            "the household's UPRN is none of 1 to 12 digits",
            where=where,
            remedy="Give the UPRN of the home that objected",
            exit_code=ExitCode.DATA,
        ) from None


def _without(before: Decisions, uprn: int, decision: Decision) -> Decisions:
    left = tuple(one for one in before.households[uprn] if one != decision)
    households = {**before.households, uprn: left}
    return Decisions(households={key: entries for key, entries in households.items() if entries})


def _check_field(name: str, fields: Mapping[str, Field], where: str) -> None:
    usable = [known for known, field in fields.items() if can_be_corrected(field)]
    if name not in fields:
        raise unknown_field(name, usable, where)
    if name not in usable:
        raise Problem(
            f"the field {name!r} is an area, which decides in which cell a household is counted",
            where=where,
            remedy="Correct it in the source that has it, or withhold the household",
            exit_code=ExitCode.DATA,
        )
