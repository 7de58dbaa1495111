"""Asks a plugin's process to make the SDK's checks itself. Only on made-up data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from folkmoot_kit.channel import values
from folkmoot_kit.channel.words import LONGEST_LINE, LONGEST_NAME, Call
from folkmoot_kit.hosting import answers, texts
from folkmoot_kit.hosting.answers import Garbage
from folkmoot_kit.hosting.errors import Asked
from folkmoot_kit.hosting.factor import ConfinedFactor
from folkmoot_kit.hosting.source import ConfinedSource
from folkmoot_sdk.conformance import Finding, catalogue

_MOST_FINDINGS = 1_000


def examined(
    plugin: type[ConfinedFactor] | type[ConfinedSource], given: Mapping[str, Any]
) -> tuple[Finding, ...]:
    """What the process of a factor or source finds; its texts may quote the made-up data.

    A process that lies can keep findings back, and no more: what it says is bounded, and names
    rules that are known.

    Args:
        plugin: Its class; the process must be one that may show messages.
        given: Parameters or options, as in TOML; options with `base`.

    Raises:
        PluginFailure: If the process fails.
    """
    is_factor = issubclass(plugin, ConfinedFactor)
    name = plugin.name if issubclass(plugin, ConfinedFactor) else plugin.kind
    asked = Asked(plugin.origin, "examine", name)
    request = {
        "hook": "factor" if is_factor else "source",
        "name": name,
        "values": values.encode(dict(given)),
    }
    body = plugin.process.ask(Call.EXAMINE, request, asked).body
    try:
        found = answers.entries(body, "findings", _MOST_FINDINGS)
        return tuple(_finding(entry) for entry in found)
    except Garbage as fault:
        raise plugin.process.distrust(asked, fault) from None


def _finding(entry: object) -> Finding:
    if not isinstance(entry, list) or len(entry) != 4:
        raise Garbage("a finding is none")
    check_id, subject, seen, remedy = entry
    for check in catalogue():
        if check.id == check_id:
            return check.finding(
                texts.line(seen, LONGEST_LINE),
                texts.line(subject, LONGEST_NAME),
                texts.line(remedy, LONGEST_LINE),
            )
    raise Garbage("a finding names no rule")
