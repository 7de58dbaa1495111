"""A data source whose code runs in a confined process."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from folkmoot_kit.channel import values
from folkmoot_kit.channel.frames import FrameError
from folkmoot_kit.channel.words import LONGEST_DRAFT, LONGEST_NAME, Call
from folkmoot_kit.hosting import declarations, texts
from folkmoot_kit.hosting.answers import Garbage
from folkmoot_kit.hosting.errors import Asked
from folkmoot_kit.hosting.failure import FailureKind
from folkmoot_kit.hosting.process import PluginProcess
from folkmoot_kit.hosting.records import Batches
from folkmoot_kit.hosting.told import Telling
from folkmoot_sdk.declarations import source_faults
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.loading import Origin
from folkmoot_sdk.parameters import build
from folkmoot_sdk.schema import Schema
from folkmoot_sdk.secret import Secret
from folkmoot_sdk.source import DataSource, ReadContext, Records, SourceOptions

_MOST_EMPTY = 5_000
"""Messages one after the other that hold nothing: more would go on without end."""


class ConfinedSource(DataSource):
    """Base of the classes that `confined_source` makes, one for each kind of a process.

    Attributes:
        process: The process in which it is made, and reads.
        origin: Distribution, version and entry point.
        handle: The number by which the process knows this object.
    """

    process: ClassVar[PluginProcess]
    origin: ClassVar[Origin]

    def __init__(self, options: SourceOptions, *, where: str = "options") -> None:
        """Makes the source in its process, which builds the plugin's own options.

        Raises:
            PluginError: If the plugin refuses the options.
            PluginFailure: If it fails.
        """
        super().__init__(options)
        given = {**declarations.given(options), "base": str(options.base)}
        self._make(given, where)

    @classmethod
    def made(cls, given: Mapping[str, Any], where: str, base: Path) -> Self:
        """Makes a source of the values of a settings file.

        Args:
            given: The values.
            where: Where they stand, for errors.
            base: Folder to which relative paths refer.

        Raises:
            PluginError: As `folkmoot_sdk.parameters.build` does.
            PluginFailure: If the plugin fails.
        """
        given = {**given, "base": str(base)}
        source = cls.__new__(cls)
        options = build(cls.Options, given, where)
        DataSource.__init__(source, options)
        built = declarations.given(options)
        secrets = {key: value for key, value in built.items() if isinstance(value, Secret)}
        source._make({**given, **secrets}, where)
        return source

    def _make(self, given: Mapping[str, Any], where: str) -> None:
        self.handle = self.process.new_handle()
        self._schema: Schema | None = None
        # Secrets are read, with all checks, on this side, and when the source reads.
        self._secrets = {key: one for key, one in given.items() if isinstance(one, Secret)}
        try:
            crossing = values.encode({k: v for k, v in given.items() if k not in self._secrets})
        except values.ValueFault as fault:
            raise PluginError(where, str(fault), "Give values that TOML has") from None
        request = {
            "hook": "source",
            "name": self.kind,
            "handle": self.handle,
            "values": crossing,
            "secrets": list(self._secrets),
        }
        self.process.ask(Call.MAKE, request, self.asked("make", where))
        weakref.finalize(self, self.process.drop, self.handle).atexit = False

    def asked(self, hook: str, where: str = "") -> Asked:
        """Whom to name if a call fails."""
        return Asked(self.origin, hook, self.kind, where)

    @classmethod
    def draft(cls, file: Path) -> str:
        """Asks the process for a first mapping of a file; see `DataSource.draft`.

        Raises:
            PluginError: As the plugin raises it.
            PluginFailure: If it fails.
        """
        asked = Asked(cls.origin, "draft", cls.kind)
        request = {"name": cls.kind, "file": str(file.absolute())}
        answer = cls.process.ask(Call.DRAFT, request, asked)
        try:
            return texts.lines(answer.body.get("text"), LONGEST_DRAFT)
        except Garbage as fault:
            raise cls.process.distrust(asked, fault) from None

    @property
    def schema(self) -> Schema:
        """What the source holds, asked of the process each time.

        Raises:
            PluginError: As the plugin raises it.
            PluginFailure: If it fails, or says something else than before.
        """
        asked = self.asked("schema")
        answer = self.process.ask(Call.SCHEMA, {"handle": self.handle}, asked)
        try:
            found = declarations.schema(answer.body.get("schema"))
        except Garbage as fault:
            raise self.process.distrust(asked, fault) from None
        if self._schema is None:
            self._schema = found
        if found != self._schema:
            raise asked.failure(FailureKind.CONTRACT, "`schema` differs from call to call")
        return found

    def read(self, context: ReadContext) -> Iterator[Records]:
        """Reads in the process, one batch ahead; see `DataSource.read`.

        What the plugin rejects, leaves out and notes is handed on by the thread that takes the
        batches, before the batch that it belongs to.

        How much of that is taken is bounded, for it is counted and kept in the node's memory.

        Yields:
            Batches of at most `MOST_ROWS` records, whose `data` are pyarrow tables, with the
            columns that were asked for, of the types of the schema.

        Raises:
            PluginError: As the plugin raises it.
            PluginFailure: If it fails or breaks its contract.
        """
        asked = self.asked("read")
        batches = Batches(self._schema or self.schema, context, asked)
        request = {
            "handle": self.handle,
            "fields": list(context.fields),
            "date": context.reference_date.isoformat(),
            "identifiers": [entry.value for entry in context.identifiers],
            "known_on": context.known_on.isoformat() if context.known_on else None,
            "secrets": {key: one.reveal() for key, one in self._secrets.items()},
        }
        stream = self.process.stream(Call.READ, request, asked)
        telling = Telling()
        empty = 0
        try:
            for message in stream:
                try:
                    records = batches.records(message)
                    told = telling.tell(message.body, records)
                except (Garbage, FrameError) as fault:
                    raise self.process.distrust(asked, Garbage(str(fault))) from None
                for one in told:
                    one(context)
                if records is not None:
                    yield records
                empty = 0 if told or (records is not None and message.body["rows"]) else empty + 1
                if empty > _MOST_EMPTY:
                    endless = Garbage("message after message without a record")
                    raise self.process.distrust(asked, endless)
        finally:
            stream.close()


def confined_source(
    declared: Mapping[str, Any], process: PluginProcess, origins: Sequence[Origin]
) -> type[ConfinedSource]:
    """Makes the class of a kind of source of what its process declares.

    Raises:
        Garbage: If that is no declaration of a source.
    """
    attributes: dict[str, Any] = {
        "kind": texts.line(declared.get("kind"), LONGEST_NAME),
        "Options": declarations.options(declared.get("parameters")),
        "process": process,
        "origin": declarations.origin(declared.get("origin"), origins),
    }
    made = type("ConfinedSource", (ConfinedSource,), attributes)
    if source_faults(made):
        raise Garbage("a declaration of a source is not as the SDK says")
    return made
