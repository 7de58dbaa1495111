"""One confined process that serves the plugins of some distributions, asked from any thread."""

from __future__ import annotations

import contextlib
import itertools
import queue
import select
import signal
import socket
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from folkmoot_kit import confinement
from folkmoot_kit.channel.frames import Bounds, Channel, FrameError, Message, Part, SocketEnd
from folkmoot_kit.channel.words import READ_AHEAD, Call, Reply
from folkmoot_kit.hosting import errors
from folkmoot_kit.hosting.answers import Garbage
from folkmoot_kit.hosting.errors import Asked
from folkmoot_kit.hosting.failure import FailureKind
from folkmoot_kit.hosting.shared_inputs import SharedInputs

FLOOD_BYTES = 64 << 20
"""Printed bytes after which a process is stopped. What it prints is thrown away, and costs."""
_BUFFER_BYTES = 4 << 20
"""Asked of the kernel for what is sent: a chunk of columns then takes few wake-ups."""
_LOOKED_AT_SECONDS = 0.5
"""How often it is looked at how much a process has printed, while an answer is waited for."""
_TO_END_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosting:
    """Which plugins share a process, and what it is given.

    Attributes:
        distributions: Names of installed distributions.
        grants: What the process may reach, and its limits.
        show_messages: Whether the texts of errors may be shown: only on made-up data.
        from_source: Whether plugins are compiled from their sources each time. Pins cover these
            and not the copies in `__pycache__`, which would be run instead of them.
    """

    distributions: tuple[str, ...]
    grants: confinement.Grants = field(default_factory=confinement.Grants)
    show_messages: bool = False
    from_source: bool = False


@dataclass(slots=True)
class _Pending:
    """A call that is under way.

    Attributes:
        allowed: Messages that may still come before the last.
        inbox: Where they go; None stands for a process that is broken.
        abandoned: Nobody waits any more.
    """

    allowed: int = 0
    inbox: queue.SimpleQueue[Message | None] = field(default_factory=queue.SimpleQueue)
    abandoned: bool = False


