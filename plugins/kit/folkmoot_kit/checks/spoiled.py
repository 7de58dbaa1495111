"""How a source takes what suppliers do: renamed columns, empty files, huge files, nonsense."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from folkmoot_kit.checks.bench import Running
from folkmoot_kit.checks.contents import Content, read_all
from folkmoot_kit.checks.extracts import MARK, Copies, Extract, written
from folkmoot_sdk.conformance.findings import Check, Finding, said
from folkmoot_sdk.errors import PluginError

COLUMN_RENAMED = Check(
    "column-renamed", "source", "A column that is missing or renamed is named",
    "The supplier changes a header, and every household looks as if it had no such record.",
    "Raise PluginError that names the column, before the first record is yielded",
)  # fmt: skip
QUOTES_CELLS = Check(
    "quotes-cells", "source", "Errors, notes and reasons hold no value of a record",
    "They go to logs and to the supplier's support desk; only quarantine may quote values.",
    "Name file, row and column; put the value into Rejection, which stays in quarantine",
)  # fmt: skip
BREAKS_ON_NONSENSE = Check(
    "breaks-on-nonsense", "source", "A value that cannot be read does not break the source",
    "One bad record stops the council's run, and nobody is told which.",
    "Hand the value to context.reject, and yield null in its place",
)  # fmt: skip
EMPTY_EXTRACT = Check(
    "empty-extract", "source", "A file without records is read as none, or refused by name",
    "The run stops with an error that nobody understands.",
    "Yield nothing, or raise PluginError that names the file",
)  # fmt: skip
SOURCE_MEMORY = Check(
    "source-memory", "source", "A large file is read in batches",
    "A council's extract is a thousand times as long as the sample, and memory is not.",
    "Yield Records as you read; do not hold the file or a list of all records",
)  # fmt: skip
SOURCE_SLOW = Check(
    "source-slow", "source", "65,536 records are read within the limit",
    "A nightly run would not be done in the morning.",
    "Read columns with Polars, DuckDB or pyarrow instead of record by record",
)  # fmt: skip

BATCH = 65_536
HUGE = 6 * BATCH
SECONDS = 20.0
"""Limit for `BATCH` records."""
_FOLD = 4
_SPARE = 320 << 20
"""Bytes that a source may take beyond `_FOLD` times the file. Readers of batches that read ahead
took 320 to 370 MiB in all, of files of 38 MiB as of 197 MiB."""


def spoiled_findings(
    running: Running,
    kind: str,
    copies: Copies,
    reference_date: datetime.date,
    rows: int = HUGE,
    seconds: float = SECONDS,
    step: Callable[[str], None] = lambda what: None,
) -> Iterator[Finding]:
    """Reads each text file of a source again with one thing changed at a time.

    Args:
        running: The plugin, which may read the folder of the copies.
        kind: The source.
        copies: Its options and files. Each is put back after it was changed.
        reference_date: Date of the run.
        rows: Length of a long file.
        seconds: Limit for `BATCH` records.
        step: Called with what is checked next, in a few words.
    """
    trials = _Trials(running, kind, copies, reference_date)
    try:
        whole = trials.read()
    except Exception:  # the checks of the source itself say what is wrong
        return
    found: dict[Check, Finding] = {}
    extracts = _read_ones(copies, whole)
    for extract in extracts:
        for changed in (_renamed, _nonsense, _empty):
            step(f"{changed.__name__.strip('_')} {extract.path.name}")
            for finding in changed(trials, extract, whole):
                found.setdefault(finding.check, finding)
    yield from found.values()
    if extracts and not found:
        step("a long file")
        yield from _huge(trials, max(extracts, key=lambda e: len(e.text)), rows, seconds)


def _read_ones(copies: Copies, whole: Content) -> list[Extract]:
    """The files that the source names as where its records come from; all, if it names none."""
    named = [e for e in copies.extracts if any(file.endswith(e.path.name) for file in whole.files)]
    return named or list(copies.extracts)


class _Trials:
    """Reads one source over and over again, as its files change."""

    def __init__(
        self, running: Running, kind: str, copies: Copies, reference_date: datetime.date
    ) -> None:
        self.running = running
        self.subject = f"source {kind}"
        self._kind = kind
        self._copies = copies
        self._date = reference_date

    def read(self) -> Content:
        source = self.running.source(self._kind, self._copies.options, self._copies.base)
        return read_all(self.subject, source, source.schema, self._date, digest=False)

    def with_text(self, path: Path, text: str, extract: Extract) -> Content | Exception:
        """What comes of a changed file, which is put back."""
        written(path, text)
        try:
            return self.read()
        except Exception as error:
            return error
        finally:
            written(path, extract.text)


def _renamed(trials: _Trials, extract: Extract, whole: Content) -> Iterator[Finding]:
    for at, name in enumerate(extract.header):
        outcome = trials.with_text(extract.path, extract.without_column(at), extract)
        where = f"with the column {name!r} of {extract.path.name} renamed, "
        if isinstance(outcome, PluginError):
            continue
        if isinstance(outcome, Exception):
            seen = where + f"reading raises {said(outcome)}, not PluginError"
            yield COLUMN_RENAMED.finding(seen, trials.subject)
            continue
        lost = [
            field
            for field, known in whole.known.items()
            if known and not outcome.known[field] and outcome.records
        ]
        told = outcome.rejected or outcome.words
        if lost and not told:
            seen = where + f"`{lost[0]}` is unknown in every record, and nothing is said of it"
            yield COLUMN_RENAMED.finding(seen, trials.subject)
        if whole.records and not outcome.records and not told:
            seen = where + "no record is yielded, and nothing is said of it"
            yield COLUMN_RENAMED.finding(seen, trials.subject)


def _nonsense(trials: _Trials, extract: Extract, whole: Content) -> Iterator[Finding]:
    del whole
    for at, name in enumerate(extract.header):
        outcome = trials.with_text(extract.path, extract.with_mark(at), extract)
        where = f"with nonsense in the column {name!r} of {extract.path.name}, "
        if isinstance(outcome, Exception):
            if MARK in str(outcome):
                seen = where + f"{type(outcome).__name__} quotes it"
                yield QUOTES_CELLS.finding(seen, trials.subject)
            elif not isinstance(outcome, PluginError):
                seen = where + f"reading raises {said(outcome)}"
                yield BREAKS_ON_NONSENSE.finding(seen, trials.subject)
        elif any(MARK in text for text in outcome.words):
            seen = where + "a note, or the reason of a record left out, quotes it"
            yield QUOTES_CELLS.finding(seen, trials.subject)


def _empty(trials: _Trials, extract: Extract, whole: Content) -> Iterator[Finding]:
    del whole
    outcome = trials.with_text(extract.path, extract.without_rows(), extract)
    if isinstance(outcome, Exception) and not isinstance(outcome, PluginError):
        seen = f"with no record in {extract.path.name}, reading raises {said(outcome)}"
        yield EMPTY_EXTRACT.finding(seen, trials.subject)


def _huge(trials: _Trials, extract: Extract, rows: int, seconds: float) -> Iterator[Finding]:
    before = trials.running.figures()
    written(extract.path, extract.repeated(rows))
    length = extract.path.stat().st_size
    try:
        start = time.perf_counter()
        trials.read()
        took = time.perf_counter() - start
    except Exception as error:
        seen = f"with {rows:,} records in {extract.path.name}, reading raises {said(error)}"
        yield SOURCE_MEMORY.finding(seen, trials.subject)
        return
    finally:
        written(extract.path, extract.text)
    after = trials.running.figures()
    if took * BATCH / rows > seconds:
        seen = f"{BATCH:,} records take {took * BATCH / rows:.1f} s; the limit is {seconds:g} s"
        yield SOURCE_SLOW.finding(seen, trials.subject)
    if before is None or after is None:
        return
    used, most = after.peak_bytes - before.peak_bytes, _FOLD * length + _SPARE
    if used > most:
        seen = (
            f"a file of {length >> 20} MiB takes {used >> 20} MiB more memory; the limit is "
            f"{most >> 20} MiB"
        )
        yield SOURCE_MEMORY.finding(seen, trials.subject)
