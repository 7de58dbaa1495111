"""Nothing that a process sends is believed: what was not asked for ends it, and is named.

The plugins of these tests reach into the program that runs beside them, as any plugin can.
"""

import datetime
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from folkmoot_kit.hosting import FailureKind, PluginFailure, make_factor, make_source, told
from folkmoot_sdk import PluginError, ReadContext, ScoringContext

pytestmark = pytest.mark.slow  # each of many plugins needs a process that it can ruin

CONTEXT = ScoringContext(datetime.date(2026, 4, 1))
DEBTS = np.array([0.0, 50.0, np.nan])
SECRET = "AB123456C"

REACH = f"""
import json, struct
SECRET = "{SECRET}"
from folkmoot_kit.channel import columns
from folkmoot_kit.inside import runtime, scoring, reading, describing

server = None
def reach():
    import gc
    (found,) = [one for one in gc.get_objects() if type(one) is runtime._Server]
    return found

def raw(content):
    while content:
        content = content[os.write(0, content):]

def frame(kind, call, content, length=None):
    return struct.pack("<4sIII", b"FMK1", kind, call,
                       len(content) if length is None else length) + content

def say(call, body, parts=None):
    reach()._channel.send(call, body, parts)

def table(*arrays, names=None):
    made = pa.table(list(arrays), names or [str(at) for at in range(len(arrays))])
    return columns.written(made.to_batches(), made.schema)
import pyarrow as pa
"""

# What a factor does while it should score. Calls are numbered: 1 describes, 2 makes, 3 scores.
WHILE_SCORING = {
    "no frame": "raw(SECRET.encode() * 10)",
    "a frame of another program": "raw(b'HTTP/1.1 200 OK' + bytes(20))",
    "a frame that says it is huge": "raw(frame(2, 3, b'', length=2**32 - 1))",
    "a message that says it is huge": "raw(frame(1, 3, b'', length=2**31))",
    "half a header and the end": "raw(b'FMK1'); os._exit(0)",
    "half a frame and the end": "raw(frame(1, 3, b'{', length=100)); os._exit(0)",
    "no JSON": "raw(frame(1, 3, SECRET.encode()))",
    "no object": "raw(frame(1, 3, b'[]'))",
    "endless brackets": "raw(frame(1, 3, b'[' * 1_000_000))",
    "columns alone": "raw(frame(2, 3, b'x'))",
    "columns of another call": 'raw(frame(1, 3, b\'{"columns":true}\') + frame(2, 4, b""))',
    "an answer nobody asked for": "say(99, {'reply': 'done'})",
    "an answer to the past": "say(2, {'reply': 'done'})",
    "an answer twice": "say(3, {'reply': 'done'}, table(pa.array([1, 2, 3], pa.int16())))\n"
    "        say(3, {'reply': 'done'})",
    "a batch where a score belongs": "say(3, {'reply': 'item'})",
    "an answer of no kind": "say(3, {'reply': 'perhaps'})",
    "no scores": "say(3, {'reply': 'done'})",
    "an error of no kind": "say(3, {'reply': 'error', 'at': 0, 'error': {'kind': SECRET}})",
    "an error of no factor": "say(3, {'reply': 'error', 'at': 7, 'error': {'kind': 'raised'}})",
    "a breach of no kind": "say(3, {'reply': 'error', 'at': 0,"
    " 'error': {'kind': 'breach', 'breach': SECRET}})",
}
SCORES = {
    "fewer": "pa.array([1, 2], pa.int16())",
    "more": "pa.array([1, 2, 3, 4], pa.int16())",
    "another type": "pa.array([1, 2, 3], pa.int64())",
    "fractions": "pa.array([0.1, 0.2, 0.3])",
    "texts": "pa.array([SECRET] * 3)",
    "too high": "pa.array([0, 1001, 0], pa.int16())",
    "below zero": "pa.array([0, -1, 0], pa.int16())",
    "nested": "pa.array([[1], [2], [3]])",
    "nothing at all": "pa.nulls(3)",
    "two columns": "pa.array([1, 2, 3], pa.int16()), pa.array([1, 2, 3], pa.int16())",
    "a codebook": "pa.array([1, 2, 3], pa.int16()).dictionary_encode()",
}


def broken_by(act):
    """Asserts that an act ends the process as garbage, that nothing of it is quoted."""
    with pytest.raises(PluginFailure) as failed:
        act()
    assert failed.value.kind is FailureKind.GARBAGE
    assert failed.value.origin.distribution == "folkmoot-plugin-made-up"
    assert failed.value.origin.version == "1.2.3"
    assert SECRET not in str(failed.value)
    return failed.value


