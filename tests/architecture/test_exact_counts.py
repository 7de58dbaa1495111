"""Exact counts cannot be printed, copied, encoded or logged, and errors do not quote them."""

from __future__ import annotations

import array
import copy
import io
import json
import logging
import marshal
import multiprocessing.reduction
import pickle
import pprint
import traceback
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from folkmoot.v1 import release_pb2
from folkmoot_node.release.exact_counts import ExactCounts
from folkmoot_node.release.mechanism import _Task

MARK = 31_415_926_535
EXACT = ExactCounts([(1,)], [np.array([MARK, MARK], dtype=np.int64)])


def clean(text: str) -> None:
    assert str(MARK) not in text
    assert f"{MARK:,}" not in text


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        ascii,
        "{}".format,
        "{:>80}".format,
        "%s".__mod__,
        "%r".__mod__,
        pprint.pformat,
        pretty_repr,
        lambda counts: f"{counts} {counts!r} {[counts]} { {'counts': counts} }",
        lambda counts: json.dumps(counts, default=str),
        lambda counts: json.dumps(counts, default=repr),
        lambda counts: repr(dir(counts)),
        lambda counts: str(pl.Series([counts], dtype=pl.Object)),
    ],
)
def test_it_shows_nothing(show: Callable[[ExactCounts], str]) -> None:
    clean(show(EXACT))
    assert str(MARK) in str(EXACT._tables)  # what is looked for is there


@pytest.mark.parametrize(
    "take",
    [
        pickle.dumps,
        multiprocessing.reduction.ForkingPickler.dumps,
        marshal.dumps,
        json.dumps,
        copy.copy,
        copy.deepcopy,
        bytes,
        bytearray,
        memoryview,
        list,
        tuple,
        iter,
        sum,
        vars,
        hash,
        int,
        len,
        np.array,
        np.asarray,
        np.sum,
        np.save.__get__(io.BytesIO()),
        pl.Series,
        lambda counts: array.array("q", counts),
        lambda counts: np.array([None, counts], dtype=object),
        lambda counts: counts[0],
        lambda counts: counts == EXACT,
        lambda counts: counts + 0,
        lambda counts: MARK in counts,
        lambda counts: release_pb2.CellChunk(values=counts),
        lambda counts: release_pb2.CellChunk(values=[counts]),
        lambda counts: release_pb2.ReleaseHeader(ledger_entry=counts),
        lambda counts: release_pb2.ReleaseHeader(round_id=counts),
        lambda counts: counts.__getstate__(),
        lambda counts: counts.__dict__,
    ],
)
def test_it_refuses_to_be_taken_apart(take: Callable[[ExactCounts], object]) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError)) as caught:
        take(EXACT)
    clean("".join(traceback.format_exception(caught.value)))


def test_a_log_record_shows_nothing() -> None:
    stream = io.StringIO()
    log = logging.Logger("test")
    log.addHandler(logging.StreamHandler(stream))
    log.error("counts %s %r", EXACT, EXACT)
    log.error(EXACT)
    try:
        raise RuntimeError(EXACT)
    except RuntimeError:
        log.exception("fault")
    clean(stream.getvalue())
    assert "redacted" in stream.getvalue()


def fail(counts: ExactCounts, task: _Task) -> None:
    raise RuntimeError(f"with {counts} and {task}")


def test_even_a_trace_that_shows_variables_shows_neither_counts_nor_tasks() -> None:
    """Nothing of ours makes such a trace; a debugger or another library may."""
    task = _Task(np.arange(2), EXACT._tables[0], print)
    try:
        fail(EXACT, task)
    except RuntimeError as error:
        plain = traceback.TracebackException.from_exception(error, capture_locals=True)
        stream = io.StringIO()
        trace = Traceback.from_exception(
            type(error), error, error.__traceback__, show_locals=True, locals_max_string=10_000
        )
        Console(file=stream, width=200).print(trace)
    clean("".join(plain.format()))
    clean(stream.getvalue())
    assert "redacted" in stream.getvalue()


def test_overflow_is_told_without_the_count() -> None:
    with pytest.raises(OverflowError) as caught:
        ExactCounts([(1,)], [np.array([MARK * 10], dtype=np.int64)])
    clean("".join(traceback.format_exception(caught.value)))
    assert str(MARK * 10) not in str(caught.value)
