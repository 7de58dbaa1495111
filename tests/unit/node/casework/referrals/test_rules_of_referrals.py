"""What permits a referral, who decides, what follows what, and what the log has of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from folkmoot_node.casework.referrals.consents import GIVEN, WITHDRAWN
from folkmoot_node.casework.referrals.content import Item
from folkmoot_node.casework.referrals.kinds import Ground, ReferralState, Way
from folkmoot_node.casework.referrals.overrides import APPROVED
from folkmoot_operator.moments import day
from folkmoot_web.errors import WebProblem
from tests.referring import NAME, TELEPHONE, Referring

S = ReferralState
REASON = "She cannot be asked: she is in hospital"


def state(referring: Referring, case_id: str, referral_id: str) -> ReferralState:
    return referring.room.referrals.get(referral_id, case_id).state


def test_a_referral_with_consent_is_sent_received_accepted_and_completed(
    referring: Referring,
) -> None:
    case_id = referring.case()
    worker = referring.visitor("caseworker")
    referral_id = referring.draft(case_id, referring.consent(case_id))
    room = referring.room
    assert room.referrals.send(case_id, referral_id, worker, Way.FILE) == S.SENT
    for following in (S.RECEIVED, S.ACCEPTED, S.COMPLETED):
        room.referrals.report(case_id, referral_id, worker, following, "By telephone")
    assert state(referring, case_id, referral_id) == S.COMPLETED
    with pytest.raises(WebProblem) as refused:
        room.referrals.revoke(case_id, referral_id, worker, "Too late")
    assert refused.value.status == 409
    moved = [one for one in referring.actions() if one.startswith("referral moved")]
    assert moved == [
        f"referral moved {one}" for one in ("sent", "received", "accepted", "completed")
    ]


def test_without_consent_or_ground_nothing_is_sent(referring: Referring) -> None:
    case_id = referring.case()
    referral_id = referring.draft(case_id, None)
    with pytest.raises(WebProblem) as refused:
        referring.room.referrals.send(case_id, referral_id, referring.visitor("manager"), Way.LINK)
    assert refused.value.status == 403
    assert state(referring, case_id, referral_id) == S.DRAFTED


def test_consent_covers_one_service_and_what_it_names(referring: Referring) -> None:
    case_id = referring.case()
    consent_id = referring.consent(case_id)
    with pytest.raises(WebProblem) as other_service:
        referring.draft(case_id, consent_id, service_id=referring.friends)
    with pytest.raises(WebProblem) as other_field:
        referring.draft(case_id, consent_id, items=[Item("address", "Address", "1 High Street")])
    with pytest.raises(WebProblem) as other_case:
        referring.draft(referring.case(1), consent_id)
    found = (other_service, other_field, other_case)
    assert [one.value.status for one in found] == [422] * 3
    assert "Address" in other_field.value.problem


def test_consent_is_never_of_the_future(referring: Referring) -> None:
    tomorrow = day(referring.council.clock()) + timedelta(days=1)
    with pytest.raises(WebProblem) as refused:
        referring.consent(referring.case(), given_on=tomorrow)
    assert refused.value.status == 422


def test_withdrawn_consent_revokes_what_rests_on_it(referring: Referring) -> None:
    case_id = referring.case()
    worker = referring.visitor("caseworker")
    consent_id = referring.consent(case_id)
    drafted, sent, completed = (referring.draft(case_id, consent_id) for _ in range(3))
    for one in (sent, completed):
        referring.room.referrals.send(case_id, one, worker, Way.FILE)
    for following in (S.ACCEPTED, S.COMPLETED):
        referring.room.referrals.report(case_id, completed, worker, following, "")
    revoked = referring.room.consents.withdraw(case_id, consent_id, worker)
    assert set(revoked) == {drafted, sent}
    assert state(referring, case_id, drafted) == state(referring, case_id, sent) == S.REVOKED
    assert state(referring, case_id, completed) == S.COMPLETED
    assert referring.room.consents.withdraw(case_id, consent_id, worker) == []
    log = referring.actions()
    assert log.count(GIVEN) == log.count(WITHDRAWN) == 1


def test_nobody_approves_a_ground_for_their_own_referral(referring: Referring) -> None:
    case_id = referring.case()
    author = referring.visitor("manager")
    referral_id = referring.draft(case_id, None, by=author)
    room = referring.room
    ground = Ground.SAFEGUARDING_ADULT
    assert not room.overrides.ask(case_id, referral_id, author, ground, REASON)
    assert state(referring, case_id, referral_id) == S.APPROVAL
    with pytest.raises(WebProblem) as own:
        room.overrides.decide(case_id, referral_id, author, approve=True)
    with pytest.raises(WebProblem) as without_right:
        worker = referring.visitor("caseworker")
        room.overrides.decide(case_id, referral_id, worker, approve=True)
    with pytest.raises(WebProblem) as early:
        room.referrals.send(case_id, referral_id, author, Way.FILE)
    assert [one.value.status for one in (own, without_right, early)] == [403, 403, 409]
    room.overrides.decide(
        case_id, referral_id, referring.visitor("manager", "second"), approve=True
    )
    assert room.referrals.send(case_id, referral_id, author, Way.FILE) == S.SENT
    entry = next(one for one in referring.desk.state.audit.entries((APPROVED,)))
    assert (entry.body["by"], entry.body["ground"]) == ("second@example.gov.uk", ground)


def test_who_asked_for_a_ground_does_not_approve_it(referring: Referring) -> None:
    case_id = referring.case()
    referral_id = referring.draft(case_id, None, by=referring.visitor("manager"))
    asker = referring.visitor("caseworker")
    ground = Ground.VITAL_INTERESTS
    referring.room.overrides.ask(case_id, referral_id, asker, ground, REASON)
    promoted = referring.visitor("manager", "caseworker")  # the same account, with another role
    with pytest.raises(WebProblem) as refused:
        referring.room.overrides.decide(case_id, referral_id, promoted, approve=True)
    assert refused.value.status == 403


def test_a_second_person_states_a_ground_at_once_and_a_refused_one_permits_nothing(
    referring: Referring,
) -> None:
    case_id = referring.case()
    worker, manager = referring.visitor("caseworker"), referring.visitor("manager")
    room = referring.room
    first, second = (referring.draft(case_id, None, by=worker) for _ in range(2))
    assert room.overrides.ask(case_id, first, manager, Ground.COURT_ORDER, REASON)
    assert room.referrals.send(case_id, first, worker, Way.FILE) == S.SENT
    assert not room.overrides.ask(case_id, second, worker, Ground.COURT_ORDER, REASON)
    room.overrides.decide(case_id, second, manager, approve=False)
    with pytest.raises(WebProblem) as refused:
        room.referrals.send(case_id, second, worker, Way.FILE)
    assert refused.value.status == 403


def test_a_retired_or_closed_service_and_a_closed_case_take_no_referral(
    referring: Referring,
) -> None:
    case_id = referring.case()
    worker = referring.visitor("caseworker")
    referral_id = referring.draft(case_id, referring.consent(case_id))
    referring.room.services.retire(referring.debt, "test")
    with pytest.raises(WebProblem) as retired:
        referring.room.referrals.send(case_id, referral_id, worker, Way.FILE)
    referring.room.services.retire(referring.debt, "test", undo=True)
    with referring.desk.state.database.writing() as session:
        version = referring.desk.cases.get(case_id).version
        closed = {"state": "closed"}
        referring.desk.cases.change(session, case_id, version, "case closed", worker, closed)
    with pytest.raises(WebProblem) as ended:
        referring.room.referrals.send(case_id, referral_id, worker, Way.FILE)
    assert (retired.value.status, ended.value.status) == (409, 409)


def test_the_content_is_for_the_household_that_was_opened(referring: Referring) -> None:
    worker = referring.visitor("caseworker")
    mine, other = referring.case(0), referring.case(1)
    referral_id = referring.draft(mine, referring.consent(mine))
    found = referring.room.referrals.content(referring.opened(mine, worker), referral_id)
    assert [one.value for one in found] == [NAME, TELEPHONE]
    with pytest.raises(WebProblem) as refused:
        referring.room.referrals.content(referring.opened(other, worker), referral_id)
    assert refused.value.status == 404


def test_the_log_names_ids_alone(referring: Referring) -> None:
    case_id = referring.case()
    worker = referring.visitor("caseworker")
    referral_id = referring.draft(case_id, referring.consent(case_id, note=f"I asked {NAME}"))
    room = referring.room
    room.referrals.send(case_id, referral_id, worker, Way.LINK)
    room.referrals.report(case_id, referral_id, worker, S.REJECTED, f"{NAME} moved away")
    log = str([one.body for one in referring.desk.state.audit.entries()])
    assert referral_id in log
    for secret in (NAME, TELEPHONE, str(referring.council.uprn(0))):
        assert secret not in log


def test_records_of_sensitive_sources_are_not_offered(referring: Referring) -> None:
    worker = referring.visitor("caseworker")
    opened = referring.opened(referring.case(8), worker)
    titles = [one.field for one in referring.room.records(opened)]
    assert "factor.council_tax_arrears" in titles
    assert "factor.child_need" not in titles
