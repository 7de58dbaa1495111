"""The coordinator's home folder: what lies where in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_operator.ownership import Holdings, require_own, those_in, with_journals
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import load, require_text

if TYPE_CHECKING:
    from sqlalchemy import URL

SETTINGS_FILE = "coordinator.toml"


@dataclass(frozen=True, slots=True)
class Home:
    """The coordinator's folder, and what lies where in it.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def settings_file(self) -> Path:
        """The settings, `coordinator.toml`."""
        return self.path / SETTINGS_FILE

    @property
    def keys(self) -> Path:
        """Folder of private keys and certificates; for the owner only."""
        return self.path / "keys"

    @property
    def database_file(self) -> Path:
        """SQLite database, where no other database is set."""
        return self.path / "coordinator.sqlite"

    @property
    def viewer_cache(self) -> Path:
        """Folder of shapes and pictures, which are made again if it is deleted."""
        return self.path / "viewer-cache"

    @property
    def prefect_folder(self) -> Path:
        """Home of the Prefect server that `serve` runs."""
        return self.path / "prefect"

    @property
    def viewer_file(self) -> Path:
        """SQLite database of the viewer, where no other database is set."""
        return self.path / "viewer.sqlite"

    def settings(self) -> CoordinatorSettings:
        """Reads the settings.

        Raises:
            Problem: If the folder is no coordinator's home, another account owns it or can
                write to it, or the settings are wrong.
        """
        require_text(self.path.resolve())
        if not self.settings_file.is_file():
            raise Problem(
                "there is no coordinator here",
                where=str(self.path),
                remedy="Run `folkmoot-coordinator init`, or name the folder with --home",
                exit_code=ExitCode.SETTINGS,
            )
        require_own(
            Holdings(
                self.path,
                private=(
                    *those_in(self.keys),
                    *with_journals(self.database_file),
                    *with_journals(self.viewer_file),
                ),
                public=(self.settings_file,),
            )
        )
        return load(CoordinatorSettings, self.settings_file)

    def council_list(self, settings: CoordinatorSettings) -> Path | None:
        """A newer list of councils' codes, where there is one."""
        return self.path / settings.council_list if settings.council_list else None

    def database_url(self, settings: CoordinatorSettings) -> str | URL:
        """Where the database is, for SQLAlchemy."""
        from sqlalchemy import URL  # what reads settings alone does without it

        path = str(self.database_file.resolve())
        return settings.database.url or URL.create("sqlite", database=path)

    def drafts_url(self, settings: CoordinatorSettings) -> str | URL:
        """Where the viewer's own database is, with drafts, for SQLAlchemy."""
        from sqlalchemy import URL

        path = str(self.viewer_file.resolve())
        return settings.viewer.database or URL.create("sqlite", database=path)

    def drafts_file(self, settings: CoordinatorSettings) -> Path | None:
        """The file of that database, where it is the one in this folder; else None."""
        return None if settings.viewer.database else self.viewer_file
