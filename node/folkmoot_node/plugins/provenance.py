"""What pins, signatures, reviews and revocations say of a plugin that `node.toml` allows."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from folkmoot_kit.provenance import (
    Declarations,
    Installation,
    Manifest,
    NewestRegistry,
    Pin,
    Privileges,
    Reason,
    Registry,
    Standing,
    TrustedKeys,
    fields_not_claimed,
    fields_of,
    load_trusted_keys,
    open_registry,
    standing,
)
from folkmoot_node.plugins.installed import InstalledPlugin
from folkmoot_node.settings.node_toml import FILE_NAME, NodeConfig
from folkmoot_node.settings.plugins import AllowedPlugin
from folkmoot_operator.private_files import make_private_folder
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import Schema

REGISTRY_LIST = "registry.json"
"""The file of a registry that lists the others."""
NEWEST = Path("plugins", "newest-registry.json")
"""In the home: which registry was the newest that the node has seen."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known of where a plugin comes from.

    Attributes:
        problems: Why it must not run, the gravest first; empty if nothing speaks against it.
        is_reviewed: Whether two people of two organisations have signed reviews of this wheel.
        words: What is known, for people, each a few words.
        standing: The same in full; None if registry or keys could not be opened.
    """

    problems: tuple[Problem, ...] = ()
    is_reviewed: bool = False
    words: tuple[str, ...] = ()
    standing: Standing | None = None

    @property
    def problem(self) -> Problem | None:
        """Why it must not run; None if it may."""
        if not self.problems:
            return None
        first, more = self.problems[0], len(self.problems) - 1
        also = f" (and {more} more: see `folkmoot-node plugins list`)" if more else ""
        return Problem(
            first.problem + also,
            where=first.where,
            remedy=first.remedy,
            exit_code=first.exit_code,
        )

    @property
    def manifest(self) -> Manifest | None:
        """What its vendor has signed."""
        return self.standing.manifest if self.standing else None

    def problems_with(self, declared: Declarations) -> tuple[Problem, ...]:
        """What the plugin does and its manifest does not say, once it runs confined."""
        if self.standing is None:
            return ()
        known = len(self.standing.problems)
        more = self.standing.compared_with(declared).problems[known:]
        return tuple(fault.as_problem() for fault in more)

    def fields_not_claimed(self, kind: str, schema: Schema) -> tuple[str, ...]:
        """Fields that a source gives and the manifest does not name; a sentence each."""
        if self.manifest is None:
            return ()
        return fields_not_claimed(self.manifest.declares, kind, fields_of(schema))


class Examiner:
    """Compares plugins of others with what was pinned, signed, reviewed and revoked.

    The registry and the list of trusted keys are opened when the first plugin is looked at, once.
    """

    def __init__(self, config: NodeConfig, folders: Sequence[Path], today: datetime.date) -> None:
        """Opens nothing yet.

        Args:
            config: The node's settings.
            folders: Folders from which confined processes import.
            today: Compared with the ends of signatures.
        """
        self._config = config
        self._today = today
        self._installation = Installation(folders)

    def __call__(self, plugin: InstalledPlugin, allowed: AllowedPlugin) -> Provenance:
        """What is known of a plugin that is allowed. Reads its files, and imports nothing."""
        if plugin.version != allowed.version:
            return Provenance((self._other_version(plugin, allowed),))
        try:
            trusted, registry = self._trusted, self._registry
        except Problem as problem:
            return Provenance((problem,))
        found = standing(
            plugin.distribution,
            pin_of(allowed),
            registry,
            trusted,
            self._today,
            installation=self._installation,
            require_report=self._config.plugins.require_report,
            sdk=version("folkmoot-sdk"),
        )
        # What was revoked or changed stands before what is merely missing.
        grave = sorted(found.problems, key=lambda fault: fault.reason not in _GRAVE)
        problems = tuple(fault.as_problem() for fault in grave)
        return Provenance(problems, found.reviewed, tuple(_words(found)), found)

    @cached_property
    def _trusted(self) -> TrustedKeys | None:
        path = self._config.plugin_keys
        return load_trusted_keys(path) if path.exists() else None

    @cached_property
    def _registry(self) -> Registry | None:
        folder = self._config.plugin_registry
        if self._trusted is None or not (folder / REGISTRY_LIST).exists():
            return None
        registry = open_registry(folder, self._trusted)
        newest = NewestRegistry(self._config.home / NEWEST)
        if self._config.home.stat().st_uid == os.geteuid():
            make_private_folder(self._config.home / NEWEST.parent)
            newest.accept(registry.index)
        else:
            newest.require(registry.index)  # casework's own account reads, and does not write
        return registry

    def _other_version(self, plugin: InstalledPlugin, allowed: AllowedPlugin) -> Problem:
        return Problem(
            f"version {plugin.version} is installed, and {allowed.version} is allowed",
            where=f"{self._config.home / FILE_NAME}: plugins.allowed.{plugin.distribution}.version",
            remedy=f"Install version {allowed.version}; or decide about this one, and allow it by "
            "`folkmoot-node plugins allow WHEEL`",
            exit_code=ExitCode.VERIFICATION,
        )


_GRAVE = frozenset({Reason.REVOKED, Reason.CHANGED, Reason.REQUIREMENT_CHANGED})


def pin_of(allowed: AllowedPlugin) -> Pin:
    """A table of `node.toml` as the kit has it."""
    return Pin(
        version=allowed.version,
        wheel=allowed.wheel,
        content=allowed.content,
        requires=dict(allowed.requires),
        granted=Privileges(
            network=allowed.network,
            files=allowed.files,
            memory_mib=allowed.memory_mib,
            seconds=allowed.seconds,
        ),
    )


def _words(found: Standing) -> Iterator[str]:
    if found.manifest is not None:
        yield f"signed by {found.manifest.vendor} until {found.manifest.valid_until}"
    if found.reviewed:
        people = (f"{one.person} ({one.organisation})" for one in found.reviews)
        yield f"reviewed by {', '.join(people)}"
    else:
        yield "not reviewed by two people of two organisations"
    if found.report is not None:
        yield "passed by the conformance kit" if found.reported else "failed by the conformance kit"
    else:
        yield "without a report of the conformance kit"
