"""The factors of a run made once more, by processes that have seen no household."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from folkmoot_kit.hosting import ConfinedFactor, PluginFailure, fresh_copies
from folkmoot_node.plugins.failures import FactorsFailed, plugin_fault
from folkmoot_node.scoring.bound import BoundFactor
from folkmoot_sdk.errors import PluginError


@contextmanager
def fresh(factors: Sequence[BoundFactor]) -> Iterator[tuple[BoundFactor, ...]]:
    """Factors made again, with the same parameters, in processes that end with the block.

    Those that run in the node's process, because the council has signed for that, are made again
    there: other objects of the same class.

    Args:
        factors: Of a run.

    Raises:
        FactorsFailed: If a process does not start, or a factor refuses what it took before.
    """
    with ExitStack() as stack:
        try:
            copies = stack.enter_context(fresh_copies([bound.factor for bound in factors]))
        except (PluginFailure, PluginError) as failure:
            raise _failed(factors, failure) from None
        yield tuple(
            replace(
                bound,
                factor=copy
                if isinstance(copy, ConfinedFactor)
                else type(copy)(bound.factor.parameters),
            )
            for bound, copy in zip(factors, copies, strict=True)
        )


def _failed(factors: Sequence[BoundFactor], failure: PluginFailure | PluginError) -> FactorsFailed:
    found = factors[0]
    if isinstance(failure, PluginFailure):
        found = next((one for one in factors if one.origin == failure.origin), found)
    hook = failure.hook if isinstance(failure, PluginFailure) else "make"
    which = ", ".join(one.name for one in factors if one.origin == found.origin)
    fault = plugin_fault(found.origin, hook, f"factors {which}, made again", failure)
    distribution, is_shipped = found.origin.distribution, found.is_shipped
    return FactorsFailed.of(fault, distribution, may_be_spared=not is_shipped)
