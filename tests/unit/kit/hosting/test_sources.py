"""A confined source is read like any other: batch by batch, with what it tells of them."""

import datetime
import inspect
import threading
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from folkmoot_kit.channel.words import MOST_ROWS
from folkmoot_kit.confinement import Grants
from folkmoot_kit.hosting import PluginFailure, make_source
from folkmoot_sdk import DataSource, PluginError, ReadContext, Rejection
from folkmoot_sdk.parameters import describe

TODAY = datetime.date(2026, 4, 1)

WITH_OPTIONS = """
@dataclass(frozen=True)
class Options(SourceOptions):
    path: Path = parameter(description="File.")
    since: datetime.date = parameter(default=datetime.date(2020, 1, 1))

class WithOptions(Source):
    Options = Options
    def __init__(self, options):
        super().__init__(options)
        if str(options.path) == "missing.csv":
            raise PluginError("missing.csv", "cannot be read", "Check `path`", transient=True)
    def read(self, context):
        yield Records(pa.table({"uprn": pa.array([1])}), repr(self.options))
Source = WithOptions
"""
TELLING = """
def read(self, context):
    def batch(at):
        return Records(pa.table({"uprn": pa.array([at])}), f"{at}.csv")
    context.note("b.csv is older and not read")
    context.reject([Rejection("1.csv", 7, "debt", "'-' is not a number", "-")])
    yield batch(1)
    context.leave_out("retired", 3)
    context.leave_out("retired", 4)
    context.reject([Rejection("2.csv", at, "debt", "r", "v") for at in range(5_000)])
    yield batch(2)
    context.note("done")
Source.read = read
"""
AS_ALL_KINDS = """
def read(self, context):
    yield Records(
        pa.table({
            "uprn": pa.array([5, 6, 7, 8]),
            "debt": pa.array([1.0, None, 3.0, None]),
            "band": pa.array(["B", "A", "B", None]).dictionary_encode(),
            "visits": pa.array(["x", "y", None, "x"]),
        }).select(["uprn", *context.fields]),
        "debts.csv",
        3,
        [3, 5, 9, 11],
        {"debt": [1], "uprn": []},
    )
Source.read = read
"""


def read(source, fields=(), **words):
    told = {"reject": [], "leave_out": [], "note": []}
    context = ReadContext(
        fields,
        TODAY,
        told["reject"].extend,
        leave_out=lambda reason, records: told["leave_out"].append((reason, records)),
        note=told["note"].append,
        **words,
    )
    return list(source.read(context)), told


@pytest.fixture
def made(opened, source_text):
    def make(more="", options=None, **words):
        kind = opened(source_text, more, name="debts", **words).sources["debts"]
        return make_source(kind, options or {}, "node.toml: sources.debts", Path("/somewhere"))

    return make


def test_it_is_a_data_source_with_the_plugins_schema(made):
    source = made()
    assert isinstance(source, DataSource)
    assert not inspect.isabstract(type(source))
    assert source.kind == "debts"
    assert [field.name for field in source.schema.fields] == ["debt", "band", "visits"]
    assert source.schema["band"].codes == ("A", "B")
    assert source.schema == source.schema
    assert source.options.base == Path("/somewhere")


@pytest.mark.parametrize("day", [None, TODAY])
def test_the_date_of_a_back_test_reaches_the_plugin(made, day):
    source = made(
        """
        def read(self, context):
            context.note(str(context.known_on))
            yield from ()
        Source.read = read
        """
    )
    (_, told) = read(source, known_on=day)
    assert told["note"] == [str(day)]


def test_records_come_as_they_were_with_the_fields_that_were_asked_for(made):
    source = made()
    ((batch,), _) = read(source, ("debt", "band"))
    assert batch.origin == "debts.csv"
    assert (batch.first_row, batch.rows, dict(batch.unread)) == (2, None, {})
    assert pl.DataFrame(batch.data).to_dict(as_series=False) == {
        "uprn": [1, 2, None], "debt": [10.0, None, 30.0], "band": ["A", "B", None]
    }  # fmt: skip
    ((batch,), _) = read(source)
    assert pl.DataFrame(batch.data).columns == ["uprn"]


