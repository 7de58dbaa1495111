"""All attempts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from folkmoot_kit.attacks.answers import ANSWERS
from folkmoot_kit.attacks.attempts import Attempt
from folkmoot_kit.attacks.channel import CHANNEL
from folkmoot_kit.attacks.clock import CLOCK
from folkmoot_kit.attacks.ending import ENDING
from folkmoot_kit.attacks.exhausting import EXHAUSTING
from folkmoot_kit.attacks.kernel import KERNEL
from folkmoot_kit.attacks.network import NETWORK
from folkmoot_kit.attacks.others import OTHERS
from folkmoot_kit.attacks.programs import PROGRAMS
from folkmoot_kit.attacks.reading import READING
from folkmoot_kit.attacks.records import RECORDS
from folkmoot_kit.attacks.writing import WRITING

_COLLECTIONS = (
    NETWORK, READING, WRITING, PROGRAMS, OTHERS, KERNEL, ENDING, EXHAUSTING, CLOCK, CHANNEL,
    ANSWERS,
    RECORDS,
)  # fmt: skip


def _by_id() -> Mapping[str, Attempt]:
    found: dict[str, Attempt] = {}
    for collection in _COLLECTIONS:
        for attempt in collection.attempts:
            if attempt.id in found:
                raise ValueError(f"two attempts are called {attempt.id}")
            found[attempt.id] = attempt
    return MappingProxyType(found)


ATTEMPTS: Mapping[str, Attempt] = _by_id()
"""Every attempt by its id, by group and in the order in which they are made."""
