"""What the words of libpq mean when it cannot connect, and what SQLSTATEs do."""

import pytest

from folkmoot_plugin_sql.failures import SAFE, Failure, of_connecting, of_state, without

WORDS = {
    "connection refused": Failure.UNREACHABLE,
    "timeout expired": Failure.UNREACHABLE,
    "server closed the connection unexpectedly": Failure.UNREACHABLE,
    "SSL SYSCALL error: Connection reset by peer": Failure.UNREACHABLE,
    'could not translate host name "db" to address: Temporary failure in name resolution': (
        Failure.UNREACHABLE
    ),
    'could not translate host name "db" to address: Name or service not known': Failure.NO_DATABASE,
    "FATAL:  the database system is starting up": Failure.BUSY,
    "FATAL:  the database system is in recovery mode": Failure.BUSY,
    "FATAL:  sorry, too many clients already": Failure.BUSY,
    "FATAL:  remaining connection slots are reserved for superusers": Failure.BUSY,
    'FATAL:  password authentication failed for user "x"': Failure.LOGIN,
    'FATAL:  role "x" is not permitted to log in': Failure.LOGIN,
    'FATAL:  role "x" does not exist': Failure.LOGIN,
    'FATAL:  no pg_hba.conf entry for host "10.0.0.1", no encryption': Failure.LOGIN,
    'FATAL:  database "x" does not exist': Failure.NO_DATABASE,
    "SSL error: certificate verify failed": Failure.TLS,
    'server certificate for "a" does not match host name "b"': Failure.TLS,
    "server does not support SSL, but SSL was required": Failure.TLS,
    'root certificate file "/home/x/.postgresql/root.crt" does not exist': Failure.TLS,
}


@pytest.mark.parametrize("said", WORDS)
def test_words(said):
    assert of_connecting(said) is WORDS[said]


@pytest.mark.parametrize(
    ("state", "failure"),
    [
        ("57014", Failure.TIME_OUT),
        ("57P01", Failure.LOST),
        ("08006", Failure.LOST),
        ("53300", Failure.BUSY),
        ("40001", Failure.BUSY),
        ("28P01", Failure.LOGIN),
        ("42501", Failure.FORBIDDEN),
        ("42P01", Failure.MISSING),
        ("42601", Failure.WRONG),
        ("22P02", Failure.VALUE),
        ("25006", Failure.WRITES),
        ("XX000", Failure.UNKNOWN),
        ("P0001", Failure.UNKNOWN),
    ],
)
def test_states(state, failure):
    assert of_state(state) is failure


def test_what_may_pass_may_be_tried_again_and_nothing_else():
    passing = {Failure.UNREACHABLE, Failure.LOST, Failure.BUSY, Failure.TIME_OUT}
    assert {failure for failure in Failure if failure.transient} == passing
    for failure in Failure:
        assert failure.error("w").transient is (failure in passing)


def test_messages_that_could_quote_a_record_are_not_safe():
    assert SAFE.isdisjoint({Failure.VALUE, Failure.WRONG, Failure.UNKNOWN, Failure.ENCODING})


def test_passwords_are_taken_out_as_they_stand_in_urls_too():
    assert without("p@ss/w", "a p@ss/w b p%40ss%2Fw c") == "a *** b *** c"
    assert without("", "abc") == "abc"
