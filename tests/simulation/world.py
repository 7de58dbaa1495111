"""A simulated region: a real coordinator, real nodes, one clock, and a wire for each node.

Everything runs in this process, so that thousands of faults fit into a minute; bytes go
through mutual TLS all the same, and state through SQLite files. Real processes are killed
in `test_kill.py`.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from council import DAY, Council
from invariants import Invariant, Watch
from noise_watch import NoiseWatch
from questions import LOSSES, Malice, Question, ask, twist
from scenery import COUNCILS, MAX_SEQUENCE_DAYS, Scenery
from sqlalchemy import select

from folkmoot.errors import ContractError
from folkmoot.privacy import Rho
from folkmoot.rounds import Round, RoundState
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import AnswerRow
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.rounds.closing import close_due_rounds
from folkmoot_coordinator.rounds.progress import council_responses, summaries
from folkmoot_coordinator.rounds.round_store import find_round, open_round
from folkmoot_coordinator.server.server import CoordinatorServer

FIRST_DAY = 40
"""Days after the scenery's start on which a sequence begins, so that clocks can go back."""
LAST_DAY = MAX_SEQUENCE_DAYS - 60
VISITS_TO_SETTLE = 4


class World:
    """One sequence's region."""

    def __init__(self, folder: Path, scenery: Scenery, noise: NoiseWatch, watch: Watch) -> None:
        self._watch = watch
        self.folder = folder
        self._scenery = scenery
        self._now = scenery.start + FIRST_DAY * DAY
        self.coordinator_skew = 0
        self._asked = 0
        self._rounds: list[Round] = []
        self._home = Home(folder / "coordinator")
        shutil.copytree(scenery.coordinator, self._home.path)
        self._database_backups: list[Path] = []
        self._server: CoordinatorServer | None = None
        self._database = Database(self._home.database_url(self._home.settings()))
        self.councils = [
            Council(code, folder, scenery, noise, watch, lambda: self._now) for code in COUNCILS
        ]
        self.start_coordinator()

    def close(self) -> None:
        """Stops the coordinator."""
        self.stop_coordinator()
        self._database.close()

    def start_coordinator(self) -> None:
        if self._server is None:
            self._server = CoordinatorServer(self._home, self.coordinator_clock)
            self._server.start()
            for council in self.councils:
                council.wire.reconnect()

    def stop_coordinator(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

    def coordinator_clock(self) -> int:
        return self._now + self.coordinator_skew

    def back_up_database(self) -> None:
        """Somebody copies the coordinator's database."""
        target = self.folder / f"coordinator-{len(self._database_backups)}.sqlite"
        source, copy = sqlite3.connect(self._home.database_file), sqlite3.connect(target)
        source.backup(copy)
        source.close()
        copy.close()
        self._database_backups.append(target)

    def restore_database(self, number: int) -> None:
        """The coordinator is stopped, and starts again from an old database."""
        if not self._database_backups:
            return
        self._watch.happened["databases restored"] += 1
        backup = self._database_backups[number % len(self._database_backups)]
        self.stop_coordinator()
        self._database.close()
        for suffix in ("-wal", "-shm"):
            self._home.database_file.with_name(self._home.database_file.name + suffix).unlink(
                missing_ok=True
            )
        shutil.copyfile(backup, self._home.database_file)
        self.start_coordinator()
        self._forget_what_nobody_knows()

    def restore_node(self, council: Council, number: int) -> None:
        """A node's folder is replaced by an old copy."""
        council.restore(number)
        self._forget_what_nobody_knows()

    def _forget_what_nobody_knows(self) -> None:
        with self._database.reading() as session:
            held = session.execute(select(AnswerRow.round_id, AnswerRow.council)).all()
        for council in self.councils:
            there = {row.round_id for row in held if row.council == council.code}
            council.witness.forget_all_but(council.answers_on_record() | there)

    def pass_time(self, seconds: int) -> None:
        """Time goes on, for everybody."""
        self._now = min(self._now + seconds, self._scenery.start + LAST_DAY * DAY)

    def close_due(self) -> None:
        """The coordinator's housekeeping, which the simulation does when it wants to."""
        close_due_rounds(self._database, self.coordinator_clock())

    def open_round(
        self, question: Question, councils: Sequence[str], loss: Rho, seconds: int
    ) -> Round | None:
        """The coordinator opens a round."""
        self._asked += 1
        round_ = ask(self._asked, question, councils, loss, self.coordinator_clock(), seconds)
        open_round(self._database, self._scenery.signing, round_)
        self._rounds.append(round_)
        return round_

    def twist_round(self, malice: Malice, number: int) -> None:
        """The coordinator abuses a round: from now on nodes are offered what it made."""
        if not self._rounds:
            return
        self._asked += 1
        honest = self._rounds[number % len(self._rounds)]
        scenery = self._scenery
        try:
            offered = twist(malice, honest, self._asked, scenery.signing, scenery.stranger)
        except ContractError:
            return  # not every round can be twisted in every way
        for council in self.councils:
            council.wire.extra.append(offered)

    def settle(self) -> None:
        """The faults stop; everything must come to an end, and the nodes must still answer.

        Raises:
            Broken: If not.
        """
        self.start_coordinator()
        self.coordinator_skew = 0
        newest = max(council.newest_entry() for council in self.councils)
        for council in self.councils:
            council.skew = 0
            council.wire.extra.clear()
            council.wire.drop_held()
            council.sign_policy()
        self._now = max(self._now, newest) + 1
        for council in self.councils:
            council.recover()
        last = self.open_round(Question.BANDS_AND_AREAS, COUNCILS, LOSSES[1], DAY)
        assert last is not None
        self._visit_all()
        found = find_round(self._database, last.round_id)
        waited_for = [
            one.council for one in council_responses(self._database, last) if not one.released
        ]
        if waited_for or found.state is not RoundState.COMPLETE:
            self._watch.broken(
                Invariant.LIVENESS,
                f"{', '.join(waited_for)} did not answer a new round after the faults",
            )
        self._now += 100 * DAY
        self._visit_all()
        self.close_due()
        for summary in summaries(self._database):
            if summary.state is RoundState.OPEN:
                text = f"round {summary.round_id} stays open"
                self._watch.broken(Invariant.LIVENESS, text)
        for council in self.councils:
            council.check_rounds_ended()
            council.check_records()

    def _visit_all(self) -> None:
        for council in self.councils:
            problems = [event.text for event in council.visit() if event.is_problem]
            for _ in range(VISITS_TO_SETTLE):
                if not problems:
                    break
                problems = [event.text for event in council.visit() if event.is_problem]
