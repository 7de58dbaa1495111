"""Names and bounds that both sides of the channel use."""

from __future__ import annotations

from enum import StrEnum


class Call(StrEnum):
    """What the node asks of a plugin's process."""

    DESCRIBE = "describe"
    MAKE = "make"
    SCHEMA = "schema"
    DRAFT = "draft"
    READ = "read"
    NEXT = "next"
    END = "end"
    SCORE = "score"
    EXPLAIN = "explain"
    EXAMINE = "examine"


class Reply(StrEnum):
    """What kind of answer a message is."""

    READY = "ready"
    DONE = "done"
    ITEM = "item"
    ERROR = "error"


class Breach(StrEnum):
    """How a plugin breaks its contract: the words the two sides share, none of them its own."""

    NO_ARRAY = "no_array"
    WRONG_TYPE = "wrong_type"
    WRONG_SHAPE = "wrong_shape"
    OUT_OF_RANGE = "out_of_range"
    NO_TEXT = "no_text"
    NO_SCHEMA = "no_schema"
    NO_RECORDS = "no_records"
    NO_COLUMNS = "no_columns"
    WRONG_ROWS = "wrong_rows"
    WRONG_UNREAD = "wrong_unread"
    WRONG_REJECTION = "wrong_rejection"
    WRONG_COUNT = "wrong_count"
    TOO_LARGE = "too_large"


HERE = "@"
"""Stands for the place in a settings file from which values come: the process is not told it."""

THOUSANDTHS = 1000
"""Scores cross in whole thousandths."""

READ_AHEAD = 2
"""Messages of a stream that may be under way: the one wanted, and one ahead."""
MOST_ROWS = 262_144
"""Records of one message; a longer batch crosses in several."""
MOST_TOLD = 2_000
"""Rejected values, left-out counts and notes of one message."""

ROWS_COLUMN = ".rows"
"""Column of row numbers beside a batch's own: no field's name has a dot."""
UNREAD_COLUMN = ".unread."
"""Begins the name of a column that marks the values that could not be read."""

LONGEST_NAME = 200
LONGEST_LINE = 2_000
LONGEST_VALUE = 4_096
LONGEST_DRAFT = 1 << 20
LONGEST_CELL = 65_536
"""Characters of names, sentences, quoted values and drafts; bytes of a text in a column."""


def cut(text: str, longest: int) -> str:
    """The text, shortened to so many characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
