"""Who made a plugin, who reviewed it, and whether it is the one that was agreed to.

A council pins the wheel of a plugin. Its vendor signs a manifest of it, reviewers and whoever runs
the conformance kit sign what they found, and a registry carries all of that to councils, with what
was revoked. `standing` says from these whether an installed plugin may run.
"""

from folkmoot_kit.provenance.declarations import (
    Declarations,
    declarations_of,
    fields_not_claimed,
    fields_of,
)
from folkmoot_kit.provenance.installed import Installation, Installed
from folkmoot_kit.provenance.newest_registry import NewestRegistry
from folkmoot_kit.provenance.pin import Pin, as_toml, make_pin
from folkmoot_kit.provenance.privileges import Privileges
from folkmoot_kit.provenance.registry_index import Registry, open_registry
from folkmoot_kit.provenance.signed import (
    Signed,
    key_id,
    load_key,
    new_key,
    public_key,
    read_signed_file,
    sign,
)
from folkmoot_kit.provenance.standing import Standing, standing
from folkmoot_kit.provenance.standing_faults import Fault, Reason
from folkmoot_kit.provenance.statements import Manifest, Outcome, Report, Review
from folkmoot_kit.provenance.trusted_keys import TrustedKeys, load_trusted_keys
from folkmoot_kit.provenance.wheel_file import Wheel, read_wheel

__all__ = [
    "Declarations",
    "Fault",
    "Installation",
    "Installed",
    "Manifest",
    "NewestRegistry",
    "Outcome",
    "Pin",
    "Privileges",
    "Reason",
    "Registry",
    "Report",
    "Review",
    "Signed",
    "Standing",
    "TrustedKeys",
    "Wheel",
    "as_toml",
    "declarations_of",
    "fields_not_claimed",
    "fields_of",
    "key_id",
    "load_key",
    "load_trusted_keys",
    "make_pin",
    "new_key",
    "open_registry",
    "public_key",
    "read_signed_file",
    "read_wheel",
    "sign",
    "standing",
]
