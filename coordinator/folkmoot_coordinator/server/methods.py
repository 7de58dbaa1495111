"""What a service says of its methods; `reception` takes the calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from google.protobuf.message import DecodeError, Message

from folkmoot.rejection import Rejection
from folkmoot.rejection_codec import encode_rejection
from folkmoot_coordinator.membership.caller import Member


class Undecodable(Exception):
    """A message is not of the type that its method takes."""


class UnknownName(Exception):
    """A request names a service that the port does not have."""


class Parts(Protocol):
    """A request of several messages, of which the first has been read."""

    def add(self, message: Any) -> None:
        """Takes a further message."""

    def finish(self) -> Iterable[Message]:
        """The responses, when all messages have come."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the wire. What it does runs in a worker, and may take its time.

    Attributes:
        path: Its full name, `/package.Service/Name`.
        request: Type of its messages.
        response: Type of its responses; its field `rejection` rejects.
        work: Called with the first message and the `Member`, or None if anybody may call.
            Gives the responses; where a request has several messages, `Parts`.
        for_anybody: True if callers without a certificate are welcome.
        in_parts: True if a request has several messages.
        has_rejection: False if its responses, which are not of our contract, have no field
            `rejection`; a status of gRPC rejects then.
    """

    path: str
    request: type[Message]
    response: type[Message]
    work: Callable[[Any, Any], Any]
    for_anybody: bool = False
    in_parts: bool = False
    has_rejection: bool = True

    @property
    def name(self) -> str:
        """Its name in the log."""
        return self.path.rpartition("/")[2]

    def answer(self, raw: bytes, member: Member | None) -> Iterable[Message]:
        """The responses to a request of one message.

        Raises:
            Undecodable: If it is not of the type that the method takes.
            Rejected: If it is not accepted.
        """
        responses: Iterable[Message] = self.work(self._read(raw), member)
        return responses

    def begin(self, raw: bytes, member: Member | None) -> _RawParts:
        """Takes the first of several messages; raises as `answer` does."""
        return _RawParts(self._read, self.work(self._read(raw), member))

    def rejection(self, rejection: Rejection) -> bytes:
        """The response that rejects a request, serialised."""
        response: Any = self.response
        return bytes(response(rejection=encode_rejection(rejection)).SerializeToString())

    def _read(self, raw: bytes) -> Message:
        # gRPC is given no deserialiser: version 1.85 never frees 20 KiB of each message that
        # it cannot decode, and writes a trace into the log.
        try:
            return self.request.FromString(raw)
        except DecodeError:
            raise Undecodable from None


class _RawParts:
    """Parts whose messages come as bytes."""

    def __init__(self, read: Callable[[bytes], Message], parts: Parts) -> None:
        self._read = read
        self._parts = parts

    def add(self, raw: bytes) -> None:
        """Takes a further message; raises as `Method.answer` does."""
        self._parts.add(self._read(raw))

    def finish(self) -> Iterable[Message]:
        """The responses, when all messages have come; raises Rejected."""
        return self._parts.finish()
