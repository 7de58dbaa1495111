"""Makes the helpers of this folder importable, and their fixtures known."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from folkmoot import round_codec
from folkmoot_node.evidence import round_book
from folkmoot_node.evidence.outbox import Outbox
from folkmoot_node.release import admission, series

sys.path.insert(0, str(Path(__file__).parent))

from inviting import member, regions
from stage import Stage, scored_home, stage

__all__ = ["member", "regions", "scored_home", "stage"]


@pytest.fixture
def asked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each is asked; the lying coordinator asks none of them."""
    counts: Counter[str] = Counter()

    def count(where: Any, name: str, what: str) -> None:
        original: Callable[..., Any] = getattr(where, name)

        def counting(*arguments: Any, **named: Any) -> Any:
            counts[what] += 1
            return original(*arguments, **named)

        monkeypatch.setattr(where, name, counting)

    count(Outbox, "find", "outbox")
    count(admission, "judge", "judge")
    count(series, "charge_of", "charge")
    count(round_codec, "decode_round", "decode")
    count(round_book, "is_round_signature", "signature")
    return counts
