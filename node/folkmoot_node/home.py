"""A node's home folder, opened: settings, state, keys and policies in one place.

Every command opens a home, and few use all of it. What brings a large library with it (gRPC,
cryptography, DuckDB, NumPy) is therefore imported by the method that needs it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from folkmoot_node.evidence.database import Clock, StateDatabase, system_clock
from folkmoot_node.evidence.egress_log import EgressLog
from folkmoot_node.evidence.ledger import Balance, Ledger
from folkmoot_node.evidence.lost_answers import LostAnswers
from folkmoot_node.evidence.outbox import Outbox
from folkmoot_node.evidence.pauses import paused
from folkmoot_node.evidence.round_cache import RoundCache
from folkmoot_node.evidence.scoring_runs import ACTIONS, StoppedRun, waits_for
from folkmoot_node.policies.release_policy import SignedReleasePolicy, load_signed
from folkmoot_node.policies.trusted_signer import TrustedSigner, trusted_signer
from folkmoot_node.release.steps import Observer, ignore
from folkmoot_node.settings.node_toml import NodeConfig, load_config
from folkmoot_node.settings.region import CoordinatorSettings
from folkmoot_operator.hash_chain import HashChain
from folkmoot_operator.moments import day
from folkmoot_operator.pauses import Pause
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from folkmoot.rounds import Round
    from folkmoot_node.evidence.round_book import RoundBook
    from folkmoot_node.evidence.verification import Verified
    from folkmoot_node.federation.client import CoordinatorClient, Renewal
    from folkmoot_node.federation.identity import Identity, KeyFiles
    from folkmoot_node.federation.renewal import Membership
    from folkmoot_node.policies.risk_policy import RiskPolicy
    from folkmoot_node.release.admission import AdmissionContext
    from folkmoot_node.release.office import Office
    from folkmoot_node.release.series import SeriesProgress
    from folkmoot_node.store.event_history import EventHistory
    from folkmoot_node.store.reader import HouseholdStore

SERVE_LOCK = "serve.lock"
"""File of a home that is locked while `serve` runs."""


def not_asked(node: NodeHome, _scored_by: bytes) -> None:
    """What permits releases where nobody said what does: nothing, if an approval is required.

    Raises:
        Problem: Exit code FAULT, if `node.toml` requires an approved dossier.
    """
    if node.config.scrutiny.require_approved:
        raise Problem(
            "this program does not compare the node with its approved dossier, and so it answers "
            "no round",
            where="node.toml: scrutiny.require_approved",
            remedy="Answer with `folkmoot-node serve` or `folkmoot-node release`",
            exit_code=ExitCode.FAULT,
        )


@dataclass(frozen=True)
class NodeHome:
    """An open node. Belongs to one thread; use `open_home`.

    Attributes:
        config: The settings.
        state: The state file.
        clock: Gives the time.
        observe: Told after each step of answering a round.
        folder: The folder as it was named; that of the settings if None, without links.
        permit: Asked before each release, with the digest of the risk policy by which the scores
            were made; raises a Problem if the node is not as it was approved.
    """

    config: NodeConfig
    state: StateDatabase
    clock: Clock = system_clock
    observe: Observer = ignore
    folder: Path | None = None
    permit: Callable[[NodeHome, bytes], None] = not_asked

    @property
    def named(self) -> Path:
        """The folder as it was named, which may be a link to where it is."""
        return self.folder or self.config.home

    @cached_property
    def ledger(self) -> Ledger:
        """The privacy ledger."""
        return Ledger(self.state)

    @cached_property
    def outbox(self) -> Outbox:
        """The answers."""
        return Outbox(self.state)

    @cached_property
    def office(self) -> Office:
        """Where answers are paid for and kept."""
        from folkmoot_node.release.office import Office

        return Office(self.ledger, self.outbox, self.clock, self.observe)

    @cached_property
    def lost_answers(self) -> LostAnswers:
        """The answers that have left and are not in these files."""
        return LostAnswers(self.state, self.ledger)

    @cached_property
    def egress(self) -> EgressLog:
        """The log of what left."""
        return EgressLog(self.state, self.clock)

    @cached_property
    def audit(self) -> HashChain:
        """The log of what people did at this node."""
        return self.state.chain("audit")

    def stopped_run(self) -> StoppedRun | None:
        """The scoring run for which rounds wait; None if they do not. It may be going on."""
        return waits_for(self.audit.entries(ACTIONS))

    def pause(self) -> Pause | None:
        """Whether people have stopped this node, since when and why; None if they have not."""
        return paused(self)

    def today(self) -> datetime.date:
        """The date in UTC."""
        return day(self.clock())

    @property
    def keys(self) -> KeyFiles:
        """The files of keys and certificates."""
        from folkmoot_node.federation.identity import KeyFiles

        return KeyFiles.of(self.config.home)

    def identity(self) -> Identity:
        """The node's certificate and whom it trusts, read from their files."""
        from folkmoot_node.federation.identity import load_identity

        return load_identity(self.keys)

    def round_book(self) -> RoundBook:
        """The rounds this node has heard of."""
        from folkmoot_node.evidence.round_book import RoundBook

        return RoundBook(self.state, self.identity().signing_key, self._round_cache)

    @cached_property
    def _round_cache(self) -> RoundCache:
        return RoundCache()

    def release_policy(self) -> SignedReleasePolicy:
        """The signed release policy, read and checked again."""
        trusted = self.trusted_signer()
        signed = load_signed(self.config.release_policy, trusted.key, str(trusted))
        if signed.policy.council != self.config.council:
            raise Problem(
                f"the release policy belongs to {signed.policy.council}, this node is "
                f"{self.config.council}",
                where=str(self.config.release_policy),
                remedy="Use this council's policy",
                exit_code=ExitCode.SETTINGS,
            )
        return signed

    def trusted_signer(self) -> TrustedSigner:
        """Whose signature of the release policy counts, read again."""
        return trusted_signer(self.named, self.keys.policy_public_key)

    def risk_policy(self) -> RiskPolicy:
        """The risk stratification policy, read from its file."""
        from folkmoot_node.policies.risk_policy import load_policy

        return load_policy(self.config.risk_policy)

    def balance(self) -> Balance:
        """What is spent and left, in the current accounting period and for all time."""
        return self.ledger.balance(self.release_policy().policy.loss, self.clock())

    def verify_evidence(self, *, thorough: bool = True) -> Verified:
        """Checks logs, answers, rounds and receipts, and that they agree with each other.

        Args:
            thorough: Whether rounds are decoded too.

        Raises:
            Problem: Exit code VERIFICATION, naming each place that does not hold.
        """
        from folkmoot_node.evidence.verification import Verification
        from folkmoot_node.federation.identity import load_coordinator_key

        key = load_coordinator_key(self.keys)
        try:
            return Verification(self.state, self.config.council, key).run(thorough=thorough)
        except Problem:
            raise
        except Exception as error:  # a row that no program of ours has written
            raise self.state.damaged(f"it cannot be read: {type(error).__name__}") from error

    def coordinator(self) -> CoordinatorSettings:
        """Where the coordinator is; Problem if the node is not enrolled."""
        if self.config.coordinator is None:
            raise Problem(
                "names no coordinator",
                where=str(self.config.home / "node.toml"),
                remedy="Ask the region for an invitation and run `folkmoot-node enrol FILE`",
                exit_code=ExitCode.SETTINGS,
            )
        return self.config.coordinator

    def connect(self) -> CoordinatorClient:
        """A connection to the coordinator with mutual TLS.

        If the certificate is due for renewal, it is renewed before; the client's `renewal` says
        what became of that.

        Raises:
            Problem: If the node is not enrolled, or its certificate has expired.
        """
        from folkmoot_node.federation.identity import load_valid_identity

        membership = self._membership()
        identity = load_valid_identity(self.keys, self.clock())
        identity, renewal = membership.renew_when_due(identity, self.clock())
        client = membership.connect(identity)
        client.renewal = renewal
        return client

    def keep_certificate(self) -> Renewal | None:
        """Renews the node's certificate if that is due, and does nothing else over the wire.

        Returns:
            What became of it; None if it was not due.

        Raises:
            Problem: As `connect`.
        """
        from folkmoot_node.federation.identity import load_valid_identity

        identity = load_valid_identity(self.keys, self.clock())
        return self._membership().renew_when_due(identity, self.clock())[1]

    def renew_certificate(self) -> Identity:
        """Exchanges the node's certificate for a new one now, due or not.

        Raises:
            Problem: If the node is not enrolled, its certificate has expired, or the
                coordinator cannot be reached or does not renew it.
        """
        from folkmoot_node.federation.identity import load_valid_identity

        return self._membership().renew(load_valid_identity(self.keys, self.clock()))

    def _membership(self) -> Membership:
        from folkmoot_node.federation.renewal import Membership

        return Membership(self.config.council, self.coordinator(), self.egress)

    @contextmanager
    def open_store(self) -> Iterator[HouseholdStore]:
        """The last good scores, whether or not they may be used; Problem if there are none.

        Households whose objection was upheld since the run are left out of counts too.
        """
        from folkmoot_node.store.use import open_scores

        with open_scores(self.config, self.today()) as store:
            store.withhold(self._withheld())
            yield store

    @contextmanager
    def open_store_for_use(self, *, subject_access: bool = False) -> Iterator[HouseholdStore]:
        """The last good scores, for the council's own use; see `store.use.open_for_use`.

        Raises:
            Problem: If there are none, or they may not be used any more.
        """
        from folkmoot_node.store.use import open_for_use

        with open_for_use(self.config, self.today(), subject_access=subject_access) as store:
            store.withhold(self._withheld())
            yield store

    @contextmanager
    def open_store_for_round(self, round_: Round) -> Iterator[HouseholdStore]:
        """What a round is counted from: the last good scores, or, if it names an outcome,
        the households as they were known on a past date; whether or not they may be used.

        A series is counted from the scores, month by month: they have no outcomes.

        Raises:
            Problem: Exit code DATA, if there is nothing to count.
        """
        from folkmoot_node.store.use import open_snapshot

        if not self.counts_then(round_):
            with self.open_store() as store:
                yield store
            return
        with open_snapshot(self.config) as snapshot:
            snapshot.withhold(self._withheld())
            yield snapshot

    def counts_then(self, round_: Round) -> bool:
        """Whether a round asks what happened after a past date, by the policy of `node.toml`."""
        if round_.series is not None:
            return False
        asked = {attribute.name for attribute in round_.workload.attributes}
        return not asked.isdisjoint(self.risk_policy().outcomes)

    def _withheld(self) -> set[int]:
        """Who is withheld today, by UPRN."""
        from folkmoot_node.corrections.sealed_file import decisions_of

        return decisions_of(self.config).in_force(self.today()).withheld

    def admission_context(
        self, store: HouseholdStore, policy: SignedReleasePolicy, round_: Round
    ) -> AdmissionContext:
        """What is needed to judge a round now; its own debit, if any, is not held against it."""
        from folkmoot_node.release.admission import AdmissionContext

        run, risk_policy = store.run, self.risk_policy()
        now = self.clock()
        loss = policy.policy.loss
        return AdmissionContext(
            council=self.config.council,
            release_policy=policy.policy,
            risk_policy_digest=run.policy_digest,
            risk_policy_sunset=min(run.last_day, risk_policy.sunset),
            codes=store.attributes,
            remaining=self.ledger.balance(loss, now, apart_from=round_.round_id).remaining,
            now=now,
            series=self.series_progress(policy, round_, now),
            risk_policy_text=run.policy_text,
            outcomes=risk_policy.outcomes,
        )

    def series_progress(
        self, policy: SignedReleasePolicy, round_: Round, now: int
    ) -> SeriesProgress | None:
        """Where the node stands in the series of a round; None if it is in none."""
        from folkmoot_node.release.series import series_progress

        if round_.series is None:
            return None
        rounds, loss = self.round_book().rounds(), policy.policy.loss
        return series_progress(round_, rounds, self.ledger, self.outbox, loss, now)

    @contextmanager
    def open_history(self, round_: Round) -> Iterator[EventHistory]:
        """The households that the series of a round has counted, for this process alone."""
        from folkmoot.round_codec import series_digest
        from folkmoot_node.store.encrypted_file import read_key
        from folkmoot_node.store.event_history import open_history

        assert round_.series is not None
        with open_history(
            self.config.history_path(round_.series.series_id),
            read_key(self.config.key_file, self.config.readers),
            series_digest(round_),
            len(round_.workload.axes(self.config.council)),
            threads=self.config.threads,
        ) as history:
            yield history


@contextmanager
def open_home(
    folder: Path,
    *,
    clock: Clock = system_clock,
    observe: Observer = ignore,
    permit: Callable[[NodeHome, bytes], None] = not_asked,
) -> Iterator[NodeHome]:
    """Opens a node's home folder; see `NodeHome` for its arguments.

    Raises:
        Problem: If it is not one, or its settings are wrong.
    """
    config = load_config(folder)
    with StateDatabase(config.state_path) as state:
        home = NodeHome(config, state, clock, observe, folder, permit)
        try:
            yield home
        except Exception as error:
            if not hasattr(error, "exit_code"):
                home.verify_evidence(thorough=False)  # what looks like a fault may be a damaged row
            raise