def gone(process):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if process._process.ended() is not None:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("what", WHILE_SCORING)
def test_what_is_no_answer_ends_the_process(opened, factor_text, what):
    more = f"""{REACH}
class Hostile(Factor):
    def score(self, inputs, context):
        {WHILE_SCORING[what]}
        threading.Event().wait()
Factor = Hostile
"""
    factor = make_factor(opened(factor_text, more).factors["debt"], {}, "p")
    failure = broken_by(lambda: score_and_again(factor))
    assert (failure.hook, failure.name) == ("score", "debt")
    assert gone(factor.process)
    # It is not started again in secret.
    broken_by(lambda: factor.explain({}, 0.5, CONTEXT))


def score_and_again(factor):
    factor.score({"debt": DEBTS}, CONTEXT)
    # An answer that comes twice breaks the call after it.
    threading.Event().wait(0.2)
    factor.score({"debt": DEBTS}, CONTEXT)


@pytest.mark.parametrize("what", SCORES)
def test_scores_that_are_none_end_the_process(opened, factor_text, what):
    more = f"""{REACH}
scoring.score = lambda *_: table({SCORES[what]})
"""
    factor = make_factor(opened(factor_text, more).factors["debt"], {}, "p")
    failure = broken_by(lambda: factor.score({"debt": DEBTS}, CONTEXT))
    assert (failure.hook, failure.name) == ("score", "debt")
    assert gone(factor.process)


def test_scores_under_a_null_do_not_come_through(opened, factor_text):
    more = f"""{REACH}
whole = np.array([5, 123, 7], np.int16)
known = pa.py_buffer(np.packbits([1, 0, 1], bitorder="little"))
scoring.score = lambda *_: table(
    pa.Array.from_buffers(pa.int16(), 3, [known, pa.py_buffer(whole)]))
"""
    factor = make_factor(opened(factor_text, more).factors["debt"], {}, "p")
    scores = factor.score({"debt": DEBTS}, CONTEXT)
    assert np.array_equal(scores, [0.005, np.nan, 0.007], equal_nan=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("'Owes £5.\\nAnd \\x1b[31mred\\u202e.\\x00'", "Owes £5. And [31mred."),
        ("'x' * 5_000", "x" * 4_095 + "…"),
    ],
)
def test_explanations_are_one_line_of_print(opened, factor_text, text, said):
    more = f"Factor.explain = lambda self, values, score, context: {text}"
    factor = make_factor(opened(factor_text, more).factors["debt"], {}, "p")
    assert factor.explain({"debt": 5.0}, 0.5, CONTEXT) == said


@pytest.mark.parametrize("text", ["'x' * 5_000", "7", "['x']", "None"])
def test_an_explanation_that_is_none_ends_the_process(opened, factor_text, text):
    more = f"""{REACH}
runtime.cut = lambda text, longest: text
scoring.explain = lambda *_: {text}
"""
    factor = make_factor(opened(factor_text, more).factors["debt"], {}, "p")
    assert broken_by(lambda: factor.explain({}, 0.5, CONTEXT)).hook == "explain"


ERRORS = {
    "a message": ("raise ValueError(SECRET)", "raised ValueError at folkmoot_plugin_made_up.py:"),
    "a type of its own": ("raise type(SECRET, (Exception,), {})()", "raised an exception of its"),
    "an error for people": ("raise PluginError(SECRET, SECRET, SECRET)", "raised PluginError at"),
    "an exit": ("sys.exit(SECRET)", "raised SystemExit at"),
    "a file of its own": (
        "exec(compile('1/0', f'/x/{SECRET}.py', 'exec'))",
        "raised ZeroDivisionError",
    ),
    "a file in an import folder": (
        "exec(compile('1/0', sys.path[-1] + f'/{SECRET}.py', 'exec'))",
        "raised ZeroDivisionError",
    ),
    "a path that climbs": (
        "exec(compile('1/0', sys.path[-1] + f'/../{SECRET}.py', 'exec'))",
        "raised ZeroDivisionError",
    ),
}


