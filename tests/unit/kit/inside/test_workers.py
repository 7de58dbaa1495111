"""Calls run at once, each on a thread; a thread that has none takes the next."""

import threading

from folkmoot_kit.inside.workers import Workers


def test_work_that_waits_does_not_hold_other_work():
    workers = Workers()
    barrier = threading.Barrier(4)
    for _ in range(3):
        workers.run(barrier.wait)
    barrier.wait(60)


def test_a_thread_is_used_again():
    workers = Workers()
    threads = set()
    for _ in range(20):
        done = threading.Event()

        def work(done=done):
            threads.add(threading.get_ident())
            done.set()

        workers.run(work)
        assert done.wait(60)
        threading.Event().wait(0.01)
    assert len(threads) < 10
