"""Lists as files: with a reason, noted before there is a file, only so many a day.

What a file holds needs an `Export`, and only `Exports.begin` makes one, after its entry in the log
is durable. Nothing is kept on the server: the file goes to the person who asked.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.households import uprn_of
from folkmoot_node.casework.authority.policy import CaseworkPolicy
from folkmoot_node.casework.authority.reading import ExportColumn
from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cases.cases import Case
from folkmoot_node.casework.ids import new_id
from folkmoot_node.casework.opening.models import ExportRow
from folkmoot_node.casework.opening.openings import DAY, SHOWN
from folkmoot_node.casework.opening.restrictions import Restrictions
from folkmoot_operator.moments import day
from folkmoot_operator.output_places import require_no_link, require_safe_folder
from folkmoot_operator.private_files import write_private
from folkmoot_operator.spreadsheets import harmless
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.site import State
from folkmoot_web.visitors import Visitor

EXPORTED = "list exported"
"""Action of the log."""


@dataclass(frozen=True, slots=True)
class Export:
    """A file that may be made now: the entry of the log is durable.

    Attributes:
        export_id: In the name of the file and in each of its rows.
        columns: Of the file, after the id of the export.
    """

    export_id: str
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of the file."""
        return f"folkmoot-export-{self.export_id}.csv"

    def content(self, rows: Iterable[Sequence[Any]]) -> bytes:
        """The file: CSV for spreadsheets, in which no text is a formula.

        Args:
            rows: Values in the order of the columns; None for an empty cell.
        """
        written = io.StringIO()
        file = csv.writer(written, lineterminator="\r\n")
        file.writerow(("export", *self.columns))
        for row in rows:
            cells = ["" if value is None else harmless(str(value)) for value in row]
            file.writerow((self.export_id, *cells))
        return written.getvalue().encode("utf-8-sig")

    def write(self, folder: Path, rows: Iterable[Sequence[Any]]) -> Path:
        """Writes the file into a folder, for this account alone.

        Raises:
            Problem: If the folder is not safe.
        """
        path = folder / self.name
        require_no_link(path)
        require_safe_folder(path)
        write_private(path, self.content(rows), replace=False)
        return path


class Exports:
    """The exports of a council."""

    def __init__(self, state: State, policy: CaseworkPolicy) -> None:
        self._state = state
        self._policy = policy
        self._restrictions = Restrictions(state)

    def begin(self, visitor: Visitor, what: str, columns: Sequence[str], reason: str) -> Export:
        """Notes that somebody makes a file of a list without identifiers of households.

        Args:
            visitor: Who asks.
            what: Which list, in a few words.
            columns: Of the file.
            reason: As they stated it.

        Raises:
            WebProblem: Status 403 if they may not; 429 if they have made too many today.
        """
        with self._state.database.writing() as session:
            self._require_may(session, visitor, Right.EXPORT)
            return self._note(session, visitor, what, columns, reason)

    def of_log(self, visitor: Visitor, columns: Sequence[str], reason: str) -> Export:
        """Notes that an auditor makes a file of the log.

        Raises:
            WebProblem: As `begin`.
        """
        with self._state.database.writing() as session:
            self._require_may(session, visitor, Right.AUDIT)
            return self._note(session, visitor, "the log", columns, reason)

    def of_cases(
        self, visitor: Visitor, name: str, cases: Sequence[Case], reason: str
    ) -> tuple[Export, list[list[str | int | None]]]:
        """Notes that somebody makes a file of cases, and gives its rows.

        Each household whose UPRN is in it is noted as shown. Households that are hidden from
        whoever asks are left out.

        Args:
            visitor: Who asks.
            name: Of the policy's table `[exports.NAME]`.
            cases: All of the list.
            reason: As they stated it.

        Raises:
            WebProblem: As `begin`; 403 also if the file has UPRNs and they may not open
                households; 404 if the policy has no such export; 413 if it were too long.
        """
        chosen = self._policy.exports.get(name)
        if chosen is None:
            raise problem_of_status(404)
        with self._state.database.writing() as session:
            self._require_may(session, visitor, Right.EXPORT)
            shows = ExportColumn.UPRN in chosen.columns
            if shows and not visitor.may(Right.OPEN):
                raise problem_of_status(403)
            hidden = self._restrictions.hidden_from(visitor)
            listed = [one for one in cases if one.household not in hidden]
            if len(listed) > self._policy.openings.export_rows:
                raise WebProblem(
                    413,
                    "The list is too long for a file",
                    f"The casework policy permits {self._policy.openings.export_rows} cases.",
                    "Choose an export of fewer cases, or ask for the policy to be changed.",
                )
            columns = [column.value for column in chosen.columns]
            export = self._note(session, visitor, chosen.title, columns, reason)
            rows = []
            for one in listed:
                values = _values(one)
                if shows:
                    values[ExportColumn.UPRN] = uprn_of(session, one.household)
                    detail = {
                        "case": one.case_id,
                        "household": one.household,
                        "what": f"export {export.export_id}",
                    }
                    self._state.audit.record(session, SHOWN, visitor.name, detail)
                rows.append([values[column] for column in chosen.columns])
        return export, rows

    def _require_may(self, session: Session, visitor: Visitor, right: Right) -> None:
        if not visitor.may(right):
            raise problem_of_status(403)
        made = select(func.count()).where(
            ExportRow.account == visitor.name, ExportRow.made_at > self._state.clock() - DAY
        )
        if (session.scalar(made) or 0) >= self._policy.openings.exports_per_day:
            raise WebProblem(
                429,
                "You have made as many files as one person may in a day",
                f"The casework policy permits {self._policy.openings.exports_per_day}.",
                "Go on tomorrow.",
            )

    def _note(
        self, session: Session, visitor: Visitor, what: str, columns: Sequence[str], reason: str
    ) -> Export:
        row = ExportRow(
            export_id=new_id(), account=visitor.name, made_at=self._state.clock(), what=what
        )
        session.add(row)
        detail = {
            "export": row.export_id,
            "what": what,
            "columns": list(columns),
            "reason": reason,
        }
        self._state.audit.record(session, EXPORTED, visitor.name, detail)
        return Export(row.export_id, tuple(columns))


def _values(case: Case) -> dict[ExportColumn, str | int | None]:
    return {
        ExportColumn.CASE: case.case_id,
        ExportColumn.PURPOSE: case.purpose,
        ExportColumn.STATE: case.state.value,
        ExportColumn.TEAM: case.team,
        ExportColumn.WORKER: case.worker,
        ExportColumn.OPENED_ON: day(case.opened_at).isoformat(),
        ExportColumn.REVIEW_ON: case.review_on,
    }
