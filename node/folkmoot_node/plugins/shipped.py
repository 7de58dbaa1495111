"""The plugins that come with the node, of its own version: the one list of them.

They are allowed without being named in `node.toml`, and share a confined process: sources one, and
factors one that is granted nothing. What the node has to know of them before they are started
stands here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from folkmoot_node.settings.plugins import normal

SHIPPED = frozenset({
    "folkmoot-plugin-council-records",
    "folkmoot-plugin-extracts",
    "folkmoot-plugin-gazetteer",
    "folkmoot-plugin-household-factors",
    "folkmoot-plugin-nhs-shielding",
    "folkmoot-plugin-notifications",
    "folkmoot-plugin-open-areas",
    "folkmoot-plugin-savvi",
    "folkmoot-plugin-sql",
})  # fmt: skip
"""Names of distributions."""
FACTORS = frozenset({"folkmoot-plugin-household-factors"})
"""Those of them that register factors and no sources. The others register sources alone."""
KINDS = frozenset({
    "adult_social_care", "area_segmentation", "childrens_services", "council_tax", "deaths",
    "extracts", "gazetteer", "homelessness", "housing_benefit", "housing_register",
    "indices_of_deprivation", "nhs_shielding", "notifications", "output_area_classification",
    "police_crime", "rents", "savvi", "sql",
})  # fmt: skip
"""Kinds of sources that they register: no plugin of others is granted what one of these reads."""
NETWORKED: Mapping[str, str] = MappingProxyType({"sql": "folkmoot-plugin-sql"})
"""Kinds of sources that reach a network, and their distributions: each has a process of its own
where a source of that kind is configured, so that no other shipped plugin is with it."""
SECRETS: Mapping[str, frozenset[str]] = MappingProxyType({"sql": frozenset({"password_file"})})
"""Options of kinds of sources that name a file with a secret: the node reads it, the plugin
never."""


def is_shipped(distribution: str) -> bool:
    """Whether a distribution has the name of one that comes with the node."""
    return normal(distribution) in SHIPPED
