"""Facts about the node and its sources: what is held, from whom, and for how long."""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot_node.home import NodeHome
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.scrutiny.facts import Fact
from folkmoot_node.scrutiny.gather.reporting import Reporter, of_file, slug
from folkmoot_node.settings.node_toml import FILE_NAME
from folkmoot_node.sources.connect import ConnectedSource, connect
from folkmoot_sdk.loading import Plugins


def node_facts(node: NodeHome) -> Iterator[Fact]:
    """Whose node this is, and how it runs."""
    config = node.config
    fact = Reporter(of_file(config.home, config.home / FILE_NAME), configuration=True)
    yield fact("node.council", "Code of the council", config.council)
    yield fact("node.name", "Name of the council", config.name)
    region = config.coordinator.address if config.coordinator else None
    yield fact("node.region", "Coordinator of the region", region or "none")
    schedule = config.settings.schedule
    when = " ".join(filter(None, (schedule.score, schedule.time_zone if schedule.score else "")))
    yield fact("node.schedule", "When households are scored", when or "when a person starts it")
    yield fact("node.frame", "Source whose homes are the council's households", config.frame)
    yield fact("node.casework", "Whether caseworkers see scores here", config.casework is not None)


def source_facts(node: NodeHome, plugins: Plugins | None) -> Iterator[Fact]:
    """The sources in `node.toml`, and what their plugins say of them. Reads no record.

    Args:
        node: The node.
        plugins: Loaded plugins, which say what a source holds; None to leave that out.

    Raises:
        Problem: Exit code SETTINGS, if a source cannot be connected.
    """
    config, policy = node.config, node.risk_policy()
    fact = Reporter(of_file(config.home, config.home / FILE_NAME), configuration=True)
    kept = Reporter(of_file(config.home, config.risk_policy), configuration=True)
    for source in config.sources:
        key, name = f"sources.{slug(source.name)}", source.name
        yield fact(f"{key}.kind", f"Sort of source that {name} is", source.kind)
        label = f"Days for which extracts of {name} are kept after a run"
        yield kept(f"{key}.retention_days", label, policy.retention.extracts_days)
    if plugins is None:
        return
    uses = _uses(policy, plugins)
    for connected in connect(config, plugins):
        yield from _connected(fact, connected, policy)
        names = {one.name for one in connected.schema.fields}
        used_for = [words for words, fields in uses.items() if names & fields]
        if connected.name == config.frame:
            used_for.insert(0, "the list of homes")
        if any(one.outcome for one in connected.schema.fields):
            used_for.append("checks of the score")
        key = f"sources.{slug(connected.name)}.used_for"
        yield fact(key, f"What {connected.name} is used for", used_for)


def _uses(policy: RiskPolicy, plugins: Plugins) -> dict[str, set[str]]:
    """By what a field may be used for, in words: names of the fields that are."""
    kinds = (plugins.factors.get(one.factor) for one in policy.factors)
    document = policy.document
    attributes = (one.model_dump().get("field") for one in document.attributes.values())
    return {
        "the score": {one.name for kind in kinds if kind for one in kind.inputs},
        "counts for the region": {name for name in attributes if name},
        "the equality audit": {one.field for one in document.equality},
    }


def _connected(fact: Reporter, source: ConnectedSource, policy: RiskPolicy) -> Iterator[Fact]:
    key, name, schema = f"sources.{slug(source.name)}", source.name, source.schema
    yield fact(f"{key}.supplier", f"Who supplies {name}", schema.supplier)
    yield fact(f"{key}.plugin", f"Plugin that reads {name}", source.origin)
    yield fact(f"{key}.level", f"What one record of {name} is about", schema.level)
    categories = sorted({field.category.value for field in schema.fields})
    yield fact(f"{key}.categories", f"Kinds of information in {name}", categories)
    protected = sorted({one.protected.value for one in schema.fields if one.protected})
    label = f"Protected characteristics that {name} states"
    yield fact(f"{key}.protected", label, protected)
    identifiers = [one.value for one in schema.identifiers]
    label = f"Identifiers of {name} that can find a home, and are dropped then"
    yield fact(f"{key}.identifiers", label, identifiers)
    fields = {
        one.name: {
            "type": one.type.value,
            "category": one.category.value,
            "description": one.description,
            "protected": one.protected.value if one.protected else "",
            "bought": one.consumer_data,
            "outcome": one.outcome,
        }
        for one in schema.fields
    }
    yield fact(f"{key}.fields", f"Fields of {name}", fields)
    licences = {
        one.name: policy.licences[one.name].isoformat()
        for one in schema.fields
        if one.name in policy.licences
    }
    label = f"Last day of the licence of each bought field of {name}"
    yield fact(f"{key}.licences", label, licences)
