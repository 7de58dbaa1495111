"""A Folkmoot node, from its encrypted store to the stored release. Loss: rho.

What is timed is what a node does to answer a round: plan it, count its public cells in the
store, judge the round, debit the ledger (durable), draw noise, encode, and store the answer
in the outbox (durable). Opening the store and a new state is in the first time only. The counts are
reconstructed from the answer outside the time, as a coordinator does it.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from peers.task import Histogram, Task, run

_open = ExitStack()
"""Store and state stay open until the process ends."""


def prepare(task: Task, threads: int | None = None) -> Histogram:
    """Opens store and state, and makes the rounds.

    Args:
        task: The task.
        threads: Threads that draw noise; as the node is configured if None.
    """
    from peers.cells import area
    from release import policy

    from folkmoot import answer_codec, round_codec
    from folkmoot.attributes import Attribute
    from folkmoot.privacy import Delta, Rho
    from folkmoot.rounds import Mechanism, Round, round_digest
    from folkmoot.v1 import collection_pb2
    from folkmoot.workload import Marginal, Workload
    from folkmoot_node.evidence.database import StateDatabase, system_clock
    from folkmoot_node.evidence.ledger import Ledger
    from folkmoot_node.evidence.outbox import Answer, AnswerKind, Outbox
    from folkmoot_node.release.admission import AdmissionContext
    from folkmoot_node.release.mechanism import release
    from folkmoot_node.release.office import Office, Question
    from folkmoot_node.release.tabulate import tabulate
    from folkmoot_node.settings.node_toml import load_config
    from folkmoot_node.store.encrypted_file import read_key
    from folkmoot_node.store.reader import open_store

    config = load_config(Path(task.home))
    council = config.council
    store = _open.enter_context(open_store(config.store_path, read_key(config.key_file)))
    path = Path(task.scratch) / f"state-{threads or 'configured'}.sqlite"
    state = _open.enter_context(StateDatabase(path, create=True))
    ledger, outbox, allowed = Ledger(state), Outbox(state), policy()
    areas = tuple(area(cell) for cell in range(task.cells))
    workload = Workload((Attribute("area", by_council={council: areas}),), (Marginal(("area",)),))
    opened = system_clock()

    def question(number: int) -> tuple[Round, bytes]:
        asked = Round(
            round_id=f"{number:032x}",
            title="",
            purpose="bench",
            councils=(council,),
            minimum_councils=1,
            policy_digest=store.run.policy_digest,
            workload=workload,
            loss=Rho.of(task.rho),
            mechanism=Mechanism.DISCRETE_GAUSSIAN,
            delta=Delta.of(task.delta),
            opened_at=opened,
            deadline=opened + 86_400,
        )
        return asked, round_digest(round_codec.encode_round(asked))

    questions = iter([question(number) for number in range(task.runs)])

    def answer() -> Answer:
        asked, digest = next(questions)
        now = system_clock()
        context = AdmissionContext(
            council=council,
            release_policy=allowed,
            risk_policy_digest=store.run.policy_digest,
            risk_policy_sunset=store.run.policy_sunset,
            codes=store.attributes,
            remaining=ledger.balance(allowed.loss, now, apart_from=asked.round_id).remaining,
            now=now,
        )
        stored = release(
            Question(asked, digest, context, bytes(32)),
            Office(ledger, outbox, system_clock),
            lambda: tabulate(store, asked, council),
            threads=threads or config.threads,
        )
        assert stored is not None
        return stored

    def released(stored: Answer) -> dict[int, float]:
        import numpy as np

        from folkmoot_coordinator.aggregation.reconstruct import Reconstruction

        assert stored.kind is AnswerKind.RELEASE
        plan = question(0)[0].plan(council)
        parts = [collection_pb2.SubmitRequest.FromString(frame) for frame in stored.frames]
        header = answer_codec.decode_header(parts[0])
        noisy = np.array(answer_codec.decode_release(header, parts[1:], plan.rows).counts.values)
        return dict(enumerate(Reconstruction(plan, noisy).marginal(("area",)).value.tolist()))

    return Histogram(answer, released)


if __name__ == "__main__":
    run(prepare)
