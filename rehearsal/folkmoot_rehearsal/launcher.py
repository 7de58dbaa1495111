"""Runs a whole region through the public commands: ten councils, a coordinator, two rounds.

Nothing here takes a shorter path than a real region: certificates, signed policies, ledgers
and noise are those of production. Only the residents are synthetic.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from folkmoot_rehearsal import node_home, policies
from folkmoot_rehearsal.boundaries import BOUNDARIES_FILE, boundaries_file
from folkmoot_rehearsal.councils import Council
from folkmoot_rehearsal.layout import Layout
from folkmoot_rehearsal.policies import Limits, Question
from folkmoot_rehearsal.processes import Children, OpenRound
from folkmoot_rehearsal.synthesis import Recipe, Written

Advance = Callable[[str, int, int], None]
"""Called with a stage's name, how many of its parts are done, and how many there are."""
POLL_SECONDS = "0.5"
"""Between a node's visits to the coordinator; a real node waits longer."""
CLOSE_SECONDS = 30.0
"""How long a round may take to end after the last council has answered."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Publication:
    """What the region publishes of a round.

    Attributes:
        metadata: What the figures are, with coverage and privacy.
        table: The figures, Parquet.
    """

    metadata: dict[str, Any]
    table: Path


@dataclass(frozen=True, slots=True)
class RoundOutcome:
    """One round, ended.

    Attributes:
        shown: What `round show --json` says.
        publication: What was published; None if the round is void.
    """

    shown: dict[str, Any]
    publication: Publication | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A rehearsal, ended.

    Attributes:
        rounds: The rounds in order.
        scores: What each node's `score --json` says, by GSS code.
        scored: Each node's scored households, Parquet, by GSS code.
        people: Residents of all households.
        seconds: Wall-clock time from the first process to the last.
    """

    rounds: tuple[RoundOutcome, ...]
    scores: dict[str, dict[str, Any]]
    scored: dict[str, Path]
    people: int
    seconds: float


