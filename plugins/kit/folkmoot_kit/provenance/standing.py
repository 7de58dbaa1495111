"""Whether a plugin may run for a council, and what is in the way.

A plugin runs if the council has allowed it, what is installed is what was pinned, its vendor has
signed a manifest for it that still counts, and nobody has revoked it. Whether it was reviewed, and
whether the conformance kit has passed it, is said beside that.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from folkmoot_kit.provenance.declarations import Declarations, not_claimed
from folkmoot_kit.provenance.installed import Installation
from folkmoot_kit.provenance.pin import Pin
from folkmoot_kit.provenance.pinned_files import pin_faults
from folkmoot_kit.provenance.privileges import granted_too_little, granted_too_much
from folkmoot_kit.provenance.registry_index import Registry
from folkmoot_kit.provenance.reviews import Reviewed, count_reviews
from folkmoot_kit.provenance.signed import Signed
from folkmoot_kit.provenance.standing_faults import Fault, Reason, fault_of
from folkmoot_kit.provenance.statements import Manifest, Report, Review, Statement
from folkmoot_kit.provenance.trusted_keys import TrustedKeys
from folkmoot_operator.problems import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a plugin stands with a council.

    Attributes:
        distribution: Its name, normalised.
        version: The installed version; empty if that cannot be read.
        allowed: Whether the council's settings name it.
        pinned: Whether what is installed is what was pinned, with all that it requires.
        signed: Whether a trusted vendor has signed a manifest of this wheel that counts today.
        reviewed: Whether two people of two organisations have reviewed this wheel.
        revoked: Whether the wheel, or the key of its manifest, was revoked.
        reported: Whether the conformance kit has passed this wheel, by a trusted report.
        manifest: The manifest that counts.
        reviews: The reviews that count.
        report: The report that counts, passed or not.
        problems: Why it must not run; empty if it may.
        notes: What else somebody should know.
    """

    distribution: str
    version: str = ""
    allowed: bool = False
    pinned: bool = False
    signed: bool = False
    reviewed: bool = False
    revoked: bool = False
    reported: bool = False
    manifest: Manifest | None = None
    reviews: tuple[Review, ...] = ()
    report: Report | None = None
    problems: tuple[Fault, ...] = ()
    notes: tuple[Fault, ...] = ()

    def compared_with(self, declared: Declarations) -> Standing:
        """The standing once the plugin, confined, has said what it offers.

        Args:
            declared: What it says; see `declarations_of`.
        """
        if self.manifest is None:
            return self
        more = tuple(
            Fault(
                Reason.CLAIMS_LESS,
                f"its manifest claims less than it does: {what}",
                f"Do not use {self.distribution} {self.version}; ask {self.manifest.vendor} for a "
                "manifest that says what the plugin does",
                f"distribution {self.distribution} {self.version}",
            )
            for what in not_claimed(self.manifest.declares, declared)
        )
        return replace(self, problems=self.problems + more)


def standing(
    distribution: str,
    pin: Pin | None,
    registry: Registry | None,
    trusted: TrustedKeys | None,
    today: datetime.date,
    *,
    installation: Installation,
    require_report: bool = False,
    sdk: str = "",
) -> Standing:
    """How an installed plugin stands; reads its files, and imports nothing of it.

    Args:
        distribution: Name of its distribution.
        pin: What the council allows; None if it does not name the plugin.
        registry: The registry that the council follows; None if it has none.
        trusted: Whose signatures count; None if there is no list.
        today: The date.
        installation: Where plugins are installed: all folders that a confined process imports from.
        require_report: Whether a report of the kit is needed in order to run.
        sdk: Version of the SDK that the plugin will meet; not looked at if empty.

    Returns:
        The standing. What is wrong is in `problems`, and never raised.
    """
    name = canonicalize_name(distribution)
    where = f"distribution {name}"
    found = Standing(distribution=name)
    if pin is None:
        remedy = (
            "If the council wants it, write the table that `folkmoot-plugin pin WHEEL` prints "
            "into node.toml; otherwise uninstall it"
        )
        problem = Fault(Reason.NOT_ALLOWED, "is installed, not allowed", remedy, where)
        return replace(found, problems=(problem,))
    where = f"{where} {pin.version}"
    manifests, problems, notes = _manifests(name, pin, registry, trusted, today, where)
    manifest = next((one for one in manifests), None)
    files = pin_faults(name, pin, installation, manifest.body if manifest else None)
    problems += files
    if registry is not None and trusted is not None:
        reviews, why = _reviews(name, pin, registry, trusted, today, manifest)
        report, doubts = _report(name, pin, registry, trusted, today, where)
    else:
        reviews, why, report, doubts = Reviewed(), (), None, ()
    notes += why
    if require_report and (report is None or not report.passed):
        problems += doubts
    else:
        notes += doubts
    if manifest is not None:
        problems += _privileges(manifest.body, pin, where)
        problems += _sdk(manifest.body, sdk, where)
        notes += tuple(
            Fault(Reason.GRANTED_TOO_LITTLE, what, f"Grant it in node.toml ({name}), or expect "
                  "the plugin to fail where it needs it", where)
            for what in granted_too_little(manifest.body.privileges, pin.granted)
        )  # fmt: skip
    return Standing(
        distribution=name,
        version=pin.version,
        allowed=True,
        pinned=not files,
        signed=manifest is not None,
        reviewed=reviews.is_enough,
        revoked=any(one.reason is Reason.REVOKED for one in problems),
        reported=report is not None and report.passed,
        manifest=manifest.body if manifest else None,
        reviews=reviews.reviews,
        report=report,
        problems=problems,
        notes=notes,
    )


