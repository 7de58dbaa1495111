"""Compares plugins of others with what was pinned, signed, reviewed and revoked."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from folkmoot_kit.provenance import (
    Installation,
    NewestRegistry,
    Pin,
    Privileges,
    Reason,
    Registry,
    Standing,
    TrustedKeys,
    declarations_of,
    fields_not_claimed,
    fields_of,
    load_trusted_keys,
    open_registry,
    standing,
)
from folkmoot_node.plugins.installed import InstalledPlugin
from folkmoot_node.plugins.provenance import Provenance
from folkmoot_node.settings.node_toml import FILE_NAME, NodeConfig
from folkmoot_node.settings.plugins import AllowedPlugin
from folkmoot_operator.private_files import make_private_folder
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.loading import Plugins
from folkmoot_sdk.schema import Schema
from folkmoot_sdk.secret import FILE

REGISTRY_LIST = "registry.json"
"""The file of a registry that lists the others."""
NEWEST = Path("plugins", "newest-registry.json")
"""In the home: which registry was the newest that the node has seen."""


@dataclass(frozen=True, kw_only=True)
class Examined(Provenance):
    """What pins, signatures, reviews and revocations say of a plugin.

    Attributes:
        standing: The same in full.
    """

    standing: Standing

    @classmethod
    def of(cls, found: Standing) -> Examined:
        """The same in the node's words; what was revoked or changed stands before the rest."""
        grave = sorted(found.problems, key=lambda fault: fault.reason not in _GRAVE)
        declares = found.manifest.declares if found.manifest else None
        return cls(
            problems=tuple(fault.as_problem() for fault in grave),
            is_reviewed=found.reviewed,
            words=tuple(_words(found)),
            kinds=frozenset(one.kind for one in declares.sources) if declares else frozenset(),
            has_factors=bool(declares.factors) if declares else True,
            secrets={
                one.kind: frozenset(entry.key for entry in one.options if entry.secret == FILE)
                for one in (declares.sources if declares else ())
            },
            standing=found,
        )

    def problems_with(self, plugins: Plugins) -> tuple[Problem, ...]:
        """See `Provenance`."""
        known = len(self.standing.problems)
        more = self.standing.compared_with(declarations_of(plugins)).problems[known:]
        return tuple(fault.as_problem() for fault in more)

    def fields_not_claimed(self, kind: str, schema: Schema) -> tuple[str, ...]:
        """See `Provenance`."""
        manifest = self.standing.manifest
        return fields_not_claimed(manifest.declares, kind, fields_of(schema)) if manifest else ()

    def as_json(self) -> Mapping[str, Any]:
        """See `Provenance`."""
        found = self.standing
        return {
            "signed": found.signed,
            "reported": found.reported,
            "revoked": found.revoked,
            "notes": [str(note) for note in found.notes],
        }


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
        return Examined.of(found)

    @cached_property
    def _trusted(self) -> TrustedKeys:
        path = self._config.plugin_keys
        if not path.exists():
            raise _nobody(
                "there is no file of trusted keys, so that nobody's signature counts",
                path,
                "Write the keys there that the region has told you by another way",
            )
        return load_trusted_keys(path)

    @cached_property
    def _registry(self) -> Registry:
        folder = self._config.plugin_registry
        if not (folder / REGISTRY_LIST).exists():
            raise _nobody(
                "there is no registry, which says who has signed plugins and what was revoked",
                folder,
                "Get its newest bundle, and run `folkmoot-node plugins import-registry BUNDLE`",
            )
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


def _nobody(problem: str, where: Path, remedy: str) -> Problem:
    return Problem(problem, where=str(where), remedy=remedy, exit_code=ExitCode.VERIFICATION)


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
