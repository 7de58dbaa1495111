"""What a council offers, as wire messages and back.

Every function that reads a message raises ContractError if a field is missing, out of range or
inconsistent; nothing unvalidated gets past this module.
"""

from __future__ import annotations

from folkmoot.catalogue import MAXIMUM_CATALOGUE, Catalogue, PluginVersion
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.v1 import catalogue_pb2, privacy_pb2
from folkmoot.wire_values import read_day, read_mechanism, read_message


def encode_catalogue(catalogue: Catalogue) -> bytes:
    """Serialises a catalogue; these bytes are what is signed, sent and kept."""

    def loss(rho: Rho) -> privacy_pb2.PrivacyLoss:
        return privacy_pb2.PrivacyLoss(rho_nano=rho.nano)

    return catalogue_pb2.Catalogue(
        council=catalogue.council,
        attributes=[
            catalogue_pb2.CatalogueAttribute(
                name=name, codes=codes, area_type=catalogue.area_types.get(name, "")
            )
            for name, codes in sorted(catalogue.attributes.items())
        ],
        purposes=sorted(catalogue.purposes),
        mechanisms=[privacy_pb2.Mechanism.ValueType(one) for one in sorted(catalogue.mechanisms)],
        plugins=[
            catalogue_pb2.CataloguePlugin(name=one.name, version=one.version)
            for one in sorted(catalogue.plugins)
        ],
        per_round=loss(catalogue.per_round),
        per_period=loss(catalogue.per_period),
        lifetime=loss(catalogue.lifetime),
        per_series=loss(catalogue.per_series) if catalogue.per_series is not None else None,
        sunset_day=catalogue.sunset.toordinal(),
        policy_key=catalogue.policy_key,
    ).SerializeToString(deterministic=True)


def decode_catalogue(serialised: bytes) -> Catalogue:
    """Reads a serialised catalogue; raises ContractError if it is not well formed.

    Fields that this version does not know are passed over: nothing is decided by a catalogue.
    """
    if len(serialised) > MAXIMUM_CATALOGUE:
        raise ContractError(
            "catalogue", f"has more than {MAXIMUM_CATALOGUE} bytes", "Offer fewer codes"
        )
    message = catalogue_pb2.Catalogue()
    read_message(message, serialised, "catalogue")
    return Catalogue(
        council=GssCode(message.council, "catalogue.council"),
        attributes={one.name: tuple(one.codes) for one in message.attributes},
        purposes=frozenset(message.purposes),
        mechanisms=frozenset(
            read_mechanism(one, "catalogue.mechanisms") for one in message.mechanisms
        ),
        per_round=Rho(message.per_round.rho_nano),
        per_period=Rho(message.per_period.rho_nano),
        lifetime=Rho(message.lifetime.rho_nano),
        sunset=read_day(message.sunset_day, "catalogue.sunset_day"),
        per_series=Rho(message.per_series.rho_nano) if message.HasField("per_series") else None,
        area_types={one.name: one.area_type for one in message.attributes if one.area_type},
        plugins=frozenset(PluginVersion(one.name, one.version) for one in message.plugins),
        policy_key=message.policy_key,
    )
