"""Access, rectification, erasure and retention reach referrals."""

from __future__ import annotations

from sqlalchemy import select

from folkmoot_node.casework.referrals.held import ReferralRecords
from folkmoot_node.casework.referrals.kinds import Ground, Way
from folkmoot_node.casework.referrals.models import Base, MailRow, ServiceRow
from folkmoot_node.casework.referrals.postbox import MailKind, MailState
from tests.referring import NAME, TELEPHONE, Referring

RECORDS = ReferralRecords()


def fill(referring: Referring, at: int = 0) -> tuple[str, str, str]:
    """A case with a consent, a sent referral and a draft with a ground: household and their ids."""
    case_id = referring.case(at)
    worker = referring.visitor("caseworker")
    sent = referring.draft(case_id, referring.consent(case_id, note=f"{NAME} agrees"))
    referring.room.referrals.send(case_id, sent, worker, Way.LINK)
    link = referring.room.links.latest(sent)
    assert link is not None
    referring.room.links.enter(link.path.rpartition("/")[2], link.pin, "browser")
    draft = referring.draft(case_id, None)
    reason = f"{NAME} cannot be asked"
    referring.room.overrides.ask(case_id, draft, worker, Ground.COURT_ORDER, reason)
    return referring.desk.cases.get(case_id).household, sent, draft


def stored(referring: Referring) -> dict[str, int]:
    with referring.desk.state.database.reading() as session:
        return {
            table.name: len(session.execute(select(table)).all())
            for table in Base.metadata.sorted_tables
        }


def test_all_that_is_held_is_given(referring: Referring) -> None:
    household, *_ = fill(referring)
    fill(referring, 1)
    with referring.desk.state.database.reading() as session:
        items = list(RECORDS.held_on(session, household))
    assert [one.title for one in items] == [
        "Consent to Debt advice", "Referral to Debt advice", "Referral to Debt advice",
    ]  # fmt: skip
    shown = [(fact.value, fact.may_name_others) for one in items for fact in one.facts]
    free = [value for value, may_name_others in shown if may_name_others]
    for text in (NAME, TELEPHONE, f"{NAME} agrees", f"{NAME} cannot be asked"):
        assert text in free
    assert not any(NAME in value for value, may_name_others in shown if not may_name_others)


def test_what_is_not_sent_yet_is_rectified(referring: Referring) -> None:
    household, sent, draft = fill(referring)
    with referring.desk.state.database.writing() as session:
        assert RECORDS.rectify(session, household, draft, "content.name", "Zeb Quill")
        assert not RECORDS.rectify(session, household, sent, "content.name", "Zeb Quill")
        assert not RECORDS.rectify(session, household, draft, "content.email", "a@b")
        assert not RECORDS.rectify(session, "another", draft, "content.name", "Nobody")
    worker = referring.visitor("caseworker")
    opened = referring.opened(referring.desk.cases.listed()[0].case_id, worker)
    names = [referring.room.referrals.content(opened, one)[0].value for one in (draft, sent)]
    assert names == ["Zeb Quill", NAME]


def test_erasing_empties_every_table_and_tells_the_service(referring: Referring) -> None:
    household, sent, _ = fill(referring)
    with referring.desk.state.database.writing() as session:
        session.add(
            MailRow(
                mail_id="m", referral_id=sent, kind=MailKind.NEW, address="a@b.example",
                state=MailState.SENT, made_at=1, sent_at=2, attempts=1, next_at=1, fault="",
            )
        )  # fmt: skip
    before = stored(referring)
    assert all(before.values()), before
    with referring.desk.state.database.writing() as session:
        assert RECORDS.erase(session, household) == 3
    after = stored(referring)
    services, mails = after.pop(ServiceRow.__tablename__), after.pop(MailRow.__tablename__)
    assert (services, mails) == (2, 1)
    assert not any(after.values()), after
    with referring.desk.state.database.reading() as session:
        left = session.scalars(select(MailRow)).one()
        assert (left.kind, left.state) == (MailKind.REVOKED, MailState.WAITING)


def test_the_retention_of_cases_reaches_referrals_of_those_alone(referring: Referring) -> None:
    household, *_ = fill(referring)
    kept, *_ = fill(referring, 1)
    cases = [one.case_id for one in referring.desk.cases.listed() if one.household == household]
    with referring.desk.state.database.writing() as session:
        assert RECORDS.erase_cases(session, cases) == 3
        assert list(RECORDS.held_on(session, household)) == []
        assert len(list(RECORDS.held_on(session, kept))) == 3