class PluginProcess:
    """A running process. It is never started again: who wants a fresh one makes one.

    Attributes:
        hosting: What it was made with.
        import_folders: Where plugins are installed.
    """

    def __init__(self, hosting: Hosting, import_folders: Sequence[Path], first: Asked) -> None:
        """Starts the process and waits until it has locked itself down.

        Args:
            hosting: Which plugins it serves, and what it is given.
            import_folders: Where plugins are installed.
            first: Whom to name if the process does not start.

        Raises:
            PluginFailure: If it does not.
            Problem: If this machine cannot confine a process.
        """
        self.hosting = hosting
        self.import_folders = tuple(import_folders)
        self._lock = threading.Lock()
        self._pending: dict[int, _Pending] = {0: _Pending()}
        self._calls = itertools.count(1)
        self._handles = itertools.count(1)
        self._dropped: list[int] = []
        self._broken: tuple[FailureKind, str] | None = None
        self._closed = False
        self._process = confinement.start(hosting.grants, self.import_folders)
        self._process.channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        self._inputs = SharedInputs()
        self._inputs.send(self._process.channel)
        self._channel = Channel(SocketEnd(self._process.channel), Bounds())
        threading.Thread(target=self._receive, name="plugin answers", daemon=True).start()
        setup = {
            "import_folders": [str(folder) for folder in self.import_folders],
            "show_messages": hosting.show_messages,
            "from_source": hosting.from_source,
            "confinement": self._process.setup,
        }
        self._send(0, setup, None, self._deadline(), [first])
        ready = self._next(0, self._pending[0], self._deadline(), [first])
        if ready.body.get("reply") != Reply.READY:
            self._break(FailureKind.GARBAGE, "did not say that it is ready")
            raise self._failure([first])

    @property
    def pid(self) -> int:
        """Id of the process."""
        return self._process.pid

    @property
    def seconds(self) -> float:
        """Wall-clock seconds that one call may take."""
        return self.hosting.grants.limits.seconds

    @property
    def has_ended(self) -> bool:
        """Whether it answers no more: it was closed, has ended, or was stopped."""
        return self._broken is not None

    def new_handle(self) -> int:
        """A number by which the process knows an object that is made in it."""
        return next(self._handles)

    def drop(self, handle: int) -> None:
        """Says with the next call that an object is needed no more. Takes no lock."""
        self._dropped.append(handle)

    def ask(
        self,
        call: Call,
        body: Mapping[str, Any],
        asked: Asked | Sequence[Asked],
        columns: Sequence[Part] | None = None,
    ) -> Message:
        """Asks, and waits for the one answer.

        Raises:
            PluginError: As the plugin raised it, with bounded texts.
            PluginFailure: If the plugin raises anything else, or the process fails.
        """
        whom = [asked] if isinstance(asked, Asked) else asked
        number, pending = self._open(whom, 0)
        place: tuple[int, int] | None = None
        try:
            deadline = self._deadline()
            request = {"call": call, **body, **self._drops()}
            if columns is not None and (place := self._inputs.put(columns)) is not None:
                request["place"], columns = place, None
            self._send(number, request, columns, deadline, whom)
            return self._checked(self._next(number, pending, deadline, whom), whom)
        finally:
            if place is not None:
                self._inputs.release(place[0])
            self._leave(number)

    def stream(
        self, call: Call, body: Mapping[str, Any], asked: Asked
    ) -> Generator[Message, None, None]:
        """Asks, and yields messages as they are wanted; the process works one ahead.

        Each message may take as long as a call.

        Raises:
            PluginError: As the plugin raised it, with bounded texts.
            PluginFailure: If the plugin raises anything else, or the process fails.
        """
        whom = [asked]
        number, pending = self._open(whom, READ_AHEAD)
        ended = False
        try:
            deadline = self._deadline()
            request = {"call": call, "ahead": READ_AHEAD, **body, **self._drops()}
            self._send(number, request, None, deadline, whom)
            while True:
                message = self._next(number, pending, deadline, whom)
                if message.body.get("reply") != Reply.ITEM:
                    ended = True
                    self._checked(message, whom)
                    return
                yield message
                deadline = self._deadline()
                with self._lock:
                    pending.allowed += 1
                self._send(number, {"call": Call.NEXT}, None, deadline, whom)
        finally:
            if not ended and self._broken is None:
                with contextlib.suppress(Exception):
                    self._send(number, {"call": Call.END}, None, self._deadline(), whom)
            self._leave(number)

    def distrust(self, asked: Asked, fault: Garbage) -> Exception:
        """Stops the process, whose answer is not what was asked for; gives what to raise."""
        self._break(FailureKind.GARBAGE, f"answered with something else ({fault})")
        return self._failure([asked])

    def printed_text(self) -> str:
        """What plugins printed, at most 64 KiB. Only to be shown on made-up data."""
        return self._process.stderr_text()

    def close(self) -> None:
        """Ends the process. Safe to call again."""
        self._closed = True
        self._break(FailureKind.DIED, "was closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, asked: Sequence[Asked], allowed: int) -> tuple[int, _Pending]:
        with self._lock:
            if self._broken is None:
                number, pending = next(self._calls), _Pending(allowed)
                self._pending[number] = pending
                return number, pending
        raise self._failure(asked)

    def _leave(self, number: int) -> None:
        """Nobody waits for a call any more; what still comes of it is thrown away."""
        with self._lock:
            pending = self._pending.get(number)
            if pending is not None:
                pending.abandoned = True

    def _drops(self) -> dict[str, list[int]]:
        if not self._dropped:
            return {}
        dropped, self._dropped = self._dropped, []
        return {"drop": dropped}

    def _deadline(self) -> float:
        return time.monotonic() + self.seconds

    def _send(
        self,
        number: int,
        body: Mapping[str, Any],
        columns: Sequence[Part] | None,
        deadline: float,
        asked: Sequence[Asked],
    ) -> None:
        def wait() -> None:
            poll = select.poll()
            poll.register(self._process.channel, select.POLLOUT)
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                self._break(FailureKind.HUNG, self._no_answer())
                raise self._failure(asked)

        try:
            self._channel.send(number, body, columns, wait)
        except (OSError, ValueError):
            # ValueError: another thread has closed the channel meanwhile.
            self._break_as_it_ended()
            raise self._failure(asked) from None

    def _next(
        self, number: int, pending: _Pending, deadline: float, asked: Sequence[Asked]
    ) -> Message:
        while True:
            left = deadline - time.monotonic()
            try:
                message = pending.inbox.get(timeout=min(max(left, 0.0), _LOOKED_AT_SECONDS))
            except queue.Empty:
                message = None
                if left <= 0:
                    self._break(FailureKind.HUNG, self._no_answer())
            if self._process.stderr_bytes() > FLOOD_BYTES:
                self._break(FailureKind.FLOOD, f"printed more than {FLOOD_BYTES >> 20} MiB")
            if self._broken is not None:
                raise self._failure(asked)
            if message is not None:
                return message

    def _checked(self, message: Message, asked: Sequence[Asked]) -> Message:
        try:
            reply = message.body.get("reply")
            if reply == Reply.DONE:
                return message
            if reply != Reply.ERROR:
                raise Garbage("an answer of no kind")
            error = errors.raised(
                message.body, asked, self.import_folders, shows=self.hosting.show_messages
            )
        except Garbage as fault:
            raise self.distrust(asked[0], fault) from None
        raise error

    def _receive(self) -> None:
        """Hands messages to those who wait, until the process ends or breaks the protocol."""
        try:
            while True:
                message = self._channel.receive()
                if message is None:
                    self._break_as_it_ended()
                    return
                self._hand_on(message)
        except FrameError as error:
            self._break(FailureKind.GARBAGE, f"sent something else than an answer ({error})")
        except OSError:
            self._break_as_it_ended()
        except Exception as error:
            # Those who wait must learn of it, whatever it was: a frame too large for memory, say.
            self._break(FailureKind.GARBAGE, f"cannot be listened to ({type(error).__name__})")

    def _hand_on(self, message: Message) -> None:
        with self._lock:
            pending = self._pending.get(message.call)
            if pending is None:
                raise FrameError("nothing was asked")
            if message.body.get("reply") != Reply.ITEM:
                del self._pending[message.call]
            elif pending.allowed == 0:
                raise FrameError("more than was asked")
            else:
                pending.allowed -= 1
            if not pending.abandoned:
                pending.inbox.put(message)

    def _break_as_it_ended(self) -> None:
        """Says how the process ended by itself."""
        if self._broken is not None:
            return
        ending = self._process.wait(_TO_END_SECONDS)
        if ending is None:
            self._break(FailureKind.GARBAGE, "closed its channel")
        else:
            forbidden = ending.signal == signal.SIGSYS
            kind = FailureKind.FORBIDDEN if forbidden else FailureKind.DIED
            self._break(kind, f"its process {_was(ending)}{ending.reason}")

    def _break(self, kind: FailureKind, problem: str) -> None:
        """Stops the process for the first reason given, and wakes all who wait."""
        with self._lock:
            if self._broken is not None:
                return
            self._broken = (kind, problem)
            waiting = list(self._pending.values())
            self._pending.clear()
        self._process.kill()
        for pending in waiting:
            pending.inbox.put(None)

    def _failure(self, asked: Sequence[Asked]) -> Exception:
        assert self._broken is not None
        kind, problem = self._broken
        return asked[0].failure(kind, problem)

    def _no_answer(self) -> str:
        return f"gave no answer within {self.seconds:g} seconds, and was stopped"


def _was(ending: confinement.Ending) -> str:
    return "was " if ending.signal is not None else ""
