"""Makes the SDK's own checks beside a plugin, where its attributes and threads can be seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from folkmoot_kit.channel.words import LONGEST_LINE, LONGEST_NAME, cut
from folkmoot_sdk.conformance import REFERENCE_DATE, factor_findings, source_findings
from folkmoot_sdk.loading import Plugins


def examine(plugins: Plugins, hook: str, name: str, given: Mapping[str, Any]) -> list[Any]:
    """Checks one factor or source.

    Args:
        plugins: What is loaded.
        hook: `factor` or `source`.
        name: Name of the factor, or kind of source.
        given: Parameters or options, as in TOML; options with `base`.

    Returns:
        For each finding its rule, subject, what was seen, and the remedy.
    """
    if hook == "factor":
        found = factor_findings(plugins.factors[name], given)
    else:
        found = source_findings(plugins.sources[name], given, REFERENCE_DATE)
    return [
        [
            cut(finding.check.id, LONGEST_NAME),
            cut(finding.subject, LONGEST_NAME),
            cut(finding.seen, LONGEST_LINE),
            cut(finding.remedy, LONGEST_LINE),
        ]
        for finding in found
    ]
