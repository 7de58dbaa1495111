"""What `[viewer]` in coordinator.toml says of the site itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from folkmoot_coordinator.config import CoordinatorSettings, ViewerSettings
from folkmoot_coordinator.home import Home
from folkmoot_operator.extras import how_to_install
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import check

if TYPE_CHECKING:
    from folkmoot_web.settings import WebSettings

_NEEDED = (
    "altair", "fastapi", "folkmoot_web", "govuk_frontend_jinja", "limits", "shapely", "vl_convert",
    "xlsxwriter",
)  # fmt: skip


def site_settings(home: Home, settings: CoordinatorSettings) -> WebSettings:
    """The settings of the site; its organisation is the region unless they say otherwise.

    Args:
        home: The coordinator's folder.
        settings: What its file says.

    Raises:
        Problem: Exit code SETTINGS, if they are wrong or name a role that there is not, or what
            the site needs is not installed.
    """
    require_viewer()
    from folkmoot_coordinator.viewer.permissions import PERMISSIONS
    from folkmoot_web.settings import WebSettings

    values: dict[str, Any] = {"name": settings.region, **settings.viewer.site}
    found = check(
        WebSettings, values, str(home.settings_file), "viewer", ViewerSettings.model_fields
    )
    for role in settings.viewer.visibility:
        # One that is misspelt would leave the role that was meant with a view of all rounds.
        PERMISSIONS.require_roles((role,), f"viewer.visibility.{role}")
    openid = found.sign_in.openid
    for group, roles in openid.roles.items() if openid else ():
        PERMISSIONS.require_roles(roles, f"viewer.sign_in.openid.roles.{group}")
    url = home.drafts_url(settings)
    text = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    return found.model_copy(update={"database": found.database.model_copy(update={"url": text})})


def require_viewer() -> None:
    """Checks that what the site needs is installed, without importing it.

    Raises:
        Problem: Exit code SETTINGS, naming what is missing.
    """
    from importlib.util import find_spec

    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise Problem(
            f"the region's site needs packages that are not installed: {', '.join(missing)}",
            where="viewer",
            remedy=f"Install them: {how_to_install('folkmoot-coordinator', 'viewer')}; or leave "
            "the site out: enabled = false in the table [viewer] of coordinator.toml",
            exit_code=ExitCode.SETTINGS,
        )
