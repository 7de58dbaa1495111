"""What pages read from: rounds, boundaries, pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from folkmoot_coordinator.charts.picture_cache import PictureCache
from folkmoot_coordinator.clock import Clock
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.geography.atlas import Atlas, BoundarySource
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.publication.published_round import Published, PublishedRounds
from folkmoot_coordinator.rounds.round_store import StoredRound, find_round
from folkmoot_coordinator.viewer.kept_record import KeptRecord
from folkmoot_coordinator.viewer.permissions import may_see
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.visitors import Visitor, visitor_of


@dataclass(frozen=True, slots=True)
class Region:
    """The region behind a site.

    Attributes:
        home: The coordinator's folder.
        settings: What its file says.
        database: The coordinator's, opened for reading.
        drafts: The viewer's own, with drafts.
        rounds: Results.
        atlas: Boundaries.
        pictures: Charts that were drawn.
        clock: The time.
        record: The region's own.
    """

    home: Home
    settings: CoordinatorSettings
    database: Database
    drafts: Database
    rounds: PublishedRounds
    atlas: Atlas
    pictures: PictureCache
    clock: Clock
    record: KeptRecord

    @property
    def names(self) -> Mapping[str, str]:
        """Names of councils by GSS code, as far as they are known."""
        return self.settings.names

    def council(self, code: str) -> str:
        """A council's name for people; its code where no name is known."""
        return self.settings.names.get(code, code)

    def boundaries_stamp(self) -> tuple[tuple[int, int], ...]:
        """Size and time of change of each file of boundaries: with one, maps change."""
        found = []
        for source in self.atlas.sources:
            try:
                state = source.path.stat()
                found.append((state.st_size, state.st_mtime_ns))
            except OSError:
                found.append((0, 0))
        return tuple(found)

    def sees(self, visitor: Visitor, purpose: str) -> bool:
        """Whether somebody may see rounds of a purpose."""
        return may_see(self.settings.viewer, visitor.roles, purpose)

    def stored(self, request: Request, round_id: str) -> StoredRound:
        """A round that whoever asks may see.

        Raises:
            WebProblem: Status 404, if there is none: whether it exists is not said.
        """
        try:
            stored = find_round(self.database, _whole(round_id))
        except Problem as problem:
            if problem.exit_code is not ExitCode.USAGE:
                raise  # the database cannot be read
            raise _no_round() from None
        if not self.sees(visitor_of(request), stored.round_.purpose):
            raise _no_round()
        return stored

    def published(self, request: Request, round_id: str) -> Published:
        """The result of a round that whoever asks may see.

        Raises:
            WebProblem: Status 404, if there is none; 409, if it has no result.
        """
        stored = self.stored(request, round_id)
        try:
            return self.rounds.of(stored)
        except Problem as problem:
            if problem.exit_code is not ExitCode.REFUSED:
                raise
            raise WebProblem(
                409, "This round has no result", _sentence(problem.problem), "Choose another round."
            ) from None

    def check(self) -> None:
        """Raises Problem unless the coordinator's database can be read."""
        self.database.require_current()

    def close(self) -> None:
        """Closes the databases."""
        self.database.close()
        self.drafts.close()


def open_region(home: Home, settings: CoordinatorSettings, clock: Clock) -> Region:
    """Opens what pages read from; of the coordinator's folder it reads no key.

    Args:
        home: The coordinator's folder.
        settings: What its file says.
        clock: The time.

    Raises:
        Problem: If there is no region's database, or it has another version.
    """
    from folkmoot_coordinator.drafts.models import DRAFTS

    database = Database(home.database_url(settings), read_only=True)
    database.require_tables()
    database.require_current()
    sources = [
        BoundarySource(home.path / one.file, one.codes, one.names, one.layer)
        for one in settings.viewer.boundaries
    ]
    return Region(
        home,
        settings,
        database,
        Database(home.drafts_url(settings), DRAFTS),
        PublishedRounds(database, settings.region, settings.names),
        Atlas(sources, home.viewer_cache),
        PictureCache(home.viewer_cache),
        clock,
        KeptRecord(database, settings, clock),
    )


def region_of(request: Request) -> Region:
    """The region behind the site that serves a request."""
    region = request.app.state.region
    assert isinstance(region, Region)
    return region


def _whole(round_id: str) -> str:
    """An id, or a beginning of it that is long enough to be meant; never `latest`."""
    if not (8 <= len(round_id) <= 32 and round_id.isascii() and round_id.isalnum()):
        raise _no_round()
    return round_id


def _sentence(problem: str) -> str:
    """What is wrong with a round, as a sentence."""
    return f"It {problem}." if problem.startswith("is ") else f"{problem[:1].upper()}{problem[1:]}."


def _no_round() -> WebProblem:
    return problem_of_status(404, "There is no such round, or you may not see it.")
