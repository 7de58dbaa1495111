"""What a source tells beside its records: values it rejects, records it leaves out, notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from folkmoot_kit.channel.words import LONGEST_LINE, LONGEST_NAME, LONGEST_VALUE, MOST_TOLD
from folkmoot_kit.hosting import answers, texts
from folkmoot_kit.hosting.answers import Garbage
from folkmoot_sdk.source import ReadContext, Records, Rejection

Tell = Callable[[ReadContext], None]
MOST_TOLD_ALONE = 4_000_000
"""Things that a source may tell in one reading, beside those for records that it gives: more would
go on without end, and fill the memory of whoever counts them."""
MOST_TOLD_EACH = 20
"""And for each record."""
MOST_WORDS = 100_000
"""Different files, fields, reasons and notes of one reading."""
_MOST_ROWS = (1 << 63) - 1


class Telling:
    """What one reading of a source tells, bounded in all."""

    def __init__(self) -> None:
        """Has heard nothing yet."""
        self._told = 0
        self._records = 0
        self._words: set[int] = set()

    def tell(self, body: Mapping[str, Any], records: Records | None) -> list[Tell]:
        """What a message tells, checked whole before any of it is handed on.

        Args:
            body: The message.
            records: What came with it.

        Raises:
            Garbage: If it tells something else, or the source tells without end.
        """
        found = _told(body)
        if records is not None:
            self._records += int(body["rows"])
            self._words.add(hash(records.origin))
        self._told += len(body.get("told", ()))
        if self._told > MOST_TOLD_ALONE + MOST_TOLD_EACH * self._records:
            raise Garbage("more rejections and notes than its records can need")
        self._words.update(map(hash, _words(body)))
        if len(self._words) > MOST_WORDS:
            raise Garbage("more different files, fields and reasons than are allowed")
        return found


def _words(body: Mapping[str, Any]) -> Iterator[str]:
    """Texts that are kept of what is told: they are few, if the source is sound."""
    for entry in body.get("told", ()):
        if entry[0] == "reject":
            yield from (entry[1], entry[3])
        else:
            yield entry[1]


def _told(body: Mapping[str, Any]) -> list[Tell]:
    if "told" not in body:
        return []
    found: list[Tell] = []
    rejections: list[Rejection] = []
    for entry in answers.entries(body, "told", MOST_TOLD):
        match entry:
            case ["reject", file, row, field, reason, value] if _whole(row, -_MOST_ROWS):
                rejections.append(
                    Rejection(
                        texts.line(file, LONGEST_LINE),
                        row,
                        texts.line(field, LONGEST_NAME),
                        texts.quoted(reason, LONGEST_VALUE),
                        texts.quoted(value, LONGEST_VALUE),
                    )
                )
            case ["leave_out", reason, records] if _whole(records, 0):
                found.append(partial(_leave_out, texts.line(reason, LONGEST_LINE), records))
            case ["note", text]:
                found.append(partial(_note, texts.line(text, LONGEST_LINE)))
            case _:
                raise Garbage("something was told that is nothing")
    if rejections:
        found.insert(0, partial(_reject, rejections))
    return found


def _whole(value: object, low: int) -> bool:
    return type(value) is int and low <= value <= _MOST_ROWS


def _reject(rejections: Sequence[Rejection], context: ReadContext) -> None:
    context.reject(rejections)


def _leave_out(reason: str, records: int, context: ReadContext) -> None:
    context.leave_out(reason, records)


def _note(text: str, context: ReadContext) -> None:
    context.note(text)
