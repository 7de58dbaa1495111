"""Subject access: everything, with what may name others kept back until somebody let it through."""

from __future__ import annotations

import datetime
import io
import json
import stat
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import inspect
from sqlalchemy.orm import DeclarativeBase

from folkmoot_node.casework.authority import models as authority
from folkmoot_node.casework.cases import models as cases
from folkmoot_node.casework.cohorts import models as cohorts
from folkmoot_node.casework.cohorts.deciding import decide, look_at
from folkmoot_node.casework.cohorts.definition import Definition
from folkmoot_node.casework.cohorts.runs import get_run, run_cohort
from folkmoot_node.casework.desk import TABLES, Desk
from folkmoot_node.casework.holders import COVERED, RECORDS
from folkmoot_node.casework.holdings import reference
from folkmoot_node.casework.opening import models as opening
from folkmoot_node.casework.opening.openings import REFUSED as NOT_OPENED
from folkmoot_node.casework.origin import models as origin
from folkmoot_node.casework.referrals import models as referrals
from folkmoot_node.casework.rights import models as rights
from folkmoot_node.casework.rights.access_folder import DATA, PAGE, REDACTED, access_folder
from folkmoot_node.casework.rights.comparison import disputable
from folkmoot_node.casework.rights.dossier import gather
from folkmoot_node.casework.rights.kinds import Effect, RequestKind
from folkmoot_node.casework.rights.objections import Objections, Upholding
from folkmoot_node.casework.rights.requests import FOUND, Requests
from folkmoot_node.store.encrypted_file import attach, read_key
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_operator.problems import Problem
from folkmoot_web.errors import WebProblem
from tests.casework_council import SENSITIVE, CaseworkCouncil
from tests.casework_rights import OFFICER, flag, object_to, opened

SECRET = "Her sister Ann at number 4 told us"


def test_everything_is_in_the_folder(council: CaseworkCouncil, desk: Desk) -> None:
    case_id = flag(council, desk, 0, why=SECRET)
    object_to(council, desk, case_id)
    shown = opened(council, desk, case_id)
    dossier = gather(desk, shown, RECORDS)
    assert [room.name for room in dossier.rooms] == ["scores", "cases", "rights", "openings", "log"]
    made = access_folder(dossier, ())
    data = json.loads(made.files[DATA])
    text = json.dumps(data)
    for expected in (str(council.uprn(0)), "2600", "Revenues", "winter_support", "caseworker@"):
        assert expected in text
    assert SECRET not in text
    assert "We paid this in March" not in text
    assert REDACTED in text
    assert made.shown == 0
    assert made.redacted == len(list(dossier.to_review()))
    every = {ref for ref, *_ in dossier.to_review()}
    whole = access_folder(dossier, every)
    assert SECRET.encode() in whole.files[PAGE]
    assert (whole.shown, whole.redacted) == (len(every), 0)


def test_what_is_kept_for_rounds_about_a_past_date_is_held_too(
    council: CaseworkCouncil, desk: Desk
) -> None:
    """Also without scores. A band tells of every source, so that it waits for the review."""
    config = council.config
    shown = opened(council, desk, flag(council, desk, 0))
    # Of the same layout as the scores, but of a past date: see evaluation/for_rounds.
    config.store_path.rename(config.snapshot_path)
    key = read_key(config.key_file, config.readers)
    with attach(config.snapshot_path, key, read_only=False, threads=1) as store:
        [(text,)] = store.execute("SELECT document FROM store.run").fetchall()
        run = RunSummary.model_validate_json(text)
        past = run.model_copy(update={"known_on": run.reference_date})
        store.execute("UPDATE store.run SET document = ?", [past.model_dump_json()])
    dossier = gather(desk, shown, RECORDS)
    [room] = [one for one in dossier.rooms if one.name == "for_rounds"]
    facts = {fact.label: fact for fact in room.items[0].facts}
    assert facts["Band"].value == "high"
    assert facts["Band"].may_name_others
    assert facts["Lsoa"].value.startswith("E01")
    assert not facts["Lsoa"].may_name_others
    assert "Kept until at the latest" in facts
    assert room.title in access_folder(dossier, ()).files[PAGE].decode()


def test_what_rests_on_a_sensitive_source_is_kept_back_until_reviewed(
    council: CaseworkCouncil, desk: Desk
) -> None:
    """Who asks may be the risk that the source is about."""
    dossier = gather(desk, opened(council, desk, flag(council, desk, 8)), RECORDS)
    labels = {fact.label for _, _, _, fact in dossier.to_review()}
    assert "Information: children services" in labels
    assert {"Score", "Group"} <= labels, "the sum tells it"
    assert "Information: council tax arrears" not in labels
    references = {ref for ref, *_ in dossier.to_review()}
    [value] = [
        fact.value
        for _, _, _, fact in dossier.to_review()
        if fact.label == "Information: children services"
    ]
    assert value not in access_folder(dossier, ()).files[DATA].decode()
    assert value in access_folder(dossier, references).files[DATA].decode()


