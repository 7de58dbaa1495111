"""Publishing what this council offers: once for each signature of the release policy.

A catalogue is made from the signed release policy, the risk stratification policy and declared
code lists. No store, ledger or record is looked at, so it says nothing about anybody, and
nothing of what is left of a budget. It goes out when a person has signed, at the first visit on
which it can be made; what changes in mappings or plugins later goes out with the next signature.

Which codes there are, plugins say. A process that adds noise loads none, so it has another one
make the catalogue (`running.catalogue_process`), and takes from it only what plugins know: limits
and purposes are those of the policy that it has checked itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from folkmoot.catalogue import CATALOGUE_SIGNATURE_DOMAIN, Catalogue, PluginVersion
from folkmoot.catalogue_codec import encode_catalogue
from folkmoot.errors import ContractError
from folkmoot.rounds import Mechanism
from folkmoot.versions import CATALOGUES, POLICY_KEYS
from folkmoot_node.answering.event import Event
from folkmoot_node.federation.identity import sign_as_node
from folkmoot_node.signals import events
from folkmoot_operator.problems import Problem

if TYPE_CHECKING:
    from folkmoot_node.federation.client import CoordinatorClient
    from folkmoot_node.home import NodeHome
    from folkmoot_node.policies.release_policy import ReleasePolicy
    from folkmoot_node.policies.risk_policy import RiskPolicy
    from folkmoot_node.settings.node_toml import NodeConfig

PUBLISHED = "catalogue published"
"""The entry of the audit log that says which signature was published, and where."""


def catalogue_here(home: NodeHome) -> Catalogue | None:
    """The catalogue, made in this process, which loads the plugins.

    Returns:
        None where the policy cannot be joined to sources yet; `doctor` says what is missing.
    """
    try:
        release = home.release_policy().policy
        return make_catalogue(release, home.risk_policy(), home.config, home.today())
    except Problem:
        return None


def serialised_here(home: NodeHome) -> bytes:
    """The catalogue, made in this process, for another one; empty where it cannot be made yet."""
    made = catalogue_here(home)
    return encode_catalogue(made) if made is not None else b""


def publish_catalogue(
    home: NodeHome,
    client: CoordinatorClient,
    protocol: int,
    make: Callable[[NodeHome], Catalogue | None] = catalogue_here,
) -> Iterator[Event]:
    """Publishes the catalogue if a person has signed since the last one, or the region is new.

    A catalogue is a courtesy to who plans rounds. What goes wrong with it is an event: it is
    tried again at the next visit, and holds up no answer.

    Args:
        home: The node.
        client: The coordinator.
        protocol: Wire version.
        make: Makes the catalogue; None where that is not possible yet.
    """
    if protocol < CATALOGUES:
        return
    try:
        signed = home.release_policy()
    except Problem:
        return  # nobody has signed; `doctor` and every answer say so
    try:
        identity = home.identity()
        key = signed.key if protocol >= POLICY_KEYS else b""
        mark = {
            "action": PUBLISHED,
            "policy_sha256": signed.digest.hex(),
            "signed_at": signed.signed_at,
            "region": identity.signing_key.hex(),
            "policy_key": key.hex(),
        }
        last = deque(home.audit.entries((PUBLISHED,)), maxlen=1)
        if last and last[0].body == mark:
            return
        made = make(home)
        if made is None:
            return
        catalogue = _as_signed(made, signed.policy, home.risk_policy(), home.config, key)
        serialised = encode_catalogue(catalogue)
        signature = sign_as_node(identity, CATALOGUE_SIGNATURE_DOMAIN, serialised)
        if not client.publish_catalogue(protocol, serialised, signature):
            return
    except (Problem, ContractError) as error:
        text = f"the catalogue was not published: {error}"
        yield Event("", text, True, events.CATALOGUE_NOT_PUBLISHED)
        return
    with home.state.transaction() as connection:
        home.audit.append(connection, home.clock(), mark)
    text = "the catalogue of what may be asked was published"
    yield Event("", text, kind=events.CATALOGUE_PUBLISHED)


def make_catalogue(
    release: ReleasePolicy, risk: RiskPolicy, config: NodeConfig, today: date
) -> Catalogue:
    """What the council offers. Reads policies and the schemas of sources, and no record.

    Args:
        release: The signed release policy.
        risk: The risk stratification policy.
        config: The node's settings.
        today: A bought field whose licence ended before this day is not offered.

    Raises:
        Problem: If the policy cannot be joined to the node's sources.
        ContractError: If a name or a code has no place in a catalogue.
    """
    from folkmoot_node.scoring.binding import bind_for
    from folkmoot_node.sources.connect import load_plugins

    with load_plugins(config) as plugins:
        binding = bind_for(risk, config, plugins, today)
    offered = [one for one in binding.attributes if one.name in release.attributes]
    origins = {one.origin for one in binding.sources} | {one.origin for one in binding.factors}
    loss = release.loss
    return Catalogue(
        council=config.council,
        attributes={one.name: one.codes or () for one in offered},
        purposes=frozenset(release.purposes),
        mechanisms=frozenset(Mechanism[one.name] for one in release.mechanisms),
        per_round=loss.per_round,
        per_period=loss.per_period,
        lifetime=loss.lifetime,
        sunset=min(release.sunset, risk.sunset),
        per_series=loss.per_series,
        area_types={
            one.name: one.field.area_type
            for one in offered
            if one.codes is None and one.field is not None and one.field.area_type
        },
        plugins=frozenset(PluginVersion(one.distribution, one.version) for one in origins),
    )


def _as_signed(
    made: Catalogue, release: ReleasePolicy, risk: RiskPolicy, config: NodeConfig, key: bytes
) -> Catalogue:
    """A catalogue with what the council has signed, whoever made the rest of it."""
    loss = release.loss
    return replace(
        made,
        council=config.council,
        attributes={k: codes for k, codes in made.attributes.items() if k in release.attributes},
        area_types={k: kind for k, kind in made.area_types.items() if k in release.attributes},
        purposes=frozenset(release.purposes),
        mechanisms=frozenset(Mechanism[one.name] for one in release.mechanisms),
        per_round=loss.per_round,
        per_period=loss.per_period,
        lifetime=loss.lifetime,
        sunset=min(release.sunset, risk.sunset),
        per_series=loss.per_series,
        policy_key=key,
    )
