"""Table `[plugins]` of `node.toml`: which plugins of others may run, and what each is granted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from folkmoot_operator.settings import Settings

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
"""A SHA-256 in the form that `folkmoot-plugin pin` prints."""
DistributionName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$")]
"""Name of an installed distribution, as `pip list` shows it."""
Requirement = Annotated[str, Field(pattern=r"^\S{1,100} sha256:[0-9a-f]{64}$")]
"""Version and content of a distribution that a plugin brings with it."""
Host = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.:-]{0,251}[a-z0-9])?$")]
"""Name or address of a host, with or without a port."""
_LARGEST_MIB = 1_048_576
_DAY = 86_400


def normal(distribution: str) -> str:
    """The one form of a distribution's name, in which packaging tools compare them (PEP 503)."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


class PluginLimits(Settings):
    """What a process that runs plugins may use.

    Attributes:
        memory_mib: Its memory.
        seconds: Wall clock of one call: of one batch that is scored or read.
    """

    memory_mib: Annotated[int, Field(ge=64, le=_LARGEST_MIB)]
    seconds: Annotated[int, Field(ge=1, le=_DAY)]


class ShippedLimits(PluginLimits):
    """Table `[plugins.shipped]`: limits of the plugins that come with the node.

    Attributes:
        memory_mib: As `PluginLimits`. Readers of large extracts need some gibibytes.
        seconds: As `PluginLimits`. The first batch of a database may take long.
    """

    memory_mib: Annotated[int, Field(ge=64, le=_LARGEST_MIB)] = 8192
    seconds: Annotated[int, Field(ge=1, le=_DAY)] = 1800


class AllowedPlugin(PluginLimits):
    """One table `[plugins.allowed.NAME]`: a plugin of others that may run. Nothing is granted
    that is not named here.

    Attributes:
        version: The version that was installed when somebody decided.
        wheel: SHA-256 of the wheel file, by which signatures and reviews name it.
        content: SHA-256 over the files in the wheel; compared with what is installed at each start.
        network: Hosts that its source reaches. The kernel cannot hold it to them: with one host it
            reaches all.
        files: Whether its sources read the files and folders that their options name, and
            `extracts`.
        memory_mib: As `PluginLimits`.
        seconds: As `PluginLimits`.
        scratch_mib: Space for temporary files of its source, in memory; 0 for none.
        trust: `confined`, in a process apart; or `in_process`, in the node's own, which the signed
            release policy has to name too.
        requires: Distributions that come with it, by name: version and content of each.
    """

    version: Annotated[str, Field(min_length=1, max_length=100)]
    wheel: Digest
    content: Digest
    network: tuple[Host, ...] = ()
    files: bool = False
    memory_mib: Annotated[int, Field(ge=64, le=_LARGEST_MIB)] = 2048
    seconds: Annotated[int, Field(ge=1, le=_DAY)] = 600
    scratch_mib: Annotated[int, Field(ge=0, le=_LARGEST_MIB)] = 0
    trust: Literal["confined", "in_process"] = "confined"
    requires: dict[DistributionName, Requirement] = {}


class PluginSettings(Settings):
    """Table `[plugins]`.

    Attributes:
        if_one_fails: What a run does when a plugin of others dies, hangs or breaks its contract:
            `stop`, or go on with its factors `unknown`, which leaves rounds to a person's decision.
        require_report: Whether a plugin needs a signed report of `folkmoot-plugin check` about the
            wheel that is pinned.
        registry: Folder of manifests, reviews, reports and revocations.
        trusted_keys: File of the keys of vendors, reviewers and registries that the council trusts.
        shipped: Limits of the plugins that come with the node.
        allowed: Plugins of others that may run, by distribution.
    """

    if_one_fails: Literal["stop", "unknown"] = "stop"
    require_report: bool = False
    registry: Path = Path("plugins/registry")
    trusted_keys: Path = Path("plugins/trusted-keys.toml")
    shipped: ShippedLimits = ShippedLimits()
    allowed: dict[DistributionName, AllowedPlugin] = {}

    @field_validator("allowed")
    @classmethod
    def _each_is_named_once(cls, allowed: dict[str, AllowedPlugin]) -> dict[str, AllowedPlugin]:
        names = [normal(name) for name in allowed]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name!r} is named twice; a distribution has one table")
        return allowed

    def of(self, distribution: str) -> AllowedPlugin | None:
        """What is granted to a distribution; None if it is not named."""
        named = {normal(name): allowed for name, allowed in self.allowed.items()}
        return named.get(normal(distribution))
