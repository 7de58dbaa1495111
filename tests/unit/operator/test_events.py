"""The one way into a log: listed events with listed fields, and no words of anybody else."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot_operator import log_output
from folkmoot_operator.events import (
    REFUSED,
    Emitted,
    Kind,
    Level,
    LogEvent,
    UnlistedValue,
    checked,
    emit,
    fault_text,
    listed,
)
from folkmoot_operator.log_output import is_journal
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.signal_settings import LogSettings

WHY = "It is about nothing but this test."
CLOSED = LogEvent(
    "node.test.closed",
    Level.WARNING,
    "round closed round={round} state={state}",
    WHY,
    {"round": Kind.ROUND, "state": Kind.WORD},
    frozenset({"state"}),
)
SECRET = "Zyxwvut"


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in root.handlers:
        if handler not in before:
            handler.close()
    root.handlers, root.level = before, level


def test_an_event_is_one_line_with_the_time_in_utc() -> None:
    record = logging.LogRecord("folkmoot_node", logging.INFO, "", 0, "", (), None)
    event = LogEvent(
        "node.test.said", Level.INFO, "failed problem={text}", WHY, {"text": Kind.SAID}
    )
    record.folkmoot_event = Emitted(event, {"text": "a\n  b\r\nc"})
    record.created = 1_800_000_000
    assert log_output.Lines().format(record) == "2027-01-15T08:00:00Z INFO failed problem=a b c"


@pytest.mark.parametrize(
    "values",
    [
        {"round": "5f0c", "uprn": 918273645546},
        {"state": "open"},
        {"round": f"{SECRET} 5f0c"},
        {"round": "5f0c", "state": 3},
        {"round": 5},
    ],
)
def test_what_is_not_listed_is_not_written(
    values: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(UnlistedValue):
        dict(checked(CLOSED, values))
    emit(CLOSED, **values)
    (record,) = caplog.records
    assert record.folkmoot_event.event is REFUSED  # type: ignore[attr-defined]
    assert "918273645546" not in caplog.text
    assert SECRET not in caplog.text


def test_of_an_exception_the_type_is_written_and_of_a_problem_its_text() -> None:
    problem = Problem("is full", where="disk", remedy="Empty it", exit_code=ExitCode.SETTINGS)
    assert fault_text(problem) == "disk: is full. Empty it"
    assert fault_text(ValueError(SECRET)) == "ValueError"
    assert fault_text(OSError(28, "No space left on device", SECRET)) == "No space left on device"


def test_names_are_stable_words_and_none_stands_twice() -> None:
    with pytest.raises(ValueError, match="one name"):
        listed(CLOSED, CLOSED)
    for wrong in ("Closed", "node", "node.Round closed", "resident.closed"):
        with pytest.raises(ValueError, match="not named so"):
            LogEvent(wrong, Level.INFO, "", WHY)
    with pytest.raises(ValueError, match="why it discloses nothing"):
        LogEvent("node.test.closed", Level.INFO, "", "")
    with pytest.raises(ValueError, match="every event has time"):
        LogEvent("node.test.closed", Level.INFO, "", WHY, {"time": Kind.SECONDS})
    with pytest.raises(KeyError):
        LogEvent("node.test.closed", Level.INFO, "{more}", WHY)


def test_lines_of_json_have_the_event_and_its_fields(tmp_path: Path) -> None:
    log_output.configure(LogSettings(format="json", file=Path("log")), tmp_path, "folkmoot-node")
    emit(CLOSED, round="5f0c", state="open")
    (line,) = (tmp_path / "log").read_text().splitlines()
    found = json.loads(line)
    assert found.pop("time").endswith("Z")
    assert found == {
        "level": "warning",
        "program": "folkmoot-node",
        "event": "node.test.closed",
        "message": "round closed round=5f0c state=open",
        "round": "5f0c",
        "state": "open",
    }


def test_the_journal_gets_fields_and_the_event_can_be_searched_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(place))
        log_output.configure(
            LogSettings(format="journal"), tmp_path, "folkmoot-node", journal=place
        )
        emit(CLOSED, round="5f0c", state="open")
        sent = journal.recv(65_536).decode().splitlines()
    assert sent == [
        "MESSAGE=round closed round=5f0c state=open",
        "PRIORITY=4",
        "SYSLOG_IDENTIFIER=folkmoot-node",
        "FOLKMOOT_EVENT=node.test.closed",
        "FOLKMOOT_ROUND=5f0c",
        "FOLKMOOT_STATE=open",
    ]
    emit(CLOSED, round="5f0d")  # nobody listens any more
    assert capsys.readouterr().err == "<4>round closed round=5f0d state=\n"


def test_the_journal_is_taken_where_systemd_has_connected_it(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("w") as stream:
        found = (tmp_path / "stream").stat()
        assert is_journal(stream, f"{found.st_dev}:{found.st_ino}")
        assert not is_journal(stream, f"{found.st_dev}:{found.st_ino + 1}")
        assert not is_journal(stream, "")


def test_a_file_is_set_aside_when_it_is_large_and_is_for_this_account_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = LogSettings(file=Path("log"), size_mib=1, keep=2)
    log_output.configure(settings, tmp_path, "folkmoot-node")
    handler = logging.getLogger().handlers[0]
    monkeypatch.setattr(handler, "_size", 200)
    for number in range(40):
        emit(CLOSED, round=f"{number:04x}")
    emit(CLOSED, round="0028")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1", "log.2"]
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.stat().st_size < 400
    assert "round=0027" in (tmp_path / "log").read_text() + (tmp_path / "log.1").read_text()


def test_a_file_that_was_renamed_is_begun_again_without_a_signal(tmp_path: Path) -> None:
    log_output.configure(LogSettings(file=Path("log")), tmp_path, "folkmoot-node")
    emit(CLOSED, round="aa")
    (tmp_path / "log").rename(tmp_path / "log.old")
    emit(CLOSED, round="bb")
    assert "round=aa" in (tmp_path / "log.old").read_text()
    assert "round=bb" in (tmp_path / "log").read_text()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        log_output.configure(LogSettings(file=Path("no/log")), tmp_path, "folkmoot-node")
    assert caught.value.where == str(tmp_path / "no" / "log")


def test_a_library_is_named_and_not_quoted(tmp_path: Path) -> None:
    log_output.configure(LogSettings(file=Path("log")), tmp_path, "folkmoot-node")
    logging.getLogger("httpx").info("HTTP Request: GET https://x.example/?uprn=918273645546")
    library = logging.getLogger("library.error")
    library.warning("GET /households/%s?token=%s", "918273645546", SECRET)
    try:
        raise ValueError(SECRET)
    except ValueError:
        library.exception("Exception in ASGI application %s", SECRET)
    text = (tmp_path / "log").read_text()
    assert "httpx" not in text
    assert "library library.error warned at" in text
    assert "library library.error failed at" in text
    assert "ValueError" in text
    assert SECRET not in text
    assert "918273645546" not in text


@pytest.mark.parametrize("form", ["text", "json", "journal"])
def test_no_text_steers_a_terminal_adds_a_field_or_stops_its_program(
    form: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    event = LogEvent("node.test.said", Level.INFO, "said {text}", WHY, {"text": Kind.SAID})
    place = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(place))
        where = {} if form == "journal" else {"file": Path("log")}
        settings = LogSettings(format=form, **where)  # type: ignore[arg-type]
        log_output.configure(settings, tmp_path, "folkmoot-node", journal=place)
        name = b"/srv/\xff".decode(errors="surrogateescape")  # of a file, as Python has it
        emit(event, text=f"{name} \x1b[2J\x00\u202e\nPRIORITY=0")
        log = tmp_path / "log"
        said = journal.recv(65_536).decode() if form == "journal" else log.read_text()
    shown = "/srv/? ?[2J?? PRIORITY=0"
    assert f"said {shown}" in said
    assert all(line.isprintable() for line in said.split("\n"))
    assert "\nPRIORITY=0" not in said
    assert capfd.readouterr().err == ""