def test_row_numbers_and_what_could_not_be_read_come_along(made):
    ((batch,), _) = read(made(AS_ALL_KINDS), ("visits", "debt", "band"))
    assert list(batch.rows) == [3, 5, 9, 11]
    assert {name: list(places) for name, places in batch.unread.items()} == {"debt": [1]}
    data = pl.DataFrame(batch.data)
    assert data["visits"].to_list() == ["x", "y", None, "x"]
    assert data["band"].cast(pl.String).to_list() == ["B", "A", "B", None]


@pytest.mark.parametrize(
    "as_stream",
    ["pl.DataFrame({'uprn': [1, 2], 'band': pl.Series(['A', 'B'], dtype=pl.Enum(['A', 'B']))})",
     "pl.DataFrame({'uprn': [1, 2], 'band': ['A', 'B']})",
     "pa.table({'uprn': [1, 2], 'band': pa.array(['A', 'B']).dictionary_encode()})",
     "pa.record_batch({'uprn': pa.array([1, 2]), 'band': pa.array(['A', 'B'])})",
     "duckdb.sql(\"select * from (values (1::bigint, 'A'), (2, 'B')) t(uprn, band)\")",
     "pd.DataFrame({'uprn': [1, 2], 'band': ['A', 'B']})"],
)  # fmt: skip
def test_any_arrow_stream_will_do(made, as_stream):
    more = f"""
    def read(self, context):
        import duckdb, pandas as pd, polars as pl
        yield Records({as_stream}, "x")
    Source.read = read
    """
    ((batch,), _) = read(made(more, grants=Grants(clock=True)), ("band",))
    data = pl.DataFrame(batch.data)
    assert data["uprn"].to_list() == [1, 2]
    assert data["band"].cast(pl.String).to_list() == ["A", "B"]


def test_codes_that_polars_knows_need_not_be_read_again(made):
    more = """
    def read(self, context):
        import polars as pl
        codes = pl.Enum(["A", "B"] if context.reference_date.year == 2026 else ["B", "A"])
        yield Records(pl.DataFrame({"uprn": [1], "band": pl.Series(["B"], dtype=codes)}), "x")
    Source.read = read
    """
    source = made(more, grants=Grants(clock=True))
    ((batch,), _) = read(source, ("band",))
    assert pl.DataFrame(batch.data).schema["band"] == pl.Enum(["A", "B"])
    (batch,) = source.read(ReadContext(("band",), datetime.date(2027, 1, 1), print))
    assert isinstance(pl.DataFrame(batch.data).schema["band"], pl.Categorical)
    assert pl.DataFrame(batch.data)["band"].cast(pl.String).to_list() == ["B"]


def test_a_long_batch_comes_in_several_and_keeps_its_row_numbers(made):
    count = MOST_ROWS * 2 + 5
    more = f"""
    def read(self, context):
        uprn = pa.array(range(1, {count} + 1))
        unread = {{"debt": [0, {MOST_ROWS}, {count} - 1]}}
        debt = pa.nulls({count}, pa.float64())
        table = pa.table({{"uprn": uprn, "debt": debt}})
        yield Records(table, "a", 10, unread=unread)
        yield Records(table, "b", 10, range({count} + 100, 100, -1), unread=unread)
    Source.read = read
    """
    batches, _ = read(made(more), ("debt",))
    assert [len(batch.data) for batch in batches] == [MOST_ROWS, MOST_ROWS, 5] * 2
    assert [batch.first_row for batch in batches[:3]] == [10, 10 + MOST_ROWS, 10 + 2 * MOST_ROWS]
    numbers = [int(row) for batch in batches[3:] for row in batch.rows]
    assert numbers == list(range(count + 100, 100, -1))
    assert [list(batch.unread["debt"]) for batch in batches[:3]] == [[0], [0], [4]]
    uprns = [uprn for batch in batches[:3] for uprn in batch.data["uprn"].to_pylist()]
    assert uprns == list(range(1, count + 1))