class Region:
    """A region to be run once."""

    def __init__(
        self,
        councils: tuple[Council, ...],
        recipe: Recipe,
        layout: Layout,
        children: Children,
        advance: Advance,
        *,
        link: bool = False,
    ) -> None:
        """Runs nothing yet.

        Args:
            councils: Its councils.
            recipe: What decides the residents.
            layout: The folder to work in, prepared.
            children: Starts the processes.
            advance: Called as work progresses, from several threads.
            link: Whether the nodes link records without a UPRN, by address and person.
        """
        self.link = link
        self.councils = councils
        self.recipe = recipe
        self.layout = layout
        self.children = children
        self.advance = advance
        # As many nodes at a time as there are processors; beside them the coordinator, and the
        # residents, whom this process draws: two councils at once would be no faster.
        self._nodes = ThreadPoolExecutor(os.cpu_count() or 1)
        self._residents = ThreadPoolExecutor(1)
        self._aside = ThreadPoolExecutor(2)

    def run(self) -> Outcome:
        """Runs the region from nothing to two ended rounds.

        Raises:
            Problem: If a command fails; names the log to read.
        """
        started = time.monotonic()
        try:
            ready = self._aside.submit(self._start_coordinator)
            residents = {
                council: self._residents.submit(self._draw, council) for council in self.councils
            }
            written = dict(
                self._each("Residents and nodes", lambda c: self._prepare(c, residents[c], ready))
            )
            self._write_rounds(written)
            self._add_site(written)
            opening = self._aside.submit(self._open_rounds)
            scores = dict(self._each("Scores", self._score))
            opened = opening.result()
            for _ in self._each("Answers", self._answer):
                pass
            ended = tuple(self._aside.map(self._conclude, opened))
        except BaseException:
            # What runs must end, or the pools would wait for all of it.
            self.children.stop()
            raise
        finally:
            for pool in (self._residents, self._nodes, self._aside):
                pool.shutdown(wait=True, cancel_futures=True)
        return Outcome(
            rounds=ended,
            scores={council.code: scores[council] for council in self.councils},
            scored={c.code: self._scored(c) for c in self.councils},
            people=sum(item.people for item in written.values()),
            seconds=time.monotonic() - started,
        )

    def _start_coordinator(self) -> None:
        home = self.layout.coordinator
        self.advance("Coordinator", 0, 1)
        collection, enrolment = _free_ports(2)
        self.children.coordinator(
            home, "init", "--name", "Rehearsal region", "--host", "127.0.0.1",
            "--collection-port", str(collection), "--enrolment-port", str(enrolment),
        )  # fmt: skip
        with (home / "coordinator.toml").open("a", encoding="utf-8") as file:
            file.write("\n[names]\n")
            file.writelines(f'{council.code} = "{council.name}"\n' for council in self.councils)
        codes = [str(council.code) for council in self.councils]
        self.children.coordinator(home, "invite", *codes, "--out", str(self.layout.invitations))
        self.children.serve_coordinator(home)
        self.advance("Coordinator", 1, 1)

    def _draw(self, council: Council) -> Written:
        return node_home.draw(council, self.recipe, self.layout)

    def _prepare(
        self, council: Council, residents: Future[Written], coordinator_serves: Future[None]
    ) -> Written:
        """Makes a council's node, enrolled."""
        written = residents.result()
        coordinator_serves.result()
        node_home.make(
            council, written, self.recipe, self.layout, self.children, self._limits(council),
            enrol=True, link=self.link,
        )  # fmt: skip
        return written

    def _limits(self, council: Council) -> Limits:
        """One council is more cautious than the others: the second round exceeds its budget."""
        cautious = self.councils[min(2, len(self.councils) - 1)]
        return policies.CAUTIOUS if council == cautious else policies.GENEROUS

    def _score(self, council: Council) -> dict[str, Any]:
        return node_home.score(council, self.recipe, self.layout, self.children)

    def _scored(self, council: Council) -> Path:
        return self.layout.scored(council)

    def _write_rounds(self, written: dict[Council, Written]) -> None:
        folder = self.layout.rounds
        folder.mkdir()
        policy = self.layout.home(self.councils[0]) / policies.POLICY_FILE
        (folder / policies.POLICY_FILE).write_bytes(policy.read_bytes())
        areas = {str(council.code): written[council].lsoas for council in self.councils}
        (folder / policies.AREAS_FILE).write_text(policies.areas_file(areas), "utf-8")
        questions: tuple[Question, ...] = (policies.FIRST_ROUND, policies.SECOND_ROUND)
        for number, question in enumerate(questions, start=1):
            # Published as long as the cautious council is the only one missing, but from no
            # fewer than three where there are as many.
            text = policies.round_file(question, max(1, min(3, len(self.councils) - 1)))
            (folder / f"round-{number}.toml").write_text(text, "utf-8")
        if self.recipe.outcomes:
            text = policies.round_file(policies.OUTCOME_ROUND, 1)
            (folder / "outcomes.toml").write_text(text, "utf-8")

    def _add_site(self, written: dict[Council, Written]) -> None:
        """Gives the region a site, which the next `serve` runs: not this one, which is busy."""
        areas = {council: written[council].lsoas for council in self.councils}
        home = self.layout.coordinator
        (home / BOUNDARIES_FILE).write_text(boundaries_file(areas), "utf-8")
        (port,) = _free_ports(1)
        with (home / "coordinator.toml").open("a", encoding="utf-8") as file:
            file.write(
                f'\n[viewer]\nlisten = "127.0.0.1:{port}"\n'
                f'boundaries = [{{ file = "{BOUNDARIES_FILE}" }}]\n'
            )

    def _open_rounds(self) -> list[OpenRound]:
        """Opens the rounds, so that every node learns of all of them, the first one first."""
        opened: list[OpenRound] = []
        for file in sorted(self.layout.rounds.glob("round-*.toml")):
            if opened:
                # Rounds are answered in the order in which they were opened, by the second.
                time.sleep(1.0)
            opened.append(self.children.open_round(self.layout.coordinator, file))
        return opened

    def _conclude(self, opened: OpenRound) -> RoundOutcome:
        """Publishes a round, once it has ended."""
        shown = opened.ended(CLOSE_SECONDS)
        if shown["state"] == "void":
            return RoundOutcome(shown, None)
        exported = self.children.coordinator_json(
            self.layout.coordinator, "export", shown["round_id"],
            "--out", str(self.layout.published / opened.name),
        )  # fmt: skip
        metadata = json.loads(Path(exported["metadata"]).read_text("utf-8"))
        return RoundOutcome(shown, Publication(metadata, Path(exported["parquet"])))

    def _answer(self, council: Council) -> None:
        self.children.node(
            str(council.code), self.layout.home(council),
            "serve", "--until-idle", "--poll-seconds", POLL_SECONDS,
        )  # fmt: skip

    def _each(self, stage: str, work: Callable[[Council], _T]) -> Iterator[tuple[Council, _T]]:
        """Works for all councils, as many at a time as there are processors."""
        self.advance(stage, 0, len(self.councils))
        tasks = {self._nodes.submit(work, council): council for council in self.councils}
        for done, task in enumerate(as_completed(tasks), start=1):
            yield tasks[task], task.result()
            self.advance(stage, done, len(self.councils))


def _free_ports(number: int) -> list[int]:
    """Ports that nobody listens on now."""
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
