"""Whether a risk stratification policy is the one under which a round expects households scored."""

from __future__ import annotations

from folkmoot.counting_rules import counting_digest
from folkmoot.rounds import Round


def is_expected(round_: Round, digest: bytes, text: str) -> bool:
    """Whether scores by a policy are those that a round asks for.

    The file is the one that the round names. A round of a series may instead name the rules by
    which it counts; then another file will do that has the same ones.

    Args:
        round_: The round.
        digest: SHA-256 of the policy file, 32 bytes.
        text: The file. Scores made by an early version do not carry it: empty, and then the
            file itself has to be the same.

    Raises:
        ContractError: If the text is no policy; a policy that was loaded is one.
    """
    if round_.policy_digest == digest:
        return True
    if round_.series is None or round_.series.counting_digest is None or not text:
        return False
    return round_.series.counting_digest == counting_digest(text, round_.names_counted)