def test_no_records_are_a_batch_without_records(made):
    more = """
    def read(self, context):
        yield Records(pa.table({"uprn": pa.array([], pa.int64())}), "empty.csv")
    Source.read = read
    """
    ((batch,), _) = read(made(more))
    assert (len(batch.data), batch.origin) == (0, "empty.csv")


def test_what_is_told_comes_before_the_batch_it_belongs_to(made):
    events = []
    context = ReadContext(
        (),
        TODAY,
        lambda rejections: events.append(("reject", len(rejections), rejections[0])),
        leave_out=lambda reason, records: events.append(("leave_out", reason, records)),
        note=lambda text: events.append(("note", text)),
    )
    for batch in made(TELLING).read(context):
        events.append(("batch", batch.origin))
    assert ("reject", 1, Rejection("1.csv", 7, "debt", "'-' is not a number", "-")) in events
    first, second = events.index(("batch", "1.csv")), events.index(("batch", "2.csv"))
    before, between, after = events[:first], events[first + 1 : second], events[second + 1 :]
    assert {event[0] for event in before} == {"reject", "note"}
    assert ("leave_out", "retired", 7) in between
    assert sum(event[1] for event in between if event[0] == "reject") == 5_000
    assert after == [("note", "done")]


def test_what_is_told_is_told_to_the_thread_that_reads(made):
    threads = set()
    context = ReadContext((), TODAY, lambda _: threads.add(threading.current_thread()))
    for _ in made(TELLING).read(context):
        pass
    assert threads == {threading.current_thread()}


def test_a_problem_of_who_is_told_stops_the_reading(made):
    class TooMany(Exception):
        pass

    def refuse(_):
        raise TooMany

    source = made(TELLING)
    with pytest.raises(TooMany):
        list(source.read(ReadContext((), TODAY, refuse)))
    batches, _ = read(source)
    assert len(batches) == 2


def test_texts_that_are_too_long_are_shortened(made):
    more = """
    def read(self, context):
        context.reject([Rejection("a.csv", 1, "debt", "r" * 10_000, "v\\n\\u202e\\ud800" * 10_000)])
        context.note("n" * 10_000)
        yield from ()
    Source.read = read
    """
    _, told = read(made(more))
    (rejection,) = told["reject"]
    assert len(rejection.reason) == len(rejection.value) == 4_096
    assert rejection.value.startswith("v\n\u202e?v")
    rejection.value.encode()
    assert told["note"][0].endswith("n…")


def test_the_process_works_one_batch_ahead_and_no_more(made):
    more = """
    made = []
    def read(self, context):
        for at in range(10):
            made.append(at)
            yield Records(pa.table({"uprn": pa.array([at])}), str(len(made)))
    Source.read = read
    def draft(cls, file):
        return str(len(made))
    Source.draft = classmethod(draft)
    """
    source = made(more)
    batches = source.read(ReadContext((), TODAY, print))
    next(batches)
    threading.Event().wait(0.3)
    # The one taken, the one ahead, and the one that waits to be sent.
    assert int(type(source).draft(Path("x"))) <= 3
    next(batches)
    threading.Event().wait(0.3)
    assert int(type(source).draft(Path("x"))) <= 4
    assert len(list(batches)) == 8


def test_who_stops_reading_early_stops_the_source(made):
    more = """
    state = []
    def read(self, context):
        try:
            for at in range(1_000):
                yield Records(pa.table({"uprn": pa.array([at])}), "x")
        finally:
            state.append("closed")
    Source.read = read
    Source.draft = classmethod(lambda cls, file: str(state))
    """
    source = made(more)
    batches = source.read(ReadContext((), TODAY, print))
    next(batches)
    batches.close()
    for _ in range(3_000):  # a minute
        if type(source).draft(Path("x")) != "[]":
            break
        threading.Event().wait(0.02)
    assert type(source).draft(Path("x")) == "['closed']"
    assert len(read(source)[0]) == 1_000


