"""A message comes whole and as it was sent, or not at all; nothing longer than allowed is read."""

import os
import socket
import struct
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_kit.channel.frames import (
    Bounds,
    Channel,
    DescriptorEnd,
    FrameError,
    SocketEnd,
)

SMALL = Bounds(json_bytes=1_000, columns_bytes=10_000)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def frame(kind, call, content, magic=b"FMK1", length=None):
    return struct.pack("<4sIII", magic, kind, call, len(content) if length is None else length) + (
        content
    )


@given(st.integers(0, 2**32 - 1), st.dictionaries(st.sampled_from("abc"), JSON), st.binary())
def test_a_message_comes_as_it_was_sent_in_both_directions(call, body, content):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        there = Channel(SocketEnd(ours), Bounds())
        back = Channel(DescriptorEnd(theirs.fileno()), Bounds())
        for sender, receiver in ((there, back), (back, there)):
            sender.send(call, body)
            sender.send(call, body, [content, memoryview(content)])
            plain, with_columns = receiver.receive(), receiver.receive()
            assert (plain.call, plain.body, plain.columns) == (call, body, None)
            assert with_columns.body == {**body, "columns": True}
            assert with_columns.columns.tobytes() == content * 2


def test_a_large_message_crosses_a_small_socket_in_many_pieces(ends):
    ours, theirs = ends
    pieces = [os.urandom(997) for _ in range(2_000)]
    sender = threading.Thread(
        target=Channel(DescriptorEnd(theirs.fileno()), Bounds()).send, args=(7, {}, pieces)
    )
    sender.start()
    message = Channel(SocketEnd(ours), Bounds()).receive()
    sender.join()
    assert message.columns.tobytes() == b"".join(pieces)


def test_messages_of_several_threads_do_not_mix(ends):
    ours, theirs = ends
    sending = Channel(DescriptorEnd(theirs.fileno()), Bounds())
    receiving = Channel(SocketEnd(ours), Bounds())

    def send(call):
        for _ in range(50):
            sending.send(call, {"call": call}, [bytes([call]) * 50_000])

    threads = [threading.Thread(target=send, args=(call,)) for call in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for _ in range(150):
        message = receiving.receive()
        assert message.body["call"] == message.call
        assert np.all(message.columns == message.call)
        assert len(message.columns) == 50_000
    for thread in threads:
        thread.join()


def test_the_end_of_the_channel_between_messages_is_no_error(ends):
    ours, theirs = ends
    theirs.close()
    assert Channel(SocketEnd(ours), SMALL).receive() is None


@pytest.mark.parametrize(
    "sent",
    [
        frame(1, 1, b"{}", magic=b"HTTP"),
        frame(0, 1, b"{}"),
        frame(3, 1, b"{}"),
        frame(2, 1, b"columns"),
        frame(1, 1, b"not json"),
        frame(1, 1, b"[1, 2]"),
        frame(1, 1, b'{"a": NaN}'),
        frame(1, 1, b'{"a": "\xff"}'),
        frame(1, 1, b"[" * 900),
        frame(1, 1, b'{"columns": true}'),
        frame(1, 1, b'{"columns": true}') + frame(2, 2, b""),
        frame(1, 1, b'{"columns": true}') + frame(1, 1, b"{}"),
        frame(1, 1, b"{}")[:7],
        frame(1, 1, b"{}", length=3),
        frame(1, 1, b"", length=1_001),
        frame(1, 1, b"", length=2**32 - 1),
        frame(1, 1, b'{"columns": true}') + frame(2, 1, b"", length=10_001),
    ],
)
def test_what_is_no_message_is_refused(ends, sent):
    ours, theirs = ends
    theirs.sendall(sent)
    theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(FrameError) as refused:
        Channel(SocketEnd(ours), SMALL).receive()
    assert "HTTP" not in str(refused.value)


def test_a_length_that_is_refused_makes_nothing_wait_and_nothing_large(ends):
    ours, theirs = ends
    theirs.sendall(frame(1, 1, b"", length=2**31))  # and it does not close
    ours.settimeout(5)
    with pytest.raises(FrameError, match="longer than is allowed"):
        Channel(SocketEnd(ours), SMALL).receive()


@pytest.mark.parametrize(
    ("body", "columns"), [({"a": "x" * 1_000}, None), ({}, [b"x" * 9_000, b"x" * 1_001])]
)
def test_a_message_that_the_other_side_would_refuse_is_not_sent(ends, body, columns):
    ours, theirs = ends
    with pytest.raises(FrameError, match="longer"):
        Channel(SocketEnd(ours), SMALL).send(1, body, columns)
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        theirs.recv(1)


def test_who_sends_may_stop_waiting_for_a_side_that_takes_nothing(ends):
    ours, _ = ends

    def wait():
        raise TimeoutError

    with pytest.raises(TimeoutError):
        Channel(SocketEnd(ours), Bounds()).send(1, {}, [bytes(64 << 20)], wait)
