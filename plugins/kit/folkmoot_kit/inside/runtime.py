"""Answers the calls of the node, each on a thread of its own."""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from folkmoot_kit.channel import values
from folkmoot_kit.channel.frames import Bounds, Channel, DescriptorEnd, FrameError, Message, Part
from folkmoot_kit.channel.words import HERE, LONGEST_DRAFT, LONGEST_VALUE, Breach, Call, Reply, cut
from folkmoot_kit.inside import reading, scoring
from folkmoot_kit.inside.describing import declarations, load_from, plain
from folkmoot_kit.inside.faults import BreachError, Faults
from folkmoot_kit.inside.held_secrets import HeldSecrets
from folkmoot_kit.inside.workers import Workers
from folkmoot_sdk.factor import RiskFactor
from folkmoot_sdk.loading import Plugins
from folkmoot_sdk.parameters import build
from folkmoot_sdk.schema import Schema
from folkmoot_sdk.source import DataSource

Answer = tuple[dict[str, Any], "Sequence[Part] | None"]

_EXIT_CHANNEL_CLOSED = 0
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 64 << 20
_MAPPED_BYTES = 32 << 20


def serve(setup: Mapping[str, Any], inputs: mmap.mmap) -> None:
    """Answers calls until the node closes the channel, then ends the process.

    Args:
        setup: `import_folders`, where plugins are installed; `show_messages`, whether the texts
            of errors may cross.
        inputs: Memory in which the node lays columns that are to be scored.
    """
    _keep_memory()
    if setup.get("from_source", False):
        # What this process needs is imported by now; a plugin's compiled copies are found no more.
        sys.pycache_prefix = os.devnull
    _Server(Channel(DescriptorEnd(0), Bounds()), setup, inputs).run()
    # Threads of plugins may go on: nothing waits for them.
    os._exit(_EXIT_CHANNEL_CLOSED)