@pytest.mark.parametrize(
    ("field", "waits"), [("children_services", True), ("council_tax_arrears", False)]
)
def test_a_decision_on_a_sensitive_source_waits_for_the_review(
    field: str, waits: bool, council: CaseworkCouncil
) -> None:
    """Who is on a list meets its conditions, so its title and their words tell of the household."""
    policy = council.home / "casework-policy.toml"
    named = f'[roles.manager]\nsources = ["{SENSITIVE}"]\n'
    policy.write_text(policy.read_text().replace("[roles.manager]\n", named))
    council.sign()
    desk = council.desk()
    manager = council.visitor(desk, "manager")
    condition = {"is": True} if waits else {"above": 1000}
    wanted = Definition.model_validate(
        {
            "title": "List of a name",
            "purpose": "Early help",
            "owner": "Head of Early Help",
            "lawful_basis": "UK GDPR article 6(1)(e)",
            "ends": datetime.date(2028, 3, 31),
            "conditions": [{"field": field, **condition}],
        }
    )
    run_id = run_cohort(desk.cohorts, desk.cohorts.save(wanted, manager), manager)
    case_id = flag(council, desk, 8)
    household = desk.cases.get(case_id).household
    with desk.state.database.reading() as session:
        run = get_run(session, run_id)
    [asked] = run.asked
    look_at(desk.cohorts, run, household, manager)
    decide(
        desk.cohorts, desk.cases, run_id, [household], opens_case=False, why="Not now",
        by=manager, in_bulk=False, assess=lambda uprns: {},
    )  # fmt: skip
    dossier = gather(desk, opened(council, desk, case_id), RECORDS)
    page = access_folder(dossier, ()).files[PAGE].decode()
    assert "to open no case" in page
    for text in ("List of a name", "Early help", asked.text[1:]):
        assert (text not in page) is waits, text
    let_through = access_folder(dossier, {ref for ref, *_ in dossier.to_review()})
    assert let_through.files[PAGE].decode().count(asked.text[1:]) == 2, "on the list, and decided"


@pytest.mark.parametrize(
    ("field", "waits"), [("children_services", True), ("council_tax_arrears", False)]
)
def test_what_an_objection_to_a_sensitive_source_changes_waits_for_the_review(
    field: str, waits: bool, council: CaseworkCouncil, desk: Desk
) -> None:
    """One person of the household can object, and another one ask for the folder."""
    case_id = flag(council, desk, 8)
    made = object_to(council, desk, case_id, field)
    shown, officer = opened(council, desk, case_id), council.visitor(desk, OFFICER)
    what = Upholding(Effect.SUPPRESS, False, "You are right", None, {})
    Objections(desk).uphold(shown, made, 1, what, officer, disputable(desk))
    council.score()
    dossier = gather(desk, shown, RECORDS)
    reviewed = {(fact.label, fact.value) for _, _, _, fact in dossier.to_review()}
    for label in ("About", "Not used"):
        assert ((label, field) in reviewed) is waits, label
    information = f"Information: {field.replace('_', ' ')}"
    assert (information in {label for label, _ in reviewed}) is waits, "suppressed, and still told"
    assert (field in access_folder(dossier, ()).files[PAGE].decode()) is not waits


def test_one_text_is_let_through_and_the_others_are_not(
    council: CaseworkCouncil, desk: Desk
) -> None:
    case_id = flag(council, desk, 0, why=SECRET)
    object_to(council, desk, case_id)
    dossier = gather(desk, opened(council, desk, case_id), RECORDS)
    wanted = {ref for ref, _, _, fact in dossier.to_review() if fact.value.startswith("We paid")}
    page = access_folder(dossier, wanted).files[PAGE].decode()
    assert "We paid this in March" in page
    assert SECRET not in page


def test_a_text_that_changed_after_the_review_is_kept_back(
    council: CaseworkCouncil, desk: Desk
) -> None:
    case_id = flag(council, desk, 0, why="Written before the review")
    shown = opened(council, desk, case_id)
    reviewed = {ref for ref, *_ in gather(desk, shown, RECORDS).to_review()}
    with desk.state.database.writing() as session:
        cases = next(one for one in RECORDS if one.room == "cases")
        assert cases.rectify(session, shown.household, case_id, "why", SECRET)
    page = access_folder(gather(desk, shown, RECORDS), reviewed).files[PAGE].decode()
    assert SECRET not in page


def test_the_page_needs_no_network_and_no_script(council: CaseworkCouncil, desk: Desk) -> None:
    shown = opened(council, desk, flag(council, desk, 0))
    page = access_folder(gather(desk, shown, RECORDS), ()).files[PAGE].decode()
    for foreign in ("http://", "https://", "<script", "src=", "<link"):
        assert foreign not in page


