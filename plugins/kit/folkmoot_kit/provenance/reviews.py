"""Counts reviews: two people of two organisations, neither of them the vendor."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from folkmoot_kit.provenance.pin import Pin
from folkmoot_kit.provenance.registry_index import Registry
from folkmoot_kit.provenance.signed import Signed
from folkmoot_kit.provenance.standing_faults import Fault, Reason
from folkmoot_kit.provenance.statements import Manifest, Review
from folkmoot_kit.provenance.trusted_keys import TrustedKeys
from folkmoot_kit.provenance.words import same_words

NEEDED = 2
"""People who must have reviewed a wheel, each of another organisation."""
_REMEDY = (
    "Until two people of two organisations have reviewed this wheel (`folkmoot-plugin review`), "
    "its factors are scored twice"
)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Reviews of a wheel.

    Attributes:
        reviews: Those that count, by people of different organisations.
        faults: Why others do not, and whether there are enough.
    """

    reviews: tuple[Review, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def is_enough(self) -> bool:
        """Whether the wheel counts as reviewed."""
        return len(self.reviews) >= NEEDED


def count_reviews(
    found: Iterable[Signed[Review]],
    pin: Pin,
    registry: Registry,
    trusted: TrustedKeys,
    today: datetime.date,
    manifest: Signed[Manifest] | None,
) -> Reviewed:
    """Which reviews of a wheel count.

    Args:
        found: Reviews whose signatures are valid.
        pin: The wheel that the council allows.
        registry: What was revoked.
        trusted: Who may review.
        today: The date.
        manifest: The manifest that counts. Without one it is not known who the vendor is, and no
            review counts.
    """
    counted: list[Review] = []
    faults: list[Fault] = []
    for signed in found:
        why = _why_not(signed, pin, registry, trusted, today, manifest)
        if not why:
            why = _why_twice(signed.body, counted)
        if why:
            said = f"the review of {signed.body.person}, {signed.body.organisation}, {why}"
            faults.append(Fault(Reason.NOT_REVIEWED, said, _REMEDY, signed.where))
        else:
            counted.append(signed.body)
    if len(counted) < NEEDED:
        said = f"{len(counted)} of {NEEDED} reviews that are needed count"
        where = f"distribution {manifest.body.distribution if manifest else ''} {pin.version}"
        faults.append(Fault(Reason.NOT_REVIEWED, said, _REMEDY, where))
    return Reviewed(tuple(counted), tuple(faults))


def _why_not(
    signed: Signed[Review],
    pin: Pin,
    registry: Registry,
    trusted: TrustedKeys,
    today: datetime.date,
    manifest: Signed[Manifest] | None,
) -> str:
    """Why a review does not count, as the end of a sentence; empty if it does."""
    body, reviewer = signed.body, trusted.reviewer(signed.key)
    if reviewer is None:
        return "is signed by a key that the council does not trust to review"
    if not (
        same_words(reviewer.person, body.person)
        and same_words(reviewer.organisation, body.organisation)
    ):
        return f"is signed by the key of {reviewer.label}"
    if not reviewer.counts(today):
        return f"is by a key that the council trusted until {reviewer.until}"
    if revoked := registry.revoked_key(signed.key_id):
        return f"is by a key that was revoked on {revoked.since}"
    if said := body.out_of_time(today):
        return said
    if (body.wheel, body.version, body.content) != (pin.wheel, pin.version, pin.content):
        return "is about other files"
    if manifest is None:
        return "does not count without a manifest that does"
    vendor = trusted.vendor(manifest.key)
    names = [manifest.body.vendor, *([vendor.name] if vendor else [])]
    if signed.key == manifest.key or any(
        same_words(name, said) for name in names for said in (body.organisation, body.person)
    ):
        return "is by the vendor"
    return ""


def _why_twice(body: Review, counted: Iterable[Review]) -> str:
    """Why a review adds nothing to others; a key has one person, so keys need no comparison."""
    for other in counted:
        if same_words(body.person, other.person):
            return "is by a person who has reviewed it already"
        if same_words(body.organisation, other.organisation):
            return "comes from an organisation that has reviewed it already"
    return ""
