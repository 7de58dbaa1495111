"""What a source tells beside its records: values it rejects, records it leaves out, notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from folkmoot_kit.channel.words import LONGEST_LINE, LONGEST_NAME, LONGEST_VALUE, MOST_TOLD
from folkmoot_kit.hosting import answers, texts
from folkmoot_kit.hosting.answers import Garbage
from folkmoot_sdk.source import ReadContext, Rejection

Tell = Callable[[ReadContext], None]
_MOST_ROWS = (1 << 63) - 1


def tell(body: Mapping[str, Any]) -> list[Tell]:
    """What a message tells, checked whole before any of it is handed on.

    Raises:
        Garbage: If it tells something else.
    """
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
