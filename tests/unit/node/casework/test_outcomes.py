"""Outcomes: figures against computations by hand and by SciPy, small numbers, and no workers."""

from __future__ import annotations

import csv
import dataclasses
import random
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import CensoredData, binomtest, ecdf
from sqlalchemy import event, update

from folkmoot_node.casework.authority.command_line import REFUSED
from folkmoot_node.casework.cases.models import AssessmentRow, CaseRow, ContactRow
from folkmoot_node.casework.cases.record import CaseRecord
from folkmoot_node.casework.cases.words import Channel, ContactOutcome, View
from folkmoot_node.casework.desk import Desk, desk_of_app
from folkmoot_node.casework.outcomes.door import outcomes_path, write_for_scoring
from folkmoot_node.casework.outcomes.facts import CaseFact, Contested, DecisionFact, LookFact
from folkmoot_node.casework.outcomes.figures import Figures, figures
from folkmoot_node.casework.outcomes.intervals import share, waiting_quantiles
from folkmoot_node.casework.outcomes.measuring import measured
from folkmoot_operator.problems import ExitCode
from tests.casework_cases import MANAGER, OTHER, WORKER, open_case, worker
from tests.casework_council import SUNSET, CaseworkCouncil
from tests.casework_opening import change_policy
from tests.commands import run_inside
from tests.web_site import Browser, RunningSite

NOBODY = Contested(frozenset(), frozenset())


def fact(at: int, *, flagged: bool = True, need: bool | None = None, **values: object) -> CaseFact:
    base = CaseFact(f"h{at}", flagged, "high", {"arrears": "Arrears"}, 0, None, None, need)
    return dataclasses.replace(base, **values)  # type: ignore[arg-type]


def of(
    cases: Sequence[CaseFact],
    looks: Sequence[LookFact] = (),
    decisions: Sequence[DecisionFact] = (),
    contested: Contested = NOBODY,
) -> Figures:
    return figures(
        cases, looks, decisions, contested,
        bands=("none", "low", "high"), groups={}, quick_seconds=30, now=86_400 * 100,
    )  # fmt: skip


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (10, 10), (1, 13), (50, 99), (7, 12)])
def test_intervals_are_those_of_wilson(hits: int, n: int) -> None:
    found = share(hits, n)
    assert found is not None
    expected = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_waits_are_those_of_kaplan_and_meier() -> None:
    numbers = random.Random(7)
    for _ in range(50):
        waits = [(float(numbers.randint(0, 9)), numbers.random() < 0.6) for _ in range(20)]
        waits.append((3.0, True))
        data = CensoredData(
            uncensored=[time for time, had in waits if had],
            right=[time for time, had in waits if not had],
        )
        curve = ecdf(data).cdf
        for wanted, found in zip((0.25, 0.5, 0.75), waiting_quantiles(waits, (0.25, 0.5, 0.75)),
                                 strict=True):  # fmt: skip
            reached = np.flatnonzero(curve.probabilities >= wanted - 1e-12)
            expected = curve.quantiles[reached[0]] if reached.size else None
            assert found == expected


def test_who_still_waits_makes_waits_longer_and_not_shorter() -> None:
    contacted = [(1.0, True)] * 10
    assert waiting_quantiles(contacted, [0.5]) == [1.0]
    assert waiting_quantiles([*contacted, *[(5.0, False)] * 30], [0.5]) == [None]


def test_hits_and_both_kinds_of_misses() -> None:
    cases = [
        *(fact(at, need=at < 12) for at in range(20)),
        *(fact(100 + at, flagged=False, need=at < 3) for at in range(15)),
        *(fact(200 + at) for at in range(4)),
    ]
    found = of(cases)
    assert (found.cases, found.flagged, found.assessed) == (39, 24, 35)
    assert found.hits is not None
    assert found.false_flags is not None
    assert found.missed is not None
    assert (found.hits.hits, found.hits.of) == (12, 20)
    assert (found.false_flags.hits, found.false_flags.of) == (8, 20)
    assert (found.missed.hits, found.missed.of) == (3, 15)