def _keep_memory() -> None:
    """Keeps some of what is freed: each chunk needs it again, and fresh pages cost time.

    A C library without this setting gives it back.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, _MAPPED_BYTES)
        set_option(_M_TRIM_THRESHOLD, _KEPT_BYTES)


class _Server:
    def __init__(self, channel: Channel, setup: Mapping[str, Any], inputs: mmap.mmap) -> None:
        self._inputs = np.frombuffer(inputs, np.uint8)
        self._channel = channel
        self._folders: Sequence[str] = setup["import_folders"]
        self._faults = Faults(bool(setup.get("show_messages", False)))
        self._workers = Workers()
        self._plugins: Plugins | None = None
        self._made: dict[int, RiskFactor | DataSource] = {}
        self._secrets: dict[int, HeldSecrets] = {}
        self._streams: dict[int, _Credit] = {}

    def run(self) -> None:
        self._channel.send(0, {"reply": Reply.READY})
        while True:
            message = self._channel.receive()
            if message is None:
                return
            self._take(message)

    def _take(self, message: Message) -> None:
        for handle in message.body.get("drop", ()):
            self._made.pop(handle, None)
            self._secrets.pop(handle, None)
        call = message.body["call"]
        if call in (Call.NEXT, Call.END):
            credit = self._streams.get(message.call)
            if credit is not None:
                credit.more() if call == Call.NEXT else credit.end()
            return
        if call == Call.READ:
            # Before the thread starts: the node may ask for more at once.
            self._streams[message.call] = _Credit(message.body["ahead"])
        self._workers.run(lambda: self._answer(message))

    def _answer(self, message: Message) -> None:
        body = message.body
        call = body["call"]
        parts: Sequence[Part] | None = None
        try:
            reply, parts = self._calls[call](self, message)
        except scoring.FactorFailed as failed:
            reply = self._faults.answer(failed.__cause__ or failed, failed.at, speaks=False)
        except BaseException as error:
            # A plugin that calls sys.exit ends its call, not the process.
            reply = self._faults.answer(error, speaks=call != Call.EXPLAIN)
        finally:
            self._streams.pop(message.call, None)
        try:
            self._send(message.call, reply, parts)
        except OSError:
            os._exit(_EXIT_CHANNEL_CLOSED)

    def _send(self, call: int, reply: Mapping[str, Any], parts: Sequence[Part] | None) -> None:
        """Sends an answer; one that is longer than the node takes is said to be so."""
        try:
            self._channel.send(call, reply, parts)
        except FrameError:
            self._channel.send(call, self._faults.answer(BreachError(Breach.TOO_LARGE)))

    def _describe(self, message: Message) -> Answer:
        self._plugins = load_from(message.body["distributions"], self._folders)
        return {"reply": Reply.DONE, **declarations(self._plugins)}, None

    def _make(self, message: Message) -> Answer:
        assert self._plugins is not None
        body = message.body
        given = values.decode(body["values"])
        made: RiskFactor | DataSource
        if body["hook"] == "factor":
            factor = self._plugins.factors[body["name"]]
            made = factor(build(factor.Parameters, given, HERE))
        else:
            source = self._plugins.sources[body["name"]]
            held = HeldSecrets(body["secrets"])
            made = source(build(source.Options, {**given, **held.options()}, HERE))
            self._secrets[body["handle"]] = held
        self._made[body["handle"]] = made
        return {"reply": Reply.DONE}, None

    def _schema(self, message: Message) -> Answer:
        schema: object = self._source(message.body["handle"]).schema
        if not isinstance(schema, Schema):
            raise BreachError(Breach.NO_SCHEMA, type(schema).__name__)
        return {"reply": Reply.DONE, "schema": plain(schema)}, None

    def _draft(self, message: Message) -> Answer:
        assert self._plugins is not None
        text: object = self._plugins.sources[message.body["name"]].draft(Path(message.body["file"]))
        if not isinstance(text, str):
            raise BreachError(Breach.NO_TEXT, type(text).__name__)
        if len(text) > LONGEST_DRAFT:
            raise BreachError(Breach.TOO_LARGE)
        return {"reply": Reply.DONE, "text": text}, None

    def _read(self, message: Message) -> Answer:
        credit = self._streams[message.call]

        def send(body: Mapping[str, Any], parts: Sequence[Part] | None) -> bool:
            if not credit.take():
                return False
            self._channel.send(message.call, {"reply": Reply.ITEM, **body}, parts)
            return True

        handle = message.body["handle"]
        self._secrets[handle].take(message.body["secrets"])
        try:
            reading.read(self._source(handle), message.body, send)
        except reading.Ended:
            return {"reply": Reply.DONE}, None
        return {"reply": Reply.DONE}, None

    def _score(self, message: Message) -> Answer:
        body = message.body
        content = message.columns
        if content is None:
            start, length = body["place"]
            content = self._inputs[start : start + length]
        factors = [self._factor(entry["handle"]) for entry in body["factors"]]
        wanted = [entry["inputs"] for entry in body["factors"]]
        return {"reply": Reply.DONE}, scoring.score(factors, wanted, body["date"], content)

    def _explain(self, message: Message) -> Answer:
        body = message.body
        factor = self._factor(body["handle"])
        text = scoring.explain(factor, body["values"], body["score"], body["date"])
        return {"reply": Reply.DONE, "text": cut(text, LONGEST_VALUE)}, None

    def _examine(self, message: Message) -> Answer:
        # Late: the checks of the SDK are for a command of vendors, and take a while to import.
        from folkmoot_kit.inside import examining

        assert self._plugins is not None
        body = message.body
        given = values.decode(body["values"])
        found = examining.examine(self._plugins, body["hook"], body["name"], given)
        return {"reply": Reply.DONE, "findings": found}, None

    def _factor(self, handle: int) -> RiskFactor:
        made = self._made[handle]
        assert isinstance(made, RiskFactor)
        return made

    def _source(self, handle: int) -> DataSource:
        made = self._made[handle]
        assert isinstance(made, DataSource)
        return made

    _calls: Mapping[str, Callable[[_Server, Message], Answer]] = {
        Call.DESCRIBE: _describe,
        Call.MAKE: _make,
        Call.SCHEMA: _schema,
        Call.DRAFT: _draft,
        Call.READ: _read,
        Call.SCORE: _score,
        Call.EXPLAIN: _explain,
        Call.EXAMINE: _examine,
    }


class _Credit:
    """How many more messages of a stream the node takes now."""

    def __init__(self, ahead: int) -> None:
        self._condition = threading.Condition()
        self._left = ahead
        self._ended = False

    def more(self) -> None:
        with self._condition:
            self._left += 1
            self._condition.notify()

    def end(self) -> None:
        with self._condition:
            self._ended = True
            self._condition.notify_all()

    def take(self) -> bool:
        """Waits until a message may be sent; false if none may any more."""
        with self._condition:
            while not self._left and not self._ended:
                self._condition.wait()
            if self._ended:
                return False
            self._left -= 1
            return True
