"""Hypothesis strategies for the contract's types."""

from __future__ import annotations

from array import array
from dataclasses import replace

from hypothesis import strategies as st

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import NO_EPSILON, Delta, Epsilon, Rho
from folkmoot.release import NoisyCounts, Release
from folkmoot.rounds import Mechanism, Round
from folkmoot.series import MAX_SECONDS, Series, SeriesEvent, SeriesRow
from folkmoot.workload import Marginal, Workload

names = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
codes = st.from_regex(r"[A-Za-z0-9_.+<>=-]{1,32}", fullmatch=True)
digests = st.binary(min_size=32, max_size=32)
round_ids = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
councils = st.lists(
    st.from_regex(r"E08[0-9]{6}", fullmatch=True).map(GssCode), min_size=1, max_size=4, unique=True
).map(lambda found: tuple(sorted(found)))


@st.composite
def workloads(draw: st.DrawFn, invited: tuple[GssCode, ...]) -> Workload:
    attributes = []
    for name in draw(st.lists(names, min_size=1, max_size=4, unique=True)):
        if draw(st.booleans()):
            chosen = draw(st.lists(codes, min_size=1, max_size=5, unique=True))
            attributes.append(Attribute(name, tuple(chosen)))
        else:
            areas = {
                council: tuple(f"E{council[3:]}{i:02}" for i in range(draw(st.integers(1, 3))))
                for council in invited
            }
            attributes.append(Attribute(name, (), areas))
    attributes = [replace(attribute, others=draw(st.booleans())) for attribute in attributes]
    if draw(st.booleans()):
        attributes += [_inner(draw, attributes[0], f"{attributes[0].name}_inner")]
    available = [attribute.name for attribute in attributes]
    nested = attributes[-1].within
    queries = draw(
        st.lists(
            st.lists(st.sampled_from(available), max_size=3, unique=True)
            .filter(lambda chosen: not {nested, available[-1]} <= set(chosen))
            .map(tuple),
            min_size=1,
            max_size=4,
            unique_by=frozenset,
        )
    )
    return Workload(
        tuple(attributes),
        tuple(Marginal(query, draw(st.integers(1, 9))) for query in queries),
    )


def _inner(draw: st.DrawFn, outer: Attribute, name: str) -> Attribute:
    """An attribute nested in another, one to three codes in each of its codes."""
    parents: dict[str, str] = {}

    def below(listed: tuple[str, ...], prefix: str) -> tuple[str, ...]:
        made = []
        for at, code in enumerate(listed):
            for number in range(draw(st.integers(1, 3))):
                made.append(f"{prefix}.{at}.{number}")
                parents[made[-1]] = code
        return tuple(made)

    by_council = {council: below(listed, council) for council, listed in outer.by_council.items()}
    listed = below(outer.codes, "c")
    others = outer.others and draw(st.booleans())
    return Attribute(name, listed, by_council, others, outer.name, parents)


@st.composite
def series(draw: st.DrawFn, ends_at: int) -> Series:
    length = draw(st.integers(2, 60))
    chosen = draw(st.lists(codes, min_size=1, max_size=3, unique=True).map(sorted))
    return Series(
        series_id=draw(round_ids),
        position=draw(st.integers(1, length)),
        length=length,
        event=SeriesEvent(draw(names), tuple(chosen)),
        ends_at=ends_at,
    )


@st.composite
def rounds(draw: st.DrawFn) -> Round:
    invited = draw(councils)
    opened = draw(st.integers(1, 2**37))
    workload = draw(workloads(invited))
    loss, epsilon = Rho(draw(st.integers(10**3, 10**12))), NO_EPSILON
    mechanism = Mechanism.DISCRETE_GAUSSIAN
    if draw(st.booleans()) and not any(attribute.within for attribute in workload.attributes):
        mechanism = Mechanism.DISCRETE_LAPLACE
        epsilon = Epsilon(draw(st.integers(10**6, 10**11)))
        loss = epsilon.rho
    deadline = opened + draw(st.integers(1, 2**30))
    in_series = (
        mechanism is Mechanism.DISCRETE_GAUSSIAN
        and deadline + 2**20 < opened + MAX_SECONDS
        and draw(st.booleans())
    )
    return Round(
        round_id=draw(round_ids),
        title=draw(st.text(st.characters(codec="utf-8", categories=("L", "N")), max_size=40)),
        purpose=draw(names),
        councils=invited,
        minimum_councils=draw(st.integers(1, len(invited))),
        policy_digest=draw(digests),
        workload=workload,
        loss=loss,
        mechanism=mechanism,
        epsilon=epsilon,
        delta=Delta(draw(st.integers(1, 10**12 - 1))),
        opened_at=opened,
        deadline=deadline,
        series=draw(series(deadline + draw(st.integers(0, 2**20)))) if in_series else None,
    )


@st.composite
def rows(draw: st.DrawFn) -> SeriesRow:
    step = draw(st.integers(1, 60))
    return SeriesRow(step, draw(st.integers(1, step)))


@st.composite
def releases(draw: st.DrawFn) -> Release:
    values = draw(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=200))
    return Release(
        round_id=draw(round_ids),
        round_digest=draw(digests),
        council=draw(councils)[0],
        mechanism=Mechanism.DISCRETE_GAUSSIAN,
        loss=Rho(draw(st.integers(1, 10**12))),
        ledger_entry=draw(digests),
        counts=NoisyCounts(array("q", values)),
        row=draw(st.none() | rows()),
        as_of=draw(st.none() | st.dates()),
    )


def example() -> Round:
    """A small round."""
    council = GssCode("E08000009")
    return Round(
        round_id="0" * 32,
        title="Example",
        purpose="winter_support",
        councils=(council,),
        minimum_councils=1,
        policy_digest=b"p" * 32,
        workload=Workload((Attribute("band", ("none", "high")),), (Marginal(("band",)),)),
        loss=Rho.of("0.1"),
        mechanism=Mechanism.DISCRETE_GAUSSIAN,
        delta=Delta.of("1e-6"),
        opened_at=1,
        deadline=2,
    )