Faults = tuple[Fault, ...]


def _manifests(
    name: str,
    pin: Pin,
    registry: Registry | None,
    trusted: TrustedKeys | None,
    today: datetime.date,
    where: str,
) -> tuple[Sequence[Signed[Manifest]], Faults, Faults]:
    """The manifests that count, what is in the way, and what to know."""
    if registry is None or trusted is None:
        what = "no registry" if registry is None else "no file of trusted keys"
        return (), (_unsigned(f"{what} says who has signed it", where),), ()
    problems: Faults = ()
    if not registry.is_fresh(today):
        until = registry.index.body.fresh_until
        problems += (
            Fault(
                Reason.STALE,
                f"the registry is out of date since {until}: it may not know what was revoked",
                "Import the newest bundle of the registry",
                registry.index.where,
            ),
        )
    if not trusted.registry.counts(today):
        problems += (
            Fault(
                Reason.UNKNOWN_KEY,
                f"the key of the registry counted until {trusted.registry.until}",
                "Ask whoever keeps the registry for its new key, and correct the trusted keys",
                registry.index.where,
            ),
        )
    if revoked := registry.revoked_wheel(pin.wheel, pin.content):
        problems += (
            Fault(
                Reason.REVOKED,
                f"was revoked on {revoked.since}: {revoked.reason}",
                f"Take {name} out of node.toml and uninstall it, or install a version that is not "
                "revoked",
                where,
            ),
        )
    try:
        known = registry.manifests(name, pin.wheel)
    except Problem as problem:
        return (), (*problems, fault_of(Reason.DAMAGED, problem)), ()
    if not known:
        said = f"the registry has no manifest of the wheel {pin.wheel[:19]}..."
        return (), (*problems, _unsigned(said, where)), ()
    faults = {one.digest: tuple(_of_manifest(one, pin, registry, trusted, today)) for one in known}
    good = [one for one in known if not faults[one.digest]]
    if good:
        return good, problems, ()
    return (), problems + tuple(fault for of in faults.values() for fault in of), ()


def _of_manifest(
    signed: Signed[Manifest],
    pin: Pin,
    registry: Registry,
    trusted: TrustedKeys,
    today: datetime.date,
) -> Iterator[Fault]:
    body, vendor = signed.body, trusted.vendor(signed.key)
    if vendor is None or body.distribution not in vendor.distributions:
        whose = "a key that the council does not trust"
        if vendor is not None:
            whose = f"{vendor.label}, whose key counts for other plugins"
        yield Fault(
            Reason.UNKNOWN_KEY,
            f"its manifest is signed by {whose} ({signed.key_id})",
            f"If {body.vendor} has told you by another way that it is their key, write it into "
            "the trusted keys; otherwise do not use the plugin",
            signed.where,
        )
    elif not vendor.counts(today):
        yield Fault(
            Reason.UNKNOWN_KEY,
            f"the council trusted the key of {vendor.label} until {vendor.until}",
            "Ask the vendor for a manifest by its new key",
            signed.where,
        )
    if revoked := registry.revoked_key(signed.key_id):
        yield Fault(
            Reason.REVOKED,
            f"the key of its manifest was revoked on {revoked.since}: {revoked.reason}",
            "Ask the vendor for a manifest by a new key",
            signed.where,
        )
    yield from _out_of_time(body, today, "manifest", signed.where, "the vendor")
    yield from _other_files(body, pin, "manifest", signed.where)


