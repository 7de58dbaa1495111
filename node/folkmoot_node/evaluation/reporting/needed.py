"""Libraries of the extra `audit` that back-tests and fits need, which not every node has."""

from __future__ import annotations

from importlib.util import find_spec

from folkmoot_operator.extras import how_to_install
from folkmoot_operator.problems import ExitCode, Problem

_FITS = {"scipy": "SciPy", "threadpoolctl": "threadpoolctl"}
_PAGE = {"altair": "Altair", "vl_convert": "vl-convert", "jinja2": "Jinja"}


def require_libraries(command: str, *, fits: bool, with_page: bool) -> None:
    """Raises Problem unless the libraries are installed, before work begins that takes long.

    Args:
        command: Of `folkmoot-node`, that asks for them.
        fits: Whether a policy will be fitted.
        with_page: Whether a page with plots will be made.
    """
    wanted = (_FITS if fits else {}) | (_PAGE if with_page else {})
    missing = [name for module, name in wanted.items() if find_spec(module) is None]
    if missing:
        raise Problem(
            f"it needs what is not installed: {', '.join(missing)}",
            where=f"folkmoot-node {command}",
            remedy=f"Install it: {how_to_install('folkmoot-node', 'audit')}",
            exit_code=ExitCode.USAGE,
        )
