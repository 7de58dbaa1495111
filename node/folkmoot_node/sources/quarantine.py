"""Lists rejected records, on the node, for the people who correct the source.

Quarantine files quote values of records. They are written to the node's own disk, are
readable by the node's account alone, and nothing reads them back.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from folkmoot_operator.private_files import delete_private, make_private_folder, open_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.source import Rejection

HEADER = ("file", "row", "field", "reason", "value")
MAXIMUM_LISTED = 100_000
"""Rejections listed of one source and run; more are counted only, so the disk cannot fill."""
_MAXIMUM_VALUE = 200


class Quarantine:
    """Rejected records of one source and one run.

    The file is made with the first rejection: no file means no rejection.

    Attributes:
        path: The CSV file: file, row, field, reason, value.
        fields: Number of rejections by field.
    """

    def __init__(self, folder: Path, source: str, run_id: str) -> None:
        self.path = folder / f"{source}-{run_id}.csv"
        delete_private(self.path)  # of a first try to read the source in this run
        self.fields: Counter[str] = Counter()
        self._source = source
        self._stream: io.TextIOWrapper | None = None
        self._writer: Any = None
        self._listed = 0
        self._files: dict[str, int] = {}
        self._rows: set[int] = set()

    @property
    def rejected(self) -> int:
        """Number of records with at least one rejection."""
        return len(self._rows)

    def reject(self, rejections: Sequence[Rejection]) -> None:
        """Adds rejections; several of one record count as one record."""
        for entry in rejections:
            at = self._files.setdefault(entry.file, len(self._files))
            self._rows.add(at << 44 | entry.row)
            self.fields[entry.field] += 1
            if self._listed < MAXIMUM_LISTED:
                self._listed += 1
                self._open().writerow(
                    (entry.file, entry.row, entry.field, entry.reason, entry.value[:_MAXIMUM_VALUE])
                )

    def close(self) -> None:
        """Closes the file, if there is one."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
            self._writer = None

    def check(self, accepted: int, maximum_share: float) -> None:
        """Stops the run if too many records were rejected.

        Args:
            accepted: Sound records that were read, also those that were left out.
            maximum_share: Share of all records that may be rejected, from 0 to 1.

        Raises:
            Problem: Exit code DATA.
        """
        total = accepted + self.rejected
        if total and self.rejected > maximum_share * total:
            raise Problem(
                f"more than {maximum_share:.1%} of the records were rejected; the last good "
                "scores stay",
                where=f"source {self._source}",
                remedy=f"See {self.path} for file, row, field and reason; correct the extract or "
                "its mapping, then score again",
                exit_code=ExitCode.DATA,
            )

    def _open(self) -> Any:
        if self._writer is None:
            make_private_folder(self.path.parent)
            file = open_private(self.path, append=True)
            self._stream = io.TextIOWrapper(file, encoding="utf-8", newline="")
            self._writer = csv.writer(self._stream)
            if self._stream.tell() == 0:
                self._writer.writerow(HEADER)
        return self._writer