@pytest.mark.parametrize("hook", ["score", "explain"])
@pytest.mark.parametrize("what", ERRORS)
def test_an_error_is_named_and_its_text_is_not_passed_on(opened, factor_text, what, hook):
    code, said = ERRORS[what]
    more = f"""
SECRET = "{SECRET}"
def fail(self, *_):
    {code}
Factor.{hook} = fail
"""
    factor = make_factor(opened(factor_text, more).factors["debt"], {}, "p")
    with pytest.raises(PluginFailure) as failed:
        if hook == "score":
            factor.score({"debt": DEBTS}, CONTEXT)
        else:
            factor.explain({}, 0.5, CONTEXT)
    assert failed.value.kind is FailureKind.RAISED
    assert failed.value.problem.startswith(said)
    assert SECRET not in str(failed.value)
    # What raises is no reason to end the process.
    assert factor.process._process.ended() is None


def test_on_made_up_data_the_text_may_be_shown(opened, factor_text):
    more = "def fail(self, *_): raise ValueError('no such\\ncolumn')\nFactor.score = fail"
    factor = make_factor(
        opened(factor_text, more, show_messages=True).factors["debt"], {}, "policy"
    )
    with pytest.raises(PluginFailure, match="no such column") as failed:
        factor.score({"debt": DEBTS}, CONTEXT)
    assert failed.value.message == "no such column"


BREACHES = {
    "[0.5]": "no NumPy array (list)",
    "np.zeros(3, np.float32)": "not of float64 (float32)",
    "np.zeros(3, 'S9')": "not of float64",
    "np.zeros(2)": "of another shape",
    "np.zeros((3, 1))": "of another shape",
    "np.array([0.5, 1.2, 0])": "outside 0 to 1",
    "np.array([0.5, -0.0001, np.nan])": "outside 0 to 1",
    "np.full(3, np.inf)": "outside 0 to 1",
    "type(SECRET, (), {})()": "no NumPy array",
}


@pytest.mark.parametrize("scores", BREACHES)
def test_a_breach_of_the_contract_is_named(opened, factor_text, scores):
    more = f"""
SECRET = "{SECRET}"
Factor.score = lambda self, inputs, context: {scores}
"""
    factor = make_factor(opened(factor_text, more).factors["debt"], {}, "p")
    with pytest.raises(PluginFailure) as failed:
        factor.score({"debt": DEBTS}, CONTEXT)
    assert failed.value.kind is FailureKind.CONTRACT
    assert BREACHES[scores] in failed.value.problem
    assert SECRET not in str(failed.value)


RECORDS = {
    "no column": ("pa.table({'debt': [1.0]})", "no column 'uprn'"),
    "a column that was not asked for": (
        "pa.table({'uprn': [1], 'debt': [1.0], 'SECRET': [1]})",
        "a column that was not asked for",
    ),
    "a column twice": (
        "pa.table([pa.array([1]), pa.array([1.0]), pa.array([1.0])], ['uprn', 'debt', 'debt'])",
        "a column twice",
    ),
    "a text where a number belongs": (
        "pa.table({'uprn': [1], 'debt': ['SECRET']})",
        "column 'debt' that is not float64",
    ),
    "a number where a UPRN belongs": (
        "pa.table({'uprn': [1.5], 'debt': [1.0]})",
        "column 'uprn' that is not int32 or int64",
    ),
    "small numbers": (
        "pa.table({'uprn': [1], 'debt': pa.array([1.0], pa.float32())})",
        "column 'debt' that is not float64",
    ),
    "lists": ("pa.table({'uprn': [[1]], 'debt': [1.0]})", "column 'uprn'"),
    "an extension": (
        "pa.table({'uprn': pa.array([bytes(16)], pa.uuid()), 'debt': [1.0]})",
        "column 'uprn'",
    ),
    "nothing": ("None", "without an Arrow C stream"),
    "numbers of rows": ("pa.table({'uprn': [1], 'debt': [1.0]}), 'x', 1, [1, 2]", "row numbers"),
    "texts of rows": ("pa.table({'uprn': [1], 'debt': [1.0]}), 'x', 1, ['SECRET']", "row numbers"),
    "unread places outside": (
        "pa.table({'uprn': [1], 'debt': [1.0]}), 'x', 1, None, {'debt': [1]}",
        "named values as unread",
    ),
    "unread of no column": (
        "pa.table({'uprn': [1], 'debt': [1.0]}), 'x', 1, None, {'SECRET': [0]}",
        "named values as unread",
    ),
    "no origin": ("pa.table({'uprn': [1], 'debt': [1.0]}), ''", "without an origin"),
}


