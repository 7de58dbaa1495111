"""What `[casework]` in node.toml says of the site itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL

from folkmoot_node.casework.settings import casework_of, database_path
from folkmoot_node.settings.casework import CaseworkSettings
from folkmoot_node.settings.node_toml import FILE_NAME, NodeConfig
from folkmoot_operator.settings import check
from folkmoot_web.settings import WebSettings


def site_settings(config: NodeConfig) -> WebSettings:
    """The settings of the site; its organisation is the council unless they say otherwise.

    Raises:
        Problem: Exit code SETTINGS, if they are wrong.
    """
    settings = casework_of(config)
    values: dict[str, Any] = {"name": config.name, **settings.site}
    where = str(config.home / FILE_NAME)
    found = check(WebSettings, values, where, "casework", CaseworkSettings.model_fields)
    url = settings.database or URL.create(
        "sqlite", database=str(database_path(config))
    ).render_as_string(hide_password=False)
    return found.model_copy(update={"database": found.database.model_copy(update={"url": url})})
