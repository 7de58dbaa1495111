"""Facts about the risk policy and the release policy: what is scored, and what may leave."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from folkmoot_node.home import NodeHome
from folkmoot_node.policies.risk_policy import PolicyDocument, RiskPolicy
from folkmoot_node.scrutiny.facts import Fact
from folkmoot_node.scrutiny.gather.reporting import Reporter, of_file, slug
from folkmoot_sdk.loading import Plugins

RISK = "policy.risk"
RELEASE = "policy.release"


def risk_policy_facts(node: NodeHome, plugins: Plugins | None) -> Iterator[Fact]:
    """What the risk policy says.

    Args:
        node: The node.
        plugins: Loaded plugins, which say what a factor measures and why; None to leave that out.

    Raises:
        Problem: Exit code SETTINGS, if the policy cannot be read.
    """
    policy = node.risk_policy()
    document = policy.document
    place = of_file(node.config.home, node.config.risk_policy)
    fact = Reporter(place, configuration=True)
    yield fact(f"{RISK}.title", "Name of the risk policy", policy.name)
    yield fact(f"{RISK}.sha256", "SHA-256 of the risk policy", policy.digest)
    yield fact(f"{RISK}.purpose", "Purpose for which households are scored", policy.purpose)
    yield fact(f"{RISK}.legal_basis", "Law under which households are scored", document.legal_basis)
    yield fact(f"{RISK}.owner", "Who answers for the risk policy", document.owner)
    yield fact(f"{RISK}.sunset", "Last day on which the risk policy may be used", policy.sunset)
    yield from _factors(fact, policy, plugins)
    yield from _bands(fact, document)
    yield from _uses(fact, document)
    for name, entry in document.attributes.items():
        label = f"What the attribute {name} is made of"
        yield fact(f"{RISK}.attributes.{slug(name)}", label, entry.model_dump(exclude_unset=True))
    audited = [entry.field for entry in document.equality]
    yield fact(f"{RISK}.audited", "Fields by which the equality audit compares groups", audited)
    for name, value in document.retention.model_dump().items():
        yield fact(f"{RISK}.retention.{name}", _RETENTION[name], value)


_RETENTION = {
    "scores_days": "Days for which scores are kept",
    "quarantine_days": "Days for which lists of rejected records are kept",
    "review_days": "Days for which files for clerical review are kept",
    "extracts_days": "Days for which extracts are kept after a run has read them",
    "outcomes_days": "Days for which extracts of outcomes alone are kept after a back-test",
    "after_sunset_days": "Days after the last day of the policy in which all of it is deleted",
    "purge": "Who deletes what has been kept long enough",
}


def _factors(fact: Reporter, policy: RiskPolicy, plugins: Plugins | None) -> Iterator[Fact]:
    total = sum(entry.weight for entry in policy.factors)
    yield fact(f"{RISK}.maximum", "Highest score that a household can have, in points", total)
    for entry in policy.factors:
        key, name = f"{RISK}.factors.{slug(entry.factor)}", entry.factor
        yield fact(f"{key}.weight", f"Weight of {name}", entry.weight)
        yield fact(f"{key}.maximum", f"Most points that {name} adds to a score", entry.weight)
        share = round(entry.weight / total, 4)
        yield fact(f"{key}.share", f"Share of the highest score that is {name}", share)
        if entry.parameters:
            yield fact(f"{key}.parameters", f"Parameters of {name}", entry.parameters)
        if plugins is None:
            continue
        kind, origin = plugins.factors.get(name), plugins.factor_origins.get(name)
        yield fact(f"{key}.source", f"Plugin that computes {name}", origin)
        yield fact(f"{key}.title", f"What {name} is", kind and kind.title)
        yield fact(f"{key}.description", f"What {name} measures", kind and kind.description)
        inputs = [one.name for one in kind.inputs] if kind else None
        yield fact(f"{key}.inputs", f"Fields that {name} reads", inputs)
        evidence = [
            {"citation": one.citation, "url": one.url, "finding": one.finding}
            for one in (kind.evidence if kind else ())
        ]
        yield fact(f"{key}.evidence", f"Why {name} is believed to matter", evidence or None)


def _bands(fact: Reporter, document: PolicyDocument) -> Iterator[Fact]:
    for band in document.bands:
        key = f"{RISK}.bands.{slug(band.name)}"
        yield fact(f"{key}.from", f"Lowest score of the band {band.name}, in points", band.minimum)
        label = f"What is done for a household in the band {band.name}"
        yield fact(f"{key}.action", label, band.action)


def _uses(fact: Reporter, document: PolicyDocument) -> Iterator[Fact]:
    for use in document.protected:
        name = use.characteristic.value
        label = f"Why the score may use the protected characteristic {name}"
        yield fact(f"{RISK}.protected.{slug(name)}", label, use.reason)
    for bought in document.consumer_data:
        key = f"{RISK}.consumer_data.{slug(bought.field)}"
        yield fact(f"{key}.purpose", f"What {bought.field} was bought for", bought.purpose)
        label = f"Last day of the licence of {bought.field}"
        yield fact(f"{key}.licence_ends", label, bought.licence_ends)


def release_policy_facts(node: NodeHome) -> Iterator[Fact]:
    """What the signed release policy says.

    Raises:
        Problem: Exit code SETTINGS, if the policy cannot be read, or its signature does not hold.
    """
    signed = node.release_policy()
    policy, loss = signed.policy, signed.policy.loss
    when = datetime.datetime.fromisoformat(signed.signed_at)
    fact = Reporter(of_file(node.config.home, node.config.release_policy, when), configuration=True)
    yield fact(f"{RELEASE}.sha256", "SHA-256 of the release policy", signed.digest)
    yield fact(f"{RELEASE}.signer", "Who signed the release policy", signed.signer)
    yield fact(f"{RELEASE}.signed_at", "When the release policy was signed", signed.signed_at)
    yield fact(f"{RELEASE}.key", "Key of that signature", signed.key)
    is_pinned = node.trusted_signer().is_pinned
    yield fact(f"{RELEASE}.pinned", "Whether only root can change who may sign", is_pinned)
    yield fact(f"{RELEASE}.sunset", "Last day on which anything is released", policy.sunset)
    yield fact(f"{RELEASE}.purposes", "Purposes of rounds that may be answered", policy.purposes)
    for name in policy.attributes:
        label = f"Whether counts by {name} may be released"
        yield fact(f"{RELEASE}.attributes.{slug(name)}", label, True)
    yield fact(f"{RELEASE}.maximum_ways", "Most attributes in one table", policy.maximum_ways)
    yield fact(f"{RELEASE}.maximum_cells", "Most cells in one round", policy.maximum_cells)
    yield fact(f"{RELEASE}.mechanisms", "How noise may be made", policy.mechanisms)
    approval = policy.operator_approval
    yield fact(f"{RELEASE}.operator_approval", "Whether a person approves each round", approval)
    yield fact(f"{RELEASE}.maximum_delta", "Largest delta that is stated", policy.maximum_delta)
    for name in type(loss).model_fields:
        value = getattr(loss, name)  # without a limit no round of a series is answered
        yield fact(f"{RELEASE}.loss.{name}", _LOSS[name], "none" if value is None else value)
    yield fact(
        f"{RELEASE}.plugins_in_process",
        "Plugins of others that may run in the node's own process",
        [str(one) for one in policy.plugins_in_process],
    )


_LOSS = {
    "per_round": "Most privacy loss (zCDP rho) of a household in one round",
    "per_period": "Most privacy loss of a household in one accounting period",
    "per_series": "Most privacy loss of a household in one series of rounds",
    "lifetime": "Most privacy loss of a household in all rounds",
    "period_start": "First day of the first accounting period",
    "period_months": "Months of an accounting period",
    "households_per_person": "Most households in which one person may appear",
}