@pytest.mark.parametrize("what", RECORDS)
def test_a_batch_that_was_not_asked_for_is_a_breach(opened, source_text, what):
    arguments, said = RECORDS[what]
    origin = "" if "'x'" in arguments or "''" in arguments else ", 'x'"
    more = f"""
    def read(self, context):
        yield Records({arguments.replace("SECRET", SECRET)}{origin})
    Source.read = read
    """
    source = make_source(opened(source_text, more).sources["debt"], {}, "w", Path("/"))
    with pytest.raises(PluginFailure) as failed:
        list(source.read(ReadContext(("debt",), datetime.date(2026, 4, 1), print)))
    assert failed.value.kind is FailureKind.CONTRACT
    assert said in failed.value.problem
    assert (failed.value.hook, failed.value.name) == ("read", "debt")
    assert SECRET not in str(failed.value)


# What a source's process sends in place of a batch; `send` is the runtime's own.
BATCHES = {
    "another number of rows": "{'origin': 'x', 'first_row': 1, 'rows': 2}, GOOD",
    "no number of rows": "{'origin': 'x', 'first_row': 1}, GOOD",
    "a row number beyond all": "{'origin': 'x', 'first_row': 2**63, 'rows': 1}, GOOD",
    "no origin at all": "{'first_row': 1, 'rows': 1}, GOOD",
    "an endless origin": "{'origin': 'x' * 9_999, 'first_row': 1, 'rows': 1}, GOOD",
    "columns that are none": "{'origin': 'x', 'first_row': 1, 'rows': 1}, [b'SECRET' * 9]",
    "row numbers of texts": "{'origin': 'x', 'first_row': 1, 'rows': 1}, table("
    "pa.array([1]), pa.array(['SECRET']), names=['uprn', '.rows'])",
    "row numbers unknown": "{'origin': 'x', 'first_row': 1, 'rows': 1}, table("
    "pa.array([1]), pa.nulls(1, pa.int64()), names=['uprn', '.rows'])",
    "marks of numbers": "{'origin': 'x', 'first_row': 1, 'rows': 1}, table("
    "pa.array([1]), pa.array([1]), names=['uprn', '.unread.uprn'])",
    "marks unknown": "{'origin': 'x', 'first_row': 1, 'rows': 1}, table("
    "pa.array([1]), pa.nulls(1, pa.bool_()), names=['uprn', '.unread.uprn'])",
    "a rejection of no file": "{'told': [['reject', 7, 1, 'f', 'r', 'v']]}, None",
    "a rejection of no row": "{'told': [['reject', 'f', True, 'f', 'r', 'v']]}, None",
    "an endless value": "{'told': [['reject', 'f', 1, 'f', 'r', 'v' * 5_000]]}, None",
    "endless rejections": "{'told': [['reject', 'f', 1, 'f', 'r', 'v']] * 2_001}, None",
    "records left out below zero": "{'told': [['leave_out', 'retired', -1]]}, None",
    "a note that is none": "{'told': [['note', {}]]}, None",
    "something told that is nothing": "{'told': [['SECRET']]}, None",
    "nothing told": "{'told': {}}, None",
}


@pytest.mark.parametrize("what", BATCHES)
def test_a_message_of_a_source_that_is_none_ends_the_process(opened, source_text, what):
    more = f"""{REACH}
GOOD = table(pa.array([1]), names=["uprn"])
def hostile(source, body, send):
    send({BATCHES[what].replace("SECRET", SECRET)})
reading.read = hostile
"""
    source = make_source(opened(source_text, more).sources["debt"], {}, "w", Path("/"))
    rejected = []
    context = ReadContext((), datetime.date(2026, 4, 1), rejected.extend)
    failure = broken_by(lambda: list(source.read(context)))
    assert (failure.hook, failure.name) == ("read", "debt")
    assert rejected == []
    assert gone(source.process)


TEXTS = {
    "one long text": "pa.array(['x' * 70_000])",
    "one text many times": "pa.DictionaryArray.from_arrays("
    "pa.array([0] * 250_000, pa.int8()), ['x' * 60_000])",
    "one view many times": "VIEWS",
    "an unknown code": "pa.DictionaryArray.from_arrays("
    "pa.array([0], pa.int8()), pa.array([None], pa.string()))",
}


