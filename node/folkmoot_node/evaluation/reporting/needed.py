"""Libraries that a back-test needs, which not every node has."""

from __future__ import annotations

from importlib.util import find_spec

from folkmoot_operator.extras import how_to_install
from folkmoot_operator.problems import ExitCode, Problem

_FIGURES = {"sklearn": "scikit-learn", "scipy": "SciPy"}
_PAGE = {"altair": "Altair", "vl_convert": "vl-convert", "jinja2": "Jinja"}


def require_libraries(*, with_page: bool, command: str = "evaluate") -> None:
    """Raises Problem unless the libraries are installed, before work begins that takes long.

    Args:
        with_page: Whether a page with plots will be made.
        command: Of `folkmoot-node`, that asks for them.
    """
    wanted = _FIGURES | _PAGE if with_page else _FIGURES
    missing = [name for module, name in wanted.items() if find_spec(module) is None]
    if missing:
        raise Problem(
            f"a back-test needs what is not installed: {', '.join(missing)}",
            where=f"folkmoot-node {command}",
            remedy=f"Install it: {how_to_install('folkmoot-node', 'audit')}",
            exit_code=ExitCode.USAGE,
        )
