"""Councils that have a certificate and have published what they offer, without a node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from folkmoot.catalogue import Catalogue
from folkmoot.catalogue_codec import encode_catalogue
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.rounds import Mechanism
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import CatalogueRow
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.certificate_authority import Authority, SigningRequest
from folkmoot_coordinator.membership.councils import record_certificate

BANDS_AND_AREAS: Mapping[str, tuple[str, ...]] = {"band": ("low", "medium", "high"), "lsoa": ()}


class Coordinator(Protocol):
    """A coordinator's folder, database and time."""

    home: Home
    database: Database

    @property
    def clock(self) -> Callable[[], int]: ...


def enrol(
    coordinator: Coordinator,
    council: GssCode,
    attributes: Mapping[str, tuple[str, ...]] | None = BANDS_AND_AREAS,
    lifetime: str = "20",
) -> None:
    """The council has a certificate, and has published what it offers unless that is None."""
    authority = Authority.load(coordinator.home.keys)
    issued = authority.issue_node_certificate(
        SigningRequest(ec.generate_private_key(ec.SECP256R1()).public_key()),
        council,
        coordinator.clock(),
        30,
    )
    with coordinator.database.writing() as session:
        record_certificate(session, issued)
        session.flush()
        if attributes is None:
            return
        catalogue = Catalogue(
            council,
            attributes,
            frozenset({"winter_support"}),
            frozenset({Mechanism.DISCRETE_GAUSSIAN}),
            per_round=Rho.of("0.5"),
            per_period=Rho.of("1"),
            lifetime=Rho.of(lifetime),
            sunset=date(2099, 12, 31),
            area_types={"lsoa": "lsoa21"} if attributes.get("lsoa") == () else {},
        )
        session.add(
            CatalogueRow(
                council=council,
                serialised=encode_catalogue(catalogue),
                signature=b"",
                serial=issued.serial,
                stored_at=coordinator.clock(),
            )
        )
