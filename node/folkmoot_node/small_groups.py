"""How groups too small to be shown by themselves are shown."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

NOT_KNOWN = "not known"
"""The group of the households whose value is not known."""


def pooled(count: npt.NDArray[np.int64], smallest: int) -> list[tuple[int, ...]]:
    """Groups to show, small ones taken together.

    If the small ones are too few even together, the next larger group is taken with them: it
    is hardly changed by them, and they cannot be computed from a total. Hiding it instead
    would hide whom the audit is about.

    Args:
        count: Households by group.
        smallest: Least households that are shown.

    Returns:
        Indexes of groups that have households; only a single result may be below `smallest`.
    """
    ascending = [int(at) for at in np.argsort(count, kind="stable") if count[at]]
    together = [at for at in ascending if count[at] < smallest]
    alone = ascending[len(together) :]
    while together and alone and count[together].sum() < smallest:
        together.append(alone.pop(0))
    pools = [(at,) for at in alone] + ([tuple(sorted(together))] if together else [])
    return sorted(pools)
