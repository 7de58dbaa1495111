"""What the installed plugins offer, for people and programs to read."""

from __future__ import annotations

from typing import Any

from folkmoot_sdk.loading import Origin, Plugins
from folkmoot_sdk.parameters import describe

Entry = dict[str, Any]


def inventory(plugins: Plugins) -> Entry:
    """Distributions with their sources and factors, and what is broken; JSON types only."""
    origins = {*plugins.source_origins.values(), *plugins.factor_origins.values()}
    return {
        "plugins": [
            _plugin(origin, plugins)
            for origin in sorted(origins, key=lambda o: (o.distribution, o.entry_point))
        ],
        "broken": [
            {
                **_origin(entry.origin),
                "hook": entry.hook,
                "problem": entry.problem,
                "remedy": entry.remedy,
            }
            for entry in plugins.broken
        ],
    }


def _origin(origin: Origin) -> Entry:
    return {
        "distribution": origin.distribution,
        "version": origin.version,
        "entry_point": origin.entry_point,
    }


def _plugin(origin: Origin, plugins: Plugins) -> Entry:
    sources = [kind for kind, at in plugins.source_origins.items() if at == origin]
    factors = [name for name, at in plugins.factor_origins.items() if at == origin]
    hooks = {"folkmoot_data_sources": sources, "folkmoot_risk_factors": factors}
    return {
        **_origin(origin),
        "hooks": [hook for hook, registered in hooks.items() if registered],
        "sources": [
            {"kind": kind, "options": _parameters(plugins.sources[kind].Options)}
            for kind in sources
        ],
        "factors": [_factor(name, plugins) for name in factors],
    }


def _factor(name: str, plugins: Plugins) -> Entry:
    factor = plugins.factors[name]
    return {
        "name": name,
        "title": factor.title,
        "description": factor.description,
        "domain": factor.domain,
        "savvi_term": factor.savvi_term,
        "evidence": [
            {"citation": entry.citation, "url": entry.url, "finding": entry.finding}
            for entry in factor.evidence
        ],
        "inputs": [
            {
                "name": entry.name,
                "type": entry.type.value,
                "unit": entry.unit,
                "codes": list(entry.codes),
                "required": entry.required,
                "direction": entry.direction,
            }
            for entry in factor.inputs
        ],
        "parameters": _parameters(factor.Parameters),
    }


def _parameters(cls: type[Any]) -> list[Entry]:
    return [
        {
            "key": entry.key,
            "type": entry.type,
            "required": entry.required,
            "default": _plain(entry.default),
            "unit": entry.unit,
            "minimum": entry.minimum,
            "maximum": entry.maximum,
            "choices": [_plain(choice) for choice in entry.choices],
            "secret": bool(entry.secret),
            "description": entry.description,
        }
        for entry in describe(cls)
        # Filled by the node, not by a settings file.
        if entry.key != "base"
    ]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value)
