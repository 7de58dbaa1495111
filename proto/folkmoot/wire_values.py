"""Values that several wire messages hold, read and checked."""

from __future__ import annotations

from datetime import date

from google.protobuf.message import DecodeError, Message

from folkmoot.errors import ContractError
from folkmoot.rounds import Mechanism


def read_day(number: int, where: str) -> date:
    """A day from its number, 1 for 0001-01-01; raises ContractError if it is none."""
    try:
        return date.fromordinal(number)
    except (ValueError, OverflowError):
        problem = "is after the year 9999" if number else "is missing"
        raise ContractError(where, problem, "Count days from 0001-01-01") from None


def read_message(message: Message, serialised: bytes, where: str) -> None:
    """Fills a message from its bytes; raises ContractError if they are none.

    Args:
        message: An empty message of the kind that is expected.
        serialised: The bytes.
        where: What it is, for messages of errors.
    """
    try:
        message.ParseFromString(serialised)
    except DecodeError as error:
        raise ContractError(where, "is not a protobuf message", "Send it again") from error


def read_mechanism(number: int, where: str) -> Mechanism:
    """A mechanism from its number on the wire; raises ContractError if it is not known."""
    if number not in Mechanism._value2member_map_:
        raise ContractError(
            where,
            f"{number} is not a known mechanism",
            "Use the discrete Gaussian (1) or Laplace (2)",
        )
    return Mechanism(number)
