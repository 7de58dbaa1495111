"""What a distribution says of itself: what it needs, and which names it takes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, packages_distributions

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from folkmoot_kit.checks.bench import Named, Running
from folkmoot_sdk.conformance.findings import Check, Finding, Severity
from folkmoot_sdk.loading import Origin

NOT_LOADED = Check(
    "not-loaded", "plugin", "The plugin can be imported, and implements a hook",
    "A node names what it cannot load and goes on without it.",
    "Import its module in a new Python process, and mark its hooks with @hookimpl",
)  # fmt: skip
SDK_RANGE = Check(
    "sdk-range", "plugin", "The distribution requires an SDK of the version that runs it",
    "It was written for another SDK, and nobody has tried it with this one.",
    'Require the SDK in pyproject.toml, such as "folkmoot-sdk>=0.1,<1"',
)  # fmt: skip
SDK_BOUND = Check(
    "sdk-bound", "plugin", "The requirement on the SDK has an upper bound",
    "A later major version may take away what the plugin uses.",
    'Add the next major version as a bound, such as "folkmoot-sdk>=0.1,<1"',
    Severity.WARNING,
)  # fmt: skip
NAME_CLASH = Check(
    "name-clash", "plugin", "Factors and kinds of source have names of their own",
    "Of two plugins that register one name, a node uses neither.",
    "Choose another name, such as one that begins with your own",
)  # fmt: skip
MODULE_CLASH = Check(
    "module-clash", "plugin", "Modules have names of their own",
    "Which of two modules of one name is imported depends on the order of installation.",
    "Put everything into one package that is named after the distribution",
)  # fmt: skip

SDK = "folkmoot-sdk"
_OURS, _PLUGINS = "folkmoot", "folkmoot_plugin_"


def loading_findings(running: Running) -> Iterator[Finding]:
    """What of the plugin a node would not load."""
    for broken in running.broken:
        hook = f"{broken.hook}: " if broken.hook else ""
        yield NOT_LOADED.finding(f"{hook}{broken.problem}", remedy=broken.remedy)


def requirement_findings(requires: list[str] | None, running_version: str) -> Iterator[Finding]:
    """Compares the requirement on the SDK with the one that runs.

    Args:
        requires: `Requires-Dist` of the distribution.
        running_version: Version of the SDK that runs.
    """
    found = [entry for entry in map(_parsed, requires or []) if entry is not None]
    on_sdk = [r for r in found if canonicalize_name(r.name) == SDK and r.marker is None]
    if not on_sdk:
        yield SDK_RANGE.finding(f"does not require {SDK}")
        return
    for requirement in on_sdk:
        if not requirement.specifier.contains(running_version, prereleases=True):
            seen = f"requires {requirement}, and {running_version} is running"
            yield SDK_RANGE.finding(seen)
        elif not any(
            one.operator in ("<", "<=", "==", "~=", "===") for one in requirement.specifier
        ):
            yield SDK_BOUND.finding(f"requires {requirement}, whatever comes later")


def _parsed(text: str) -> Requirement | None:
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def name_findings(name: str, running: Running, others: Mapping[Origin, Named]) -> Iterator[Finding]:
    """Compares the registered names with those of the other installed plugins.

    Args:
        name: Of the distribution.
        running: With the plugin.
        others: What other plugins register.
    """
    for origin, named in others.items():
        if canonicalize_name(origin.distribution) == canonicalize_name(name):
            continue
        for factor in sorted(named.factors.keys() & running.factors.keys()):
            seen = f"the risk factor {factor!r} is also registered by {origin}"
            yield NAME_CLASH.finding(seen, f"factor {factor}")
        for kind in sorted(named.sources & running.sources.keys()):
            seen = f"the data source {kind!r} is also registered by {origin}"
            yield NAME_CLASH.finding(seen, f"source {kind}")


def module_findings(distribution: Distribution) -> Iterator[Finding]:
    """Compares the distribution's modules with those of Python and of others."""
    own = canonicalize_name(distribution.metadata["Name"])
    installed = packages_distributions()
    for module in sorted(top_level(distribution)):
        owners = {canonicalize_name(name) for name in installed.get(module, ())} - {own}
        if module in sys.stdlib_module_names:
            yield MODULE_CLASH.finding(f"has a module {module!r}, as Python itself")
        elif module.startswith(_OURS) and not module.startswith(_PLUGINS):
            yield MODULE_CLASH.finding(f"has a module {module!r}, as Folkmoot itself")
        elif owners:
            seen = f"has a module {module!r}, as {', '.join(sorted(owners))}"
            yield MODULE_CLASH.finding(seen)


def top_level(distribution: Distribution) -> set[str]:
    """Names of the modules and packages that a distribution installs."""
    found = set()
    for path in distribution.files or ():
        first = path.parts[0]
        if first.endswith((".dist-info", ".data", ".pth")) or first in ("..", "__pycache__"):
            continue
        if len(path.parts) > 1:
            found.add(first)
        elif path.suffix == ".py":
            found.add(path.stem)
        elif path.suffix == ".so":
            found.add(path.name.partition(".")[0])
    return {name for name in found if name.isidentifier()}
