"""The register of incidents: what happened, when it was noticed, who was told, by whom.

It is made of entries of the program's audit log, so that nothing in it can be changed or dropped
unnoticed: what turns out to be wrong is corrected by a further entry. Data protection law asks a
controller to keep such a record (UK GDPR, article 33(5)), and to tell the ICO within 72 hours of
becoming aware of a breach that may harm people (article 33(1)).
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from folkmoot_operator.accounts import Operator, body_of_account
from folkmoot_operator.hash_chain import Entry
from folkmoot_operator.moments import to_text
from folkmoot_operator.plain_text import is_plain
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.status_screen import Need

ADDED, TOLD, CLOSED = "incident added", "incident told", "incident closed"
ACTIONS = (ADDED, TOLD, CLOSED)
"""Those of an audit log that are the register."""
MAX_TEXT = 4000
"""Characters of a text of the register, at most."""
HOURS_FOR_ICO = 72
"""Within so many hours of noticing a breach the ICO is told, where it has to be."""


class Told(StrEnum):
    """Who may have to be told."""

    ICO = "ico"
    """The Information Commissioner's Office."""
    DPO = "dpo"
    """The data protection officer."""
    REGION = "region"
    """Who runs the region's coordinator."""
    COUNCILS = "councils"
    """Other councils of the region."""
    RESIDENTS = "residents"
    """Whose data it is about."""
    SUPPLIER = "supplier"
    """Who supplied a plugin or other software."""