def test_two_sources_are_read_at_once_in_one_process(made):
    more = """
    barrier = threading.Barrier(2)
    def read(self, context):
        for at in range(3):
            barrier.wait()
            yield Records(pa.table({"uprn": pa.array([at])}), "x")
    Source.read = read
    """
    one = made(more)
    other = make_source(type(one), {}, "w", Path("/"))
    counts = []
    threads = [
        threading.Thread(target=lambda source=source: counts.append(len(read(source)[0])))
        for source in (one, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [3, 3]


def test_the_plugin_builds_its_own_options(made):
    options = {"path": "a/b.csv", "since": datetime.date(2024, 2, 29)}
    source = made(WITH_OPTIONS, options)
    ((batch,), _) = read(source)
    assert "path=PosixPath('a/b.csv')" in batch.origin
    assert "since=datetime.date(2024, 2, 29)" in batch.origin
    assert "base=PosixPath('/somewhere')" in batch.origin
    assert source.options.path == Path("a/b.csv")
    assert [entry.key for entry in describe(type(source).Options)] == ["base", "path", "since"]


@pytest.mark.parametrize(
    ("options", "where", "problem"),
    [
        ({}, "node.toml: sources.debts.path", "is missing"),
        ({"path": "x", "pth": 1}, "node.toml: sources.debts.pth", "is an unknown key"),
        ({"path": 3}, "node.toml: sources.debts.path", "is a whole number"),
        ({"path": "missing.csv"}, "missing.csv", "cannot be read"),
    ],
)
def test_refused_options_are_named_where_they_stand(made, options, where, problem):
    with pytest.raises(PluginError) as refused:
        made(WITH_OPTIONS, options)
    assert (refused.value.where, refused.value.problem) == (where, problem)
    assert refused.value.transient == (where == "missing.csv")


def test_an_error_that_a_person_can_mend_comes_as_it_was_raised(made):
    more = """
    def read(self, context):
        yield Records(pa.table({"uprn": pa.array([1])}), "x")
        raise PluginError("debts.csv", "has two headers", "Delete one", transient=True)
    Source.read = read
    """
    batches = made(more).read(ReadContext((), TODAY, print))
    assert len(next(batches).data) == 1
    with pytest.raises(PluginError) as refused:
        next(batches)
    assert str(refused.value) == "debts.csv: has two headers. Delete one"
    assert refused.value.transient


def test_a_schema_that_changes_is_a_breach(made):
    more = """
    first = Source.schema
    calls = []
    def schema(self):
        calls.append(1)
        return first if len(calls) < 3 else Schema("other", RecordLevel.HOUSEHOLD, ())
    Source.schema = property(schema)
    """
    source = made(more)
    assert source.schema == source.schema
    with pytest.raises(PluginFailure, match="differs from call to call"):
        source.schema  # noqa: B018


def test_a_draft_is_text_of_the_plugin(made, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("secret")
    more = """
    def draft(cls, file):
        try:
            return file.read_text() + "\\n\\tQUESTION: \\x1b[31m?"
        except OSError:
            raise PluginError(file.name, "cannot be read", "Grant it") from None
    Source.draft = classmethod(draft)
    """
    source = made(more, grants=Grants(readable=(file,)))
    assert type(source).draft(file) == "secret\n\tQUESTION: [31m?"
    with pytest.raises(PluginError, match="cannot be read"):
        type(source).draft(Path("/etc/hostname"))


def test_a_kind_that_drafts_nothing_says_so(made):
    with pytest.raises(PluginError, match="has nothing to draft"):
        type(made()).draft(Path("x"))


def test_any_arrow_library_can_take_the_records(made):
    ((batch,), _) = read(made(), ("debt",))
    assert pa.table(batch.data).num_rows == 3
