"""Without the grant of a clock no way of asking tells a date, and waiting works."""

from __future__ import annotations

import os
import time

from folkmoot_kit.confinement import Grants
from tests.confined_code import run_confined

MACHINE_CODE = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=7)
page.write(bytes.fromhex({code!r}))
ctypes.CFUNCTYPE(ctypes.c_ulong)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
"""
READ_ALL = """
import ctypes, datetime, email.utils, logging, os, time
libc = ctypes.CDLL(None, use_errno=True)
pair = ctypes.create_string_buffer(16)
def seconds(call, *arguments):
    ctypes.memset(pair, 0, 16)
    answer = getattr(libc, call)(*arguments)
    return int.from_bytes(pair.raw[:8], "little") if answer == 0 else -1
def by_system_call(number, *arguments):
    ctypes.memset(pair, 0, 16)
    answer = libc.syscall(number, *arguments)
    return int.from_bytes(pair.raw[:8], "little") if answer == 0 else answer
result = {
    "time": time.time(), "time_ns": time.time_ns() / 1e9,
    "localtime": time.mktime(time.localtime()), "gmtime": time.mktime(time.gmtime()),
    "now": datetime.datetime.now().timestamp(), "utcnow": datetime.datetime.utcnow().timestamp(),
    "today": time.mktime(datetime.date.today().timetuple()),
    "log": logging.makeLogRecord({}).created,
    "mail": email.utils.mktime_tz(email.utils.parsedate_tz(email.utils.formatdate())),
    "C time": libc.time(None), "C gettimeofday": seconds("gettimeofday", pair, None),
    **{f"clock {n}": seconds("clock_gettime", n, pair) for n in range(12)},
    **{f"call {n}": by_system_call(NUMBER, n, pair) for n in range(12) if n != 6},
}
"""
COUNTER = {
    "x86_64": "0f31c3",  # rdtsc; ret
    "aarch64": "40e03bd5c0035fd6",  # mrs x0, cntvct_el0; ret
}
NUMBERS = {"x86_64": 228, "aarch64": 113}


def test_no_way_of_asking_tells_a_date() -> None:
    code = READ_ALL.replace("NUMBER", str(NUMBERS[os.uname().machine]))
    outcome = run_confined(code)

    assert outcome.value is not None, outcome
    since_start = time.clock_gettime(time.CLOCK_MONOTONIC)
    for how, moment in outcome.value.items():
        assert moment <= since_start + 1, how
        if how.startswith("call"):
            assert moment == -1, how
    assert outcome.value["clock 1"] > since_start - 60


def test_with_the_grant_they_tell_it() -> None:
    outcome = run_confined(
        "import datetime, time; result = [time.time(), datetime.datetime.now().timestamp()]",
        Grants(clock=True),
    )

    assert outcome.value is not None, outcome
    assert all(abs(moment - time.time()) < 60 for moment in outcome.value)


def test_the_network_brings_the_clock_along_which_tls_needs() -> None:
    outcome = run_confined("import time; result = time.time()", Grants(network=True))

    assert outcome.value is not None, outcome
    assert abs(outcome.value - time.time()) < 60


def test_the_clock_left_goes_in_ticks() -> None:
    outcome = run_confined(
        "import time\n"
        "seen = {time.monotonic() for _ in range(20_000)}\n"
        "result = [len(seen), time.get_clock_info('monotonic').resolution]\n"
    )

    assert outcome.value is not None, outcome
    assert outcome.value[0] < 200  # 20,000 readings of an exact clock would be as many moments


def test_the_processors_counter_ends_the_process() -> None:
    read = MACHINE_CODE.format(code=COUNTER[os.uname().machine])
    outcome = run_confined(read)

    assert outcome.ending is not None
    assert "killed by signal 11" in outcome.ending.reason
    granted = run_confined(read, Grants(clock=True)).ending
    assert granted is not None
    assert granted.exit_code == 0


def test_asking_in_other_ways_ends_the_process_or_is_refused() -> None:
    code = (
        "import ctypes, resource\n"
        "held = ctypes.create_string_buffer(512)\n"
        "result = [ctypes.CDLL(None).sysinfo(held), any(held.raw)]\n"
        "try: resource.getrusage(0)\n"
        "except OSError as error: result.append(type(error).__name__)\n"
    )
    assert run_confined(code).value == [-1, False, "PermissionError"]

    outcome = run_confined("import ctypes; ctypes.CDLL(None).adjtimex(bytes(256))")
    assert outcome.ending is not None
    assert "killed by signal 31" in outcome.ending.reason


def test_a_wait_until_a_date_does_not_tell_whether_it_is_past() -> None:
    """FUTEX_WAIT_BITSET with FUTEX_CLOCK_REALTIME, for dates that are past and to come."""
    number = {"x86_64": 202, "aarch64": 98}[os.uname().machine]
    code = (
        "import ctypes, struct, time\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "word = ctypes.c_uint(0)\n"
        "result = []\n"
        "for date in (1, 4_000_000_000):\n"
        "    until = ctypes.create_string_buffer(struct.pack('=qq', date, 0))\n"
        "    began = time.monotonic()\n"
        f"    answer = libc.syscall({number}, ctypes.byref(word), 0x189, 0, until, None, -1)\n"
        "    result.append([answer, ctypes.get_errno(), time.monotonic() - began < 30])\n"
    )

    outcome = run_confined(code)

    assert outcome.value == [[-1, 110, True], [-1, 110, True]], outcome


def test_what_it_can_still_find_out_is_when_it_was_started() -> None:
    """What SECURITY says about dates of folders: if Linux can hide them one day, say so there."""
    outcome = run_confined("import os; result = os.stat('/').st_ctime")

    assert outcome.value is not None, outcome
    assert abs(outcome.value - time.time()) < 60