def test_values_are_text_and_never_markup(council: CaseworkCouncil, desk: Desk) -> None:
    shown = opened(council, desk, flag(council, desk, 0, why="<script>alert(1)</script>"))
    dossier = gather(desk, shown, RECORDS)
    every = {ref for ref, *_ in dossier.to_review()}
    assert b"<script>" not in access_folder(dossier, every).files[PAGE]


def test_files_are_private_and_nothing_is_overwritten(
    council: CaseworkCouncil, desk: Desk, tmp_path: Path
) -> None:
    shown = opened(council, desk, flag(council, desk, 0))
    made = access_folder(gather(desk, shown, RECORDS), ())
    folder = tmp_path / "answer"
    made.write(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}
    with pytest.raises(Problem, match="such a folder"):
        made.write(folder)
    with zipfile.ZipFile(io.BytesIO(made.zipped("answer"))) as archive:
        assert sorted(archive.namelist()) == [f"answer/{DATA}", f"answer/{PAGE}"]


def test_who_may_not_see_a_source_cannot_answer(council: CaseworkCouncil, desk: Desk) -> None:
    case_id = flag(council, desk, 8)
    with pytest.raises(WebProblem) as refused:
        gather(desk, opened(council, desk, case_id, "caseworker"), RECORDS)
    assert refused.value.status == 403


def test_a_household_without_a_case_gets_one_for_the_request(
    council: CaseworkCouncil, desk: Desk
) -> None:
    requests, officer = Requests(desk), council.visitor(desk, OFFICER)
    case_id = requests.case_for(council.uprn(20), "A resident's access", officer)
    assert case_id is not None
    assert requests.case_for(council.uprn(20), "Again", officer) == case_id
    assert len(list(desk.state.audit.entries((FOUND,)))) == 1
    assert requests.case_for(99_999_999_999, "Nobody", officer) is None
    made = requests.record(
        case_id,
        kind=RequestKind.ACCESS,
        asked_by="The tenant, with a passport",
        received_on=desk.today(),
        by=officer,
    )
    requests.answer(made, 1, officer)
    assert desk.cases.get(case_id).state == "closed"


def test_a_second_request_uses_the_open_case_of_the_first(
    council: CaseworkCouncil, desk: Desk
) -> None:
    """Beside a case in which the household is helped, and until both are answered."""
    helped = flag(council, desk, 0)
    requests, officer = Requests(desk), council.visitor(desk, OFFICER)
    made = []
    for kind in (RequestKind.ACCESS, RequestKind.ERASURE):
        case_id = requests.case_for(council.uprn(0), f"A resident's {kind}", officer)
        assert case_id is not None
        made.append(
            requests.record(
                case_id, kind=kind, asked_by="The tenant", received_on=desk.today(), by=officer
            )
        )
    [answering] = {requests.get(one).case_id for one in made}
    assert answering != helped
    assert len(desk.cases.listed()) == 2
    requests.answer(made[0], 1, officer)
    assert desk.cases.get(answering).state != "closed", "the other request waits"
    requests.answer(made[1], 1, officer, refused=True)
    assert desk.cases.get(answering).state == "closed"
    assert requests.case_for(council.uprn(0), "Later", officer) != answering


def test_every_table_has_somebody_who_speaks_for_it(council: CaseworkCouncil, desk: Desk) -> None:
    assert {one.name for one in TABLES} == set(COVERED)
    rooms = {one.room for one in RECORDS}
    assert {room for room in COVERED.values() if room} - {"households"} == rooms
    with desk.state.database.reading() as session:
        there = set(inspect(session.connection()).get_table_names())
    ours = {name for name in there if name.startswith("casework_") and "version" not in name}
    spoken_for = {name for base in _bases() for name in base.metadata.tables}
    assert ours == spoken_for


def _bases() -> list[type[DeclarativeBase]]:
    """The tables of the rooms in `COVERED`: whoever adds one has to add it to a `Records`."""
    return [
        authority.Base,
        cases.Base,
        cohorts.Base,
        opening.Base,
        origin.Base,
        referrals.Base,
        rights.Base,
    ]


def test_references_differ_by_text(council: CaseworkCouncil, desk: Desk) -> None:
    dossier = gather(desk, opened(council, desk, flag(council, desk, 0)), RECORDS)
    found = [
        reference(room.name, item, fact)
        for room in dossier.rooms
        for item in room.items
        for fact in item.facts
        if fact.may_name_others
    ]
    assert len(found) == len(set(found)) > 0


def test_nobody_records_a_request_of_a_household_that_is_hidden_from_them(
    council: CaseworkCouncil, desk: Desk
) -> None:
    officer = council.visitor(desk, OFFICER)
    desk.restrictions.bar(officer, council.uprn(20), officer.name, "It is their own home")
    with pytest.raises(WebProblem, match="may not see this household"):
        Requests(desk).case_for(council.uprn(20), "A resident's access", officer)
    assert desk.cases.listed() == []
    refused = list(desk.state.audit.entries((NOT_OPENED,)))
    assert [entry.body["by"] for entry in refused] == [officer.name]
