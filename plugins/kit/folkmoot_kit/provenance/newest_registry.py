"""The newest registry that a node has seen, so that an old one cannot hide a revocation.

A file of the node remembers number and digest of the list. A lower number, or another list of the
same number, is refused from then on.
"""

from __future__ import annotations

from pathlib import Path

from folkmoot_kit.provenance import canonical_json
from folkmoot_kit.provenance.registry_index import Index
from folkmoot_kit.provenance.signed import Signed
from folkmoot_operator.private_files import write_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.short_files import read_short_file
from folkmoot_operator.unusable_files import is_known, unusable

_DAMAGED = (
    "Restore it from its backup. If there is none, check by another way which number the registry "
    "has now, and delete this file"
)


class NewestRegistry:
    """What is remembered of the registries that were seen, by their keys."""

    def __init__(self, path: Path) -> None:
        """Reads nothing yet.

        Args:
            path: The file; it need not be there.
        """
        self._path = path

    def require(self, index: Signed[Index]) -> None:
        """Checks that a list is not older than one seen before.

        Args:
            index: The list, whose key is trusted.

        Raises:
            Problem: Exit code VERIFICATION, if a newer one was seen, or another of the same number.
            UnusableFile: If the file cannot be used now.
        """
        number, known = self._seen().get(index.key_id, (0, ""))
        now = index.body.number
        if now < number:
            problem = f"has number {now}, and this node has seen number {number} already"
            raise _refused(index, problem)
        if now == number and index.digest != known:
            raise _refused(index, f"is another list with number {number} than this node has seen")

    def accept(self, index: Signed[Index]) -> None:
        """Checks the same, and remembers the list as the newest.

        Raises:
            Problem: As `require`.
            UnusableFile: As `require`.
        """
        self.require(index)
        seen = self._seen()
        now = (index.body.number, index.digest)
        if seen.get(index.key_id) == now:
            return
        seen[index.key_id] = now
        content = canonical_json.encode({key: list(held) for key, held in seen.items()})
        try:
            write_private(self._path, content, replace=True)
        except OSError as error:
            raise unusable(error, self._path, "the newest registry's number") from None

    def _seen(self) -> dict[str, tuple[int, str]]:
        try:
            content = read_short_file(self._path)
        except FileNotFoundError:
            return {}
        except OSError as error:
            if not is_known(error):
                raise self._damaged() from None
            raise unusable(error, self._path, "the newest registry's number") from None
        try:
            value = canonical_json.decode(content, str(self._path))
            seen = {str(key): (held[0], held[1]) for key, held in value.items()}
        except (Problem, AttributeError, TypeError, LookupError):
            raise self._damaged() from None
        if not all(isinstance(number, int) and isinstance(of, str) for number, of in seen.values()):
            raise self._damaged()
        return seen

    def _damaged(self) -> Problem:
        return Problem(
            "is damaged: it should hold the number of the newest registry",
            where=str(self._path),
            remedy=_DAMAGED,
            exit_code=ExitCode.VERIFICATION,
        )


def _refused(index: Signed[Index], problem: str) -> Problem:
    return Problem(
        problem,
        where=index.where,
        remedy="Get the newest bundle from whoever keeps the registry. If this is the newest, the "
        "registry was set back: ask them why",
        exit_code=ExitCode.VERIFICATION,
    )
