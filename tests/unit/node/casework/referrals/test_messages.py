"""Messages to services: by a mail server, by GOV.UK Notify, tried again or reported."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from pydantic import ValidationError

from folkmoot_node.casework.referrals.kinds import ReferralState, Way
from folkmoot_node.casework.referrals.notify import by_notify
from folkmoot_node.casework.referrals.postbox import (
    FAILED,
    WAITS,
    MailFault,
    MailState,
    Message,
)
from folkmoot_node.casework.referrals.smtp import by_smtp
from folkmoot_node.casework.referring.room import open_room
from folkmoot_node.settings.casework import MailSettings, NotifySettings, SmtpSettings
from folkmoot_operator.problems import Problem
from tests.mail_server import MailServer, Notify
from tests.referring import NAME, TELEPHONE, Referring
from tests.self_signed import self_signed

MESSAGE = Message("referrals@debt.example.org", "A subject", "A text\n", "abc")
SERVICE, SECRET = "26785a09-ab16-4eb0-8407-a37497a57506", "3d844edf-8d35-48ac-975b-e847b4f122b0"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer().running() as server:
        yield server


def plain(server: MailServer) -> SmtpSettings:
    return SmtpSettings(
        host="127.0.0.1", port=server.port, security="none", sender="casework@council.example"
    )


def fault_of(send: Any) -> MailFault:
    with pytest.raises(MailFault) as found:
        send(MESSAGE)
    assert "debt.example.org" not in str(found.value)
    return found.value


def test_starttls_with_a_password(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    password = tmp_path / "password"
    password.write_text("pass word\n")
    password.chmod(0o600)
    with MailServer(tls=tls, user=("casework", "pass word")).running() as server:
        settings = SmtpSettings(
            host="localhost", port=server.port, sender="casework@council.example", user="casework",
            password_file=Path("password"), ca_file=certificate,
        )  # fmt: skip
        by_smtp(settings, tmp_path)(MESSAGE)
        assert server.is_encrypted == [True]
        untrusting = settings.model_copy(update={"ca_file": None})
        assert not fault_of(by_smtp(untrusting, tmp_path)).is_passing
        password.write_text("another")
        assert not fault_of(by_smtp(settings, tmp_path)).is_passing
    sender, recipient, content = server.mails[0]
    assert "casework@council.example" in sender
    assert "referrals@debt.example.org" in recipient
    assert "Message-ID: <abc@council.example>" in content.replace("Message-Id", "Message-ID")


def test_no_tls_where_it_is_asked_sends_nothing(tmp_path: Path, server: MailServer) -> None:
    settings = plain(server).model_copy(update={"security": "starttls"})
    assert not fault_of(by_smtp(settings, tmp_path)).is_passing
    assert server.mails == []


@pytest.mark.parametrize(
    ("verb", "reply", "is_passing"),
    [
        ("RCPT", "550 no such user", False),
        ("RCPT", "451 greylisted", True),
        ("DATA", "554 spam", False),
        ("MAIL", "452 full", True),
        ("CONNECT", "421 busy", True),
    ],
)
def test_refusals_are_for_a_time_or_final(
    tmp_path: Path, server: MailServer, verb: str, reply: str, is_passing: bool
) -> None:
    server.replies[verb] = reply
    assert fault_of(by_smtp(plain(server), tmp_path)).is_passing == is_passing


def test_a_server_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    with MailServer().running() as server:
        settings = plain(server)
    assert fault_of(by_smtp(settings, tmp_path)).is_passing


@pytest.fixture
def notify_key(tmp_path: Path) -> Path:
    path = tmp_path / "notify.key"
    path.write_text(f"casework-{SERVICE}-{SECRET}\n")
    return path


def test_notify_gets_a_signed_request(tmp_path: Path, notify_key: Path) -> None:
    with Notify().running() as notify:
        settings = NotifySettings(key_file=notify_key, template=SECRET, address=notify.address)
        by_notify(settings, tmp_path, lambda: 1_800_000_000)(MESSAGE)
    ((path, authorization, body),) = notify.asked
    assert path == "/v2/notifications/email"
    token = jwt.decode(authorization.removeprefix("Bearer "), OctKey.import_key(SECRET))
    assert token.header == {"alg": "HS256", "typ": "JWT"}
    assert token.claims == {"iss": SERVICE, "iat": 1_800_000_000}
    assert body == {
        "email_address": MESSAGE.address,
        "template_id": SECRET,
        "personalisation": {"subject": "A subject", "text": "A text\n"},
        "reference": "abc",
    }


@pytest.mark.parametrize(
    ("status", "is_passing"), [(400, False), (403, False), (429, True), (500, True), (503, True)]
)
def test_what_notify_refuses(
    tmp_path: Path, notify_key: Path, status: int, is_passing: bool
) -> None:
    with Notify(status=status).running() as notify:
        settings = NotifySettings(key_file=notify_key, template=SECRET, address=notify.address)
        fault = fault_of(by_notify(settings, tmp_path))
    assert fault.is_passing == is_passing
    assert str(status) in str(fault)


def test_a_notify_that_is_not_there_or_a_wrong_key(tmp_path: Path, notify_key: Path) -> None:
    with Notify().running() as notify:
        settings = NotifySettings(key_file=notify_key, template=SECRET, address=notify.address)
    assert fault_of(by_notify(settings, tmp_path)).is_passing
    notify_key.write_text("nonsense")
    with pytest.raises(Problem):
        by_notify(settings, tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"smtp": {"host": "mail.example", "sender": "a@b.example", "security": "none"}},
        {"smtp": {"host": "mail.example", "sender": "a@b.example", "user": "a"}},
        {"notify": {"key_file": "k", "template": SECRET, "address": "http://notify.example"}},
        {
            "smtp": {"host": "mail.example", "sender": "a@b.example"},
            "notify": {"key_file": "k", "template": SECRET},
        },
    ],
)
def test_settings_that_would_send_without_encryption_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MailSettings.model_validate(wrong)


class Posted:
    """A council that sends by a mail server, and a referral."""

    def __init__(self, referring: Referring, server: MailServer) -> None:
        toml = referring.council.home / "node.toml"
        toml.write_text(
            toml.read_text()
            + '\n[casework.mail.smtp]\nhost = "127.0.0.1"\nsecurity = "none"\n'
            + f'port = {server.port}\nsender = "casework@council.example"\n'
        )
        self.referring = Referring(referring.council, referring.council.desk())
        self.room = open_room(self.referring.desk)
        self.referring.room = self.room
        self.case_id = self.referring.case()
        self.worker = self.referring.visitor("caseworker")
        self.consent = self.referring.consent(self.case_id)
        self.id = self.referring.draft(self.case_id, self.consent)
        self.room.referrals.send(self.case_id, self.id, self.worker, Way.LINK)

    @property
    def states(self) -> list[MailState]:
        return [one.state for one in self.room.postbox.of_referral(self.id)]


@pytest.fixture
def posted(referring: Referring, server: MailServer) -> Posted:
    return Posted(referring, server)


def test_a_message_has_a_link_and_says_nothing_of_the_household(
    posted: Posted, server: MailServer
) -> None:
    assert posted.room.postbox.send_due() == (1, 0)
    link = posted.room.links.latest(posted.id)
    assert link is not None
    ((_, _, content),) = server.mails
    text = content.replace("=\r\n", "").replace("=3D", "=")
    assert link.path in text
    uprn = str(posted.referring.council.uprn(0))
    for secret in (NAME, TELEPHONE, uprn, link.pin, "Debt advice", "arrears", posted.case_id):
        assert secret not in text
    assert posted.room.postbox.send_due() == (0, 0)
    assert posted.states == [MailState.SENT]


def test_a_server_that_is_busy_is_tried_again_and_the_referral_stays(
    posted: Posted, server: MailServer
) -> None:
    server.replies["RCPT"] = "451 later"
    assert posted.room.postbox.send_due() == (0, 1)
    assert posted.room.postbox.send_due() == (0, 0)  # not before its time
    assert posted.room.referrals.get(posted.id, posted.case_id).state == ReferralState.SENT
    posted.referring.council.clock.now += WAITS[0]
    server.replies.clear()
    assert posted.room.postbox.send_due() == (1, 0)


def test_a_message_that_never_gets_through_is_reported(posted: Posted, server: MailServer) -> None:
    server.replies["RCPT"] = "451 later"
    for wait in (*WAITS, 1):
        assert posted.room.postbox.send_due() == (0, 1)
        posted.referring.council.clock.now += wait
    assert posted.room.postbox.send_due() == (0, 0)
    assert posted.states == [MailState.FAILED]
    ((failed, why),) = posted.room.postbox.failed()
    assert failed == posted.id
    assert "451" in why


def test_a_refused_address_is_reported_at_once(posted: Posted, server: MailServer) -> None:
    server.replies["RCPT"] = "550 unknown"
    posted.room.postbox.send_due()
    assert posted.states == [MailState.FAILED]
    assert FAILED in posted.referring.actions()


def test_a_revoked_referral_is_not_announced_and_a_known_one_is_called_back(
    posted: Posted, server: MailServer
) -> None:
    second = posted.referring.draft(posted.case_id, posted.consent)
    posted.room.postbox.send_due()
    posted.room.referrals.send(posted.case_id, second, posted.worker, Way.LINK)
    posted.room.consents.withdraw(posted.case_id, posted.consent, posted.worker)
    assert posted.room.postbox.send_due() == (1, 0)
    assert len(server.mails) == 2
    assert f"revoked the referral {posted.id}" in server.mails[1][2].replace("\r\n", " ")
    assert [one.state for one in posted.room.postbox.of_referral(second)] == [MailState.CANCELLED]


def test_a_process_that_dies_while_it_sends_lets_another_send(
    posted: Posted, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(_: Message) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(posted.room.postbox, "_send", dies)
        with pytest.raises(KeyboardInterrupt):
            posted.room.postbox.send_due()
    assert posted.room.postbox.send_due() == (0, 0)
    posted.referring.council.clock.now += 5 * 60
    assert posted.room.postbox.send_due() == (1, 0)


def test_mail_is_off_by_default(referring: Referring) -> None:
    case_id = referring.case()
    referral_id = referring.draft(case_id, referring.consent(case_id))
    referring.room.referrals.send(case_id, referral_id, referring.visitor("caseworker"), Way.LINK)
    assert not referring.room.postbox.is_on
    assert referring.room.postbox.of_referral(referral_id) == []
    assert referring.room.postbox.send_due() == (0, 0)