def _other_files(body: Statement, pin: Pin, what: str, where: str) -> Iterator[Fault]:
    if (body.version, body.content) != (pin.version, pin.content):
        yield Fault(
            Reason.WRONG_DIGEST,
            f"its {what} is about version {body.version} with other files than were pinned",
            "Pin the wheel again with `folkmoot-plugin pin`, and compare both",
            where,
        )


def _out_of_time(
    body: Statement, today: datetime.date, what: str, where: str, who: str
) -> Iterator[Fault]:
    if said := body.out_of_time(today):
        yield Fault(Reason.EXPIRED, f"its {what} {said}", f"Ask {who} to sign it again", where)


def _reviews(
    name: str,
    pin: Pin,
    registry: Registry,
    trusted: TrustedKeys,
    today: datetime.date,
    manifest: Signed[Manifest] | None,
) -> tuple[Reviewed, Faults]:
    try:
        found = registry.reviews(name, pin.wheel)
    except Problem as problem:
        return Reviewed(), (fault_of(Reason.DAMAGED, problem),)
    reviewed = count_reviews(found, pin, registry, trusted, today, manifest)
    return reviewed, reviewed.faults


def _report(
    name: str,
    pin: Pin,
    registry: Registry,
    trusted: TrustedKeys,
    today: datetime.date,
    where: str,
) -> tuple[Report | None, Faults]:
    """The report that counts, and why it is none that has passed."""
    remedy = (
        "Have somebody whose key the council trusts run `folkmoot-plugin check`, and add the "
        "report to the registry"
    )
    try:
        known = registry.reports(name, pin.wheel)
    except Problem as problem:
        return None, (fault_of(Reason.DAMAGED, problem),)
    faults: list[Fault] = []
    good: list[Report] = []
    for one in known:
        reporter = trusted.reporter(one.key)
        wrong = [
            *_out_of_time(one.body, today, "report", one.where, "whoever ran the kit"),
            *_other_files(one.body, pin, "report", one.where),
        ]
        if reporter is None or not reporter.counts(today) or registry.revoked_key(one.key_id):
            said = f"a report is signed by a key that does not count ({one.key_id})"
            wrong.append(Fault(Reason.UNKNOWN_KEY, said, remedy, one.where))
        if wrong:
            faults += wrong
        else:
            good.append(one.body)
    failed = [one for one in good if not one.passed]
    if failed:
        wrong_checks = [one.check for one in (*failed[0].outcomes, *failed[0].attacks)
                        if not one.passed]  # fmt: skip
        said = f"the conformance kit found faults: {_some(wrong_checks)}"
        return failed[0], (Fault(Reason.NOT_REPORTED, said, "Ask the vendor to fix them", where),)
    if good:
        return good[0], ()
    return None, (*faults, Fault(Reason.NOT_REPORTED, "no report of the kit counts", remedy, where))


def _privileges(manifest: Manifest, pin: Pin, where: str) -> Faults:
    return tuple(
        Fault(Reason.GRANTED_TOO_MUCH, what, "Take it out of node.toml", where)
        for what in granted_too_much(manifest.privileges, pin.granted)
    )


def _sdk(manifest: Manifest, sdk: str, where: str) -> Faults:
    try:
        fits = not sdk or SpecifierSet(manifest.sdk).contains(sdk, prereleases=True)
    except InvalidSpecifier:
        fits = False
    if fits:
        return ()
    said = f"works with the SDK {manifest.sdk}, and this is {sdk}"
    remedy = "Install a version of the plugin for this SDK"
    return (Fault(Reason.OTHER_SDK, said, remedy, where),)


def _some(names: Iterable[str]) -> str:
    known = list(dict.fromkeys(names))
    return ", ".join(known[:5]) + (f" and {len(known) - 5} more" if len(known) > 5 else "")


def _unsigned(problem: str, where: str) -> Fault:
    remedy = (
        "Ask the vendor for a manifest (`folkmoot-plugin sign`), have it added to the registry, "
        "and import the registry's newest bundle"
    )
    return Fault(Reason.UNSIGNED, problem, remedy, where)