def test_small_numbers_are_not_shown_and_cannot_be_computed_from_the_rest() -> None:
    cases = [
        *(fact(at, need=True) for at in range(30)),
        *(fact(50 + at, need=False, band="low", factors={}) for at in range(4)),
        *(fact(60 + at, flagged=False, need=True) for at in range(9)),
    ]
    found = of(cases, [LookFact(View.LIKELY, True)] * 9, [DecisionFact(1, True, False)] * 9)
    assert found.missed is None
    assert found.looks is None
    assert found.decisions is None
    [bands] = found.tables
    assert [(row.title, row.found and row.found.of) for row in bands.rows] == [
        ("low, high together", 34)
    ]
    # All but four have the factor, so its row and the total would tell about the four. Its name
    # alone would tell that somebody has it.
    assert "By factor" not in [table.title for table in found.tables]
    assert of(cases[:9]).hits is None
    assert of(cases[:9]).tables == ()
    assert of([fact(at) for at in range(9)]).waits is None


def test_decisions_that_only_confirm_are_named() -> None:
    quick = [DecisionFact(5, True, True)] * 12
    found = of([], decisions=quick).decisions
    assert found is not None
    assert found.never_differ
    assert found.quick is not None
    assert found.quick.share == 1
    mixed = [*quick, DecisionFact(None, False, False)]
    other = of([], decisions=mixed).decisions
    assert other is not None
    assert not other.never_differ
    assert other.unseen is not None
    assert other.unseen.hits == 1


def test_looks_disagree_in_two_ways() -> None:
    looks = [
        *[LookFact(View.LIKELY, True)] * 6, *[LookFact(View.LIKELY, False)] * 2,
        *[LookFact(View.UNLIKELY, True)] * 3, *[LookFact(View.UNLIKELY, False)] * 4,
        *[LookFact(View.CANNOT_SAY, True)] * 5, LookFact(View.LIKELY, None),
    ]  # fmt: skip
    found = of([], looks).looks
    assert found is not None
    assert found.disagree is not None
    assert (found.likely_low, found.unlikely_high, found.disagree.of) == (2, 3, 15)


def worked(council: CaseworkCouncil, desk: Desk) -> list[str]:
    """Thirty cases that several people have worked on; their ids."""
    record, ids = CaseRecord(desk.state), []
    for at in range(30):
        case_id = open_case(council, desk, at, flagged_days_ago=10, cohort=at % 3 != 0)
        by = worker((WORKER, OTHER, MANAGER)[at % 3])
        with desk.state.database.writing() as session:
            if at % 4:
                record.add_contact(
                    session, case_id, by, happened_at=desk.clock() - at * 3600,
                    channel=Channel.TELEPHONE, outcome=ContactOutcome.REACHED, text="",
                )  # fmt: skip
            record.assess(session, case_id, by, ["Food"] if at % 2 else [], "")
        ids.append(case_id)
    return ids


