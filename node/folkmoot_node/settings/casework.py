"""Table `[casework]` of `node.toml`: the pages on which people at the council work."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

from folkmoot_operator.settings import Settings


class CaseworkSettings(Settings):
    """Table `[casework]`: casework at this council.

    Its other keys are those of any site of ours (`folkmoot_web.settings.WebSettings`): listen,
    address, name, logo, tls, proxies, session, sign_in, attempts, contact. They are checked by
    `casework.settings`, because a node without casework does not need what reads them.
    """

    model_config = ConfigDict(extra="allow")

    policy: str = "casework-policy.toml"
    """The casework policy, relative to the home: who may do what."""
    database: str | None = None
    """SQLAlchemy URL of PostgreSQL; by default an encrypted file in the folder `casework`."""
    group: str | None = None
    """The group of accounts that may read `store/` and its key, where casework runs under an
    account of its own."""

    @property
    def site(self) -> dict[str, Any]:
        """The keys of any site, not checked yet."""
        return dict(self.model_extra or {})