@pytest.mark.parametrize("what", TEXTS)
def test_short_columns_of_endless_texts_end_the_process(opened, source_text, what):
    more = f"""{REACH}
text = b"x" * 60_000
view = struct.pack("<i4sii", len(text), text[:4], 0, 0)
VIEWS = pa.Array.from_buffers(
    pa.string_view(), 250_000, [None, pa.py_buffer(view * 250_000), pa.py_buffer(text)])
def hostile(source, body, send):
    band = {TEXTS[what]}
    parts = table(pa.array(range(len(band))), band, names=["uprn", "band"])
    send({{"origin": "x", "first_row": 1, "rows": len(band)}}, parts)
reading.read = hostile
"""
    source = make_source(opened(source_text, more).sources["debt"], {}, "w", Path("/"))
    context = ReadContext(("band",), datetime.date(2026, 4, 1), print)
    broken_by(lambda: list(source.read(context)))


def test_more_batches_than_the_node_wants_end_the_process(opened, source_text):
    more = f"""{REACH}
GOOD = table(pa.array([1]), names=["uprn"])
def hostile(source, body, send):
    (call,) = reach()._streams
    while True:
        say(call, {{"reply": "item", "origin": "x", "first_row": 1, "rows": 1}}, GOOD)
reading.read = hostile
"""
    source = make_source(opened(source_text, more).sources["debt"], {}, "w", Path("/"))
    batches = source.read(ReadContext((), datetime.date(2026, 4, 1), print))
    assert next(batches).origin == "x"
    threading.Event().wait(0.5)
    broken_by(lambda: list(batches))


def test_a_source_that_tells_without_end_is_ended(opened, source_text, monkeypatch):
    monkeypatch.setattr(told, "MOST_TOLD_ALONE", 20_000)
    more = """
    def read(self, context):
        while True:
            context.reject([Rejection("a.csv", 1, "debt", "is no number", "-")] * 1_000)
        yield
    Source.read = read
    """
    source = make_source(opened(source_text, more).sources["debt"], {}, "w", Path("/"))
    heard = []
    context = ReadContext((), datetime.date(2026, 4, 1), lambda some: heard.append(len(some)))
    failure = broken_by(lambda: list(source.read(context)))
    assert "more rejections and notes" in failure.problem
    assert sum(heard) <= 20_000


SCHEMAS = {
    "endless brackets": "{'name': 'x', 'level': 'household', 'fields': "
    "__import__('functools').reduce(lambda inner, _: [inner], range(960), [])}",
    "no table": "[]",
    "no fields": "{'name': 'x', 'level': 'household'}",
    "another level": "{'name': 'x', 'level': 'SECRET', 'fields': []}",
    "a number for a name": "{'name': 7, 'level': 'household', 'fields': []}",
    "a field that contradicts itself": "{'name': 'x', 'level': 'household', 'fields': [{'name':"
    " 'SECRET', 'type': 'number', 'combine': 'sum', 'category': 'finance'}]}",
    "an endless name": "{'name': 'x' * 20_000, 'level': 'household', 'fields': []}",
    "a name that does not print": "{'name': 'x\\x1b', 'level': 'household', 'fields': []}",
    "endless fields": "{'name': 'x', 'level': 'household', 'fields': [{}] * 2_001}",
}


@pytest.mark.parametrize("what", SCHEMAS)
def test_a_schema_that_is_none_ends_the_process(opened, source_text, what):
    more = f"""{REACH}
runtime.plain = lambda _: {SCHEMAS[what].replace("SECRET", SECRET)}
"""
    source = make_source(opened(source_text, more).sources["debt"], {}, "w", Path("/"))
    assert broken_by(lambda: source.schema).hook == "schema"


@pytest.mark.parametrize("text", ["7", "'x' * (1 << 20) + 'x'"])
def test_a_draft_that_is_none_ends_the_process(opened, source_text, text):
    more = f"""{REACH}
runtime._Server._calls["draft"] = lambda *_: ({{"reply": "done", "text": {text}}}, None)
"""
    kind = opened(source_text, more).sources["debt"]
    assert broken_by(lambda: kind.draft(Path("x"))).hook == "draft"


def test_an_error_for_people_is_bounded_and_prints(opened, factor_text):
    more = """
    def __init__(self, parameters):
        raise PluginError("w" * 10_000, "p\\n\\x1b[2J" + "x" * 10_000, "r\\u202e", transient="yes")
    Factor.__init__ = __init__
    """
    kind = opened(factor_text, more).factors["debt"]
    with pytest.raises(PluginError) as refused:
        make_factor(kind, {}, "policy.toml")
    assert len(refused.value.where) == 200
    assert refused.value.problem.startswith("p [2Jxx")
    assert len(refused.value.problem) < 2_001
    assert refused.value.remedy == "r"
    assert refused.value.transient is True