def test_no_query_reads_who_worked_and_no_figure_changes_with_it(council: CaseworkCouncil) -> None:
    desk = council.desk()
    worked(council, desk)
    asked: list[str] = []

    def executing(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    engine = desk.state.database._engine
    event.listen(engine, "before_cursor_execute", executing)
    before, _ = measured(desk)
    event.remove(engine, "before_cursor_execute", executing)
    assert before.hits is not None
    assert any("casework_contacts" in one for one in asked)
    columns = {part.strip('", ').partition(".")[2] for one in asked for part in one.split()}
    assert not columns & {"worker", "by", '"by"', "account", "removed_by", "done_by", "decided_by"}
    with desk.state.database.writing() as session:
        session.execute(update(CaseRow).values(worker=OTHER, opened_by=OTHER))
        for table in (AssessmentRow, ContactRow):
            session.execute(update(table).values(by=OTHER))
    assert measured(desk)[0] == before
    shown = str(before)
    assert not any(name in shown for name in (WORKER, OTHER, MANAGER))


def test_outcomes_go_back_by_household_and_day_and_nothing_else(council: CaseworkCouncil) -> None:
    desk = council.desk()
    ids = worked(council, desk)
    record, by = CaseRecord(desk.state), worker(WORKER)
    council.clock.now += 86_400
    with desk.state.database.writing() as session:
        record.assess(session, ids[0], by, ["Food"], "")  # on the next day, otherwise than before
        mistake = record.assess(session, ids[1], by, [], "")
        record.remove(session, "assessment", ids[1], mistake, by)
    path = outcomes_path(council.config)
    assert write_for_scoring(desk.state, path, "tester") == 30
    with path.open() as file:
        rows = {int(row["uprn"]): row for row in csv.DictReader(file)}
    assert list(rows[council.uprn(0)]) == ["uprn", "need_found", "decided_on"]
    assert rows[council.uprn(0)]["need_found"] == "yes"
    assert rows[council.uprn(0)]["decided_on"] == "2027-01-16"
    assert rows[council.uprn(1)]["need_found"] == "yes"
    assert rows[council.uprn(2)]["need_found"] == "no"
    assert path.stat().st_mode & 0o777 == 0o600
    (entry,) = desk.state.audit.entries(("outcomes written for scoring",))
    assert entry.body["rows"] == 30
    assert str(council.uprn(0)) not in str(entry.body)


def test_the_page_shows_figures_with_their_rule_to_who_may_measure(
    council: CaseworkCouncil, site: RunningSite
) -> None:
    desk = desk_of_app(site.app)
    with Browser(site, follow_redirects=True) as one:
        one.sign_in(MANAGER)
        empty = one.get("/outcomes").text
        assert "no cases" in empty
        assert "not shown" in empty
        worked(council, desk)
        shown = one.get("/outcomes").text
        assert "50%" in shown
        assert "95% interval" in shown
        assert "Figures about fewer than 10" in shown
        assert "names no protected characteristic to audit" in shown
        policy = council.home / "risk-policy.toml"
        audit = '\n[[equality]]\nfield = "oldest_age"\nbreaks = [40, 70]\n'
        policy.write_text(policy.read_text() + audit)
        council.score()
        by_group, _ = measured(desk)
        (ages,) = (one for one in by_group.tables if one.title.startswith("By age"))
        assert sum(row.found.of for row in ages.rows if row.found) == 20
        assert all(row.found.of >= 10 for row in ages.rows if row.found)
        assert "By age" in one.get("/outcomes").text
        done = one.fill_in("/outcomes/write", "/outcomes")
        assert "The file is written. Rows: 30" in done.text
    with Browser(site) as other:
        other.sign_in(WORKER)
        assert other.get("/outcomes").status_code == 403


def test_the_command_writes_the_file_and_says_what_reads_it(council: CaseworkCouncil) -> None:
    desk = council.desk()
    case_id = open_case(council, desk, 0)
    with desk.state.database.writing() as session:
        CaseRecord(desk.state).assess(session, case_id, worker(WORKER), ["Food"], "")
    said = run_inside("folkmoot-node", "casework", "outcomes", "--home", council.home).said()
    assert "Rows: 1" in said
    assert 'name = "casework_outcomes"' in said
    assert "[attributes.need_found]" in said
    assert (council.home / "mappings" / "casework_outcomes.toml").exists()
    assert str(council.uprn(0)) in outcomes_path(council.config).read_text()
    assert str(council.uprn(0)) not in said
    (entry,) = desk.state.audit.entries(("outcomes written for scoring",))
    assert entry.body["by"].startswith("command of ")


def test_the_command_obeys_the_policy(council: CaseworkCouncil) -> None:
    change_policy(
        council, ('# node_account = ["protection_officer"]', 'node_account = ["caseworker"]')
    )
    done = run_inside("folkmoot-node", "casework", "outcomes", "--home", council.home)
    assert done.code == ExitCode.REFUSED
    assert not outcomes_path(council.config).exists()
    (entry,) = council.desk().state.audit.entries((REFUSED,))
    assert entry.body["right"] == "export"


def test_the_command_ends_with_the_policy(council: CaseworkCouncil) -> None:
    change_policy(council, (str(SUNSET), "2026-01-01"))
    done = run_inside("folkmoot-node", "casework", "outcomes", "--home", council.home)
    assert done.code == ExitCode.REFUSED
    assert "the casework policy ended on 2026-01-01" in done.stderr
    assert not outcomes_path(council.config).exists()
