"""What a council may publish of how it scores, and what its public file is called and holds.

The node writes the file for its public page; the region reads it for its site. An allow-list, so
that a new fact stays inside until somebody decides. Left out are who has a role, who signed or
advised, with which key, and where the region's coordinator listens. Of people the owner is named,
as the council has entered them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Protocol, TypeVar

PUBLIC_FACTS = "folkmoot/public-facts/1"
"""Layout of the file."""
SCORING_FAMILIES: Mapping[str, str] = {
    "sources": "source",
    "policy.risk.factors": "factor",
    "policy.risk.bands": "band",
    "policy.risk.attributes": "attribute",
    "policy.release.attributes": "attribute of releases",
    "plugins": "plugin",
    "people.roles": "role",
}
"""What the keys below these are about, by prefix: one name each, and facts about it."""
_FOLLOWING = ("share", "maximum", "sha256")
"""Last parts of the keys of facts that follow from others; a plugin's files can change alone."""
_PLUGINS = "plugins."
_SHARE = ".share"
"""How keys of parts of a whole end, from 0 to 1."""
_VERSION_IDS = uuid.UUID("5b0b1f4c-5c0e-4d0c-9d3e-5f6a2d9b7e11")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a public page.

    Attributes:
        title: Its heading.
        about: What it tells, one sentence or two.
        keys: Patterns of the keys of its facts; a star stands for any text.
        families: Prefixes, within the keys, of things that have a table each: "sources".
    """

    title: str
    about: str
    keys: tuple[str, ...] = ()
    families: tuple[str, ...] = ()

    def rows(self, keys: Iterable[str]) -> list[str]:
        """Those keys of the part that belong to none of its things, in the order of `self.keys`."""
        starts = tuple(f"{family}." for family in self.families)
        mine = [key for key in keys if _matches(key, self.keys) and not key.startswith(starts)]
        return sorted(mine, key=self._place)

    def _place(self, key: str) -> int:
        return next(at for at, pattern in enumerate(self.keys) if fnmatchcase(key, pattern))

    def things(self, keys: Iterable[str]) -> dict[str, list[str]]:
        """By thing, such as "sources.housing", the keys below it; things by family, then by name.

        Args:
            keys: Of all facts.
        """
        found: dict[str, list[str]] = {}
        known = list(keys)
        for family in self.families:
            start = f"{family}."
            below = [key for key in known if key.startswith(start)]
            names = sorted({key.removeprefix(start).partition(".")[0] for key in below})
            for name in names:
                thing = start + name
                found[thing] = [key for key in below if key == thing or key.startswith(f"{thing}.")]
        return found


_PLUGIN_FACTS = ("version", "sha256", "shipped", "trust", "privileges", "reviewed")
_WHOLE_TABLES = ("owner", "contact", "rationale", "use", "procurement")
_CONSULTATION = ("residents", "staff", "processors", "experts", "outcome", "departure")
_EQUALITY = (
    "aim",
    "evidence",
    "engagement",
    "decision",
    "justification",
    "monitoring",
    "impacts.*",
)
PARTS = (
    Part(
        "Who answers for it",
        "What the council itself says. What it has not said yet is shown as missing.",
        keys=(
            "node.name",
            "node.council",
            *(f"scrutiny.{table}.*" for table in _WHOLE_TABLES),
            *(f"scrutiny.consultation.{name}" for name in _CONSULTATION),
            *(
                f"scrutiny.dpo_advice.{name}"
                for name in ("given_on", "advice", "decision", "reasons")
            ),
            *(f"scrutiny.sign_off.{name}_on" for name in ("measures", "residual", "review")),
            *(f"scrutiny.equality.{name}" for name in _EQUALITY),
            "scrutiny.evaluation.accuracy",
            "scrutiny.risks",
            "scrutiny.version",
        ),
    ),
    Part(
        "What households are scored for, and how",
        "By the council's risk policy, a public document. Its digest names the very text.",
        keys=(
            "policy.risk.title",
            "policy.risk.sha256",
            "policy.risk.purpose",
            "policy.risk.legal_basis",
            "policy.risk.owner",
            "policy.risk.sunset",
            "policy.risk.maximum",
            "policy.risk.audited",
            "policy.risk.retention.*",
            "policy.risk.protected.*",
            "policy.risk.consumer_data.*",
            "policy.risk.attributes.*",
            "policy.risk.factors.*",
            "policy.risk.bands.*",
            "node.schedule",
            "node.casework",
            "node.if_a_plugin_fails",
        ),
        families=("policy.risk.factors", "policy.risk.bands"),
    ),
    Part(
        "Where the information comes from",
        "Each source that is read, from whom it comes, and what is in it.",
        keys=("node.frame", "sources.*"),
        families=("sources",),
    ),
    Part(
        "What may leave the council",
        "Only counts with noise added. By the council's signed release policy.",
        keys=(
            "policy.release.sha256",
            "policy.release.sunset",
            "policy.release.purposes",
            "policy.release.attributes.*",
            "policy.release.maximum_ways",
            "policy.release.maximum_cells",
            "policy.release.mechanisms",
            "policy.release.operator_approval",
            "policy.release.maximum_delta",
            "policy.release.loss.*",
            "policy.release.plugins_in_process",
        ),
    ),
    Part(
        "Who may see scores",
        "What each role at the council may do; who has which role is not published.",
        keys=(
            "people.roles.*",
            "policy.casework.sha256",
            "policy.casework.sunset",
            "policy.casework.blind_first_look",
            "policy.casework.sensitive_sources",
            "policy.casework.retention.*",
        ),
    ),
    Part(
        "Programs",
        "The node, and the plugins that read sources and compute factors.",
        keys=("node.version", *(f"plugins.*.{name}" for name in _PLUGIN_FACTS)),
        families=("plugins",),
    ),
)
"""Of the page, in their order."""


def is_public(key: str) -> bool:
    """Whether a fact may be published, by its key."""
    return any(_matches(key, part.keys) for part in PARTS)


class Change(Protocol):
    """One thing that differs from what was approved before."""

    @property
    def key(self) -> str:
        """Of the fact, or of the thing that came or went."""

    @property
    def words(self) -> str:
        """What has changed, a sentence."""


_SomeChange = TypeVar("_SomeChange", bound=Change)


def causes_first(changes: Iterable[_SomeChange]) -> tuple[_SomeChange, ...]:
    """For people: what only follows from another change, as the digest of a policy, comes last.

    Args:
        changes: Their order stays otherwise.
    """
    return tuple(sorted(changes, key=lambda one: _only_follows(one.key)))


def _only_follows(key: str) -> bool:
    return key.rpartition(".")[2] in _FOLLOWING and not key.startswith(_PLUGINS)


def for_people(key: str, value: Any) -> Any:
    """The value of a fact as people read it: a share in per cent, all else as it is.

    Args:
        key: The key of the fact.
        value: As JSON has it.
    """
    is_share = key.endswith(_SHARE) and isinstance(value, float)
    return f"{value:.1%}" if is_share else value


def thing_title(thing: str) -> str:
    """What a thing is called: "Source housing"."""
    family, _, name = thing.rpartition(".")
    return f"{SCORING_FAMILIES[family].capitalize()} {name}"


def version_says(number: int, changes: Iterable[Change]) -> tuple[str, ...]:
    """What the public reads of an approved version, a sentence each; never empty.

    Args:
        number: Of the version, from 1.
        changes: What differs from the version before.
    """
    if number == 1:
        return ("The first approved version.",)
    unchanged = ("Nothing that is published has changed: it was approved again.",)
    return tuple(one.words for one in causes_first(changes)) or unchanged


def version_id(council: str, *parts: str) -> str:
    """Id of a council's feed, or of what it approved, wherever that is told (RFC 4287).

    Args:
        council: GSS code.
        parts: Of a version its number and the digest of the facts; none for the feed itself.
    """
    return uuid.uuid5(_VERSION_IDS, "/".join((council, *parts))).urn


def _matches(key: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in patterns)