@dataclass(frozen=True, slots=True)
class Telling:
    """That somebody was told.

    Attributes:
        whom: Who.
        at: When, seconds since 1970-01-01T00:00:00Z.
        by: Name or role of the person who told them.
        note: Reference of a report, for example; may be empty.
    """

    whom: Told
    at: int
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident, as its entries say.

    Attributes:
        number: From 1.
        what: What happened. Names nobody.
        happened_at: When it happened, or began; seconds since 1970-01-01T00:00:00Z.
        noticed_at: When somebody noticed it.
        added_at: When it was entered.
        added_by: By which account.
        told: Who was told, in the order of the entries.
        closed_at: When it was closed; None while it is open.
        outcome: What came of it; empty while it is open.
        entries: Numbers of its entries in the audit log.
    """

    number: int
    what: str
    happened_at: int
    noticed_at: int
    added_at: int
    added_by: str
    told: tuple[Telling, ...] = ()
    closed_at: int | None = None
    outcome: str = ""
    entries: tuple[int, ...] = field(default=())

    @property
    def ico_by(self) -> int:
        """Until when the ICO is told, where it has to be."""
        return self.noticed_at + HOURS_FOR_ICO * 3600

    @property
    def is_ico_told(self) -> bool:
        """Whether the ICO was told."""
        return any(one.whom is Told.ICO for one in self.told)

    def as_json(self) -> dict[str, Any]:
        """For programs; times are ISO 8601 in UTC."""
        return {
            "number": self.number,
            "what": self.what,
            "happened_at": to_text(self.happened_at),
            "noticed_at": to_text(self.noticed_at),
            "added_at": to_text(self.added_at),
            "added_by": self.added_by,
            "told": [
                {"whom": one.whom.value, "at": to_text(one.at), "by": one.by, "note": one.note}
                for one in self.told
            ],
            "ico_by": to_text(self.ico_by),
            "closed_at": None if self.closed_at is None else to_text(self.closed_at),
            "outcome": self.outcome,
            "entries": list(self.entries),
        }


class Log(Protocol):
    """The audit log that the register is in."""

    def entries(self, actions: tuple[str, ...]) -> Iterable[Entry]:
        """Entries with these actions, oldest first."""

    def append(self, body: Callable[[], Mapping[str, Any]]) -> Entry:
        """Adds an entry in a transaction of its own.

        Args:
            body: Makes the entry, in the transaction: nobody else writes meanwhile.
        """


class Register:
    """The register of one program."""

    def __init__(self, log: Log, clock: Callable[[], int], who: Operator | str) -> None:
        """Opens it.

        Args:
            log: The audit log.
            clock: Gives the time.
            who: Who enters something.
        """
        self._log = log
        self._clock = clock
        self._who = who

    def all(self) -> list[Incident]:
        """Every incident, oldest first."""
        return list(incidents_of(self._log.entries(ACTIONS)))

    def find(self, number: int) -> Incident:
        """One incident.

        Raises:
            Problem: Exit code USAGE, if there is none of this number.
        """
        for one in self.all():
            if one.number == number:
                return one
        raise Problem(
            f"there is no incident {number}",
            remedy="`incident list` shows them",
            exit_code=ExitCode.USAGE,
        )

    def add(self, what: str, happened_at: int, noticed_at: int) -> Incident:
        """Enters an incident.

        Raises:
            Problem: Exit code USAGE, if there is no text, or the times cannot be.
        """
        text, now = _checked(what, "--what"), self._clock()
        if not happened_at <= noticed_at <= now:
            raise Problem(
                "an incident happens before it is noticed, and is noticed before it is entered",
                where="--happened, --noticed",
                remedy="Correct the times; they are in UTC",
                exit_code=ExitCode.USAGE,
            )
        number = 0

        def body() -> Mapping[str, Any]:
            nonlocal number
            number = len(self.all()) + 1
            times = {"happened_at": happened_at, "noticed_at": noticed_at}
            return self._body(ADDED, number, {"what": text, **times})

        self._log.append(body)
        return self.find(number)

    def tell(self, number: int, whom: Told, at: int, by: str, note: str = "") -> Incident:
        """Enters that somebody was told; also of an incident that is closed.

        Raises:
            Problem: Exit code USAGE, if there is no such incident, or the time cannot be.
        """
        incident = self.find(number)
        if not incident.happened_at <= at <= self._clock():
            raise Problem(
                "they were told after it happened, and not in the future",
                where="--at",
                remedy="Correct the time; it is in UTC",
                exit_code=ExitCode.USAGE,
            )
        further = {"note": _checked(note, "--note")} if note else {}
        details = {"whom": whom.value, "told_at": at, "told_by": _checked(by, "--by"), **further}
        self._log.append(lambda: self._body(TOLD, number, details))
        return self.find(number)

    def close(self, number: int, outcome: str) -> Incident:
        """Enters what came of an incident.

        Raises:
            Problem: USAGE, if there is no such incident or no text; REFUSED, if it is closed.
        """
        text = _checked(outcome, "--outcome")

        def body() -> Mapping[str, Any]:
            if self.find(number).closed_at is not None:
                raise Problem(
                    f"incident {number} is closed",
                    remedy="Enter what else happened as a new incident that names this one",
                    exit_code=ExitCode.REFUSED,
                )
            return self._body(CLOSED, number, {"outcome": text})

        self._log.append(body)
        return self.find(number)

    def _body(self, action: str, number: int, details: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"action": action, **body_of_account(self._who), "incident": number, **details}


def incidents_of(entries: Iterable[Entry]) -> Iterator[Incident]:
    """The incidents that entries of an audit log tell of.

    Args:
        entries: Oldest first.
    """
    from dataclasses import replace

    found: dict[int, Incident] = {}
    for entry in entries:
        body, number = entry.body, int(entry.body["incident"])
        if body["action"] == ADDED:
            found[number] = Incident(
                number,
                str(body["what"]),
                int(body["happened_at"]),
                int(body["noticed_at"]),
                entry.at,
                str(body["by"]),
                entries=(entry.sequence,),
            )
            continue
        one = replace(found[number], entries=(*found[number].entries, entry.sequence))
        if body["action"] == TOLD:
            note = str(body.get("note", ""))
            telling = Telling(Told(body["whom"]), int(body["told_at"]), str(body["told_by"]), note)
            one = replace(one, told=(*one.told, telling))
        else:
            one = replace(one, closed_at=entry.at, outcome=str(body["outcome"]))
        found[number] = one
    yield from found.values()


def needs_of(incidents: Iterable[Incident], now: int, program: str) -> Iterator[Need]:
    """What open incidents need of somebody.

    Args:
        incidents: All of them.
        now: Seconds since 1970-01-01T00:00:00Z.
        program: Name of the command: `folkmoot-node`.
    """
    for one in incidents:
        if one.closed_at is not None:
            continue
        if not one.is_ico_told and now < one.ico_by:
            what = f"incident {one.number} is open; if it may harm people, report it to the ICO by "
            command = f"{program} incident told {one.number} --whom ico --by NAME"
            yield Need(what + to_text(one.ico_by), command, 6)
        else:
            command = f"{program} incident close {one.number} --outcome TEXT"
            yield Need(f"incident {one.number} is open", command, 28)


def export_of(incidents: Iterable[Incident], entries: Iterable[Entry], head: str) -> bytes:
    """The register as a file: incidents, the entries they are made of, and a digest of all.

    Args:
        incidents: Which.
        entries: Of the audit log.
        head: Of the audit log, as `audit verify --expect` takes it.

    Returns:
        JSON, UTF-8. `sha256` is that of the value of `register`, written without blanks and with
        sorted keys.
    """
    register = {
        "incidents": [one.as_json() for one in incidents],
        "audit_log_head": head,
        "entries": [
            {
                "sequence": one.sequence,
                "at": one.at,
                "body": dict(one.body),
                "previous": one.previous.hex(),
                "digest": one.digest.hex(),
            }
            for one in entries
        ],
    }
    canonical = json.dumps(register, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    document = {"register": register, "sha256": digest}
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def moment_of(text: str, where: str) -> int:
    """Seconds since 1970-01-01T00:00:00Z of what a person writes.

    Args:
        text: `2026-12-01` or `2026-12-01T12:30`, in UTC unless it has an offset.
        where: Option, for the message.

    Raises:
        Problem: Exit code USAGE, if it is no time.
    """
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise Problem(
            f"{text[:40]!r} is no time",
            where=where,
            remedy="Write it as 2026-12-01T12:30, in UTC",
            exit_code=ExitCode.USAGE,
        ) from None
    aware = found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
    return int(aware.timestamp())


def _checked(text: str, where: str) -> str:
    found = text.strip()
    if not found or len(found) > MAX_TEXT or not is_plain(found):
        raise Problem(
            f"the text is empty, has more than {MAX_TEXT} characters, or control characters",
            where=where,
            remedy="Say it in a few sentences; name no resident",
            exit_code=ExitCode.USAGE,
        )
    return found
