"""What it costs that somebody watches: a submission and a scoring run, with metrics and without.

Watched means all that `[metrics]` can ask for: an endpoint that is asked each second, a receiver
of OTLP on this machine, and traces. Both ways are run in turn in one run, and told as ratios.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

import scoring

import coordinator
from tests.otlp_receiver import receiving
from tests.ports import free_port

COUNCILS, REPEATS = 200, 5
HOUSEHOLDS = 200_000
LIMIT_RATIO = 1.1
"""Of processor time: a tenth more at most."""
ASKED_EACH = 1.0
"""Seconds between two questions of Prometheus; in earnest it asks four times a minute."""
_SETTINGS = "watch.json"


@contextmanager
def asked(port: int) -> Iterator[list[int]]:
    """Asks the endpoint again and again, as Prometheus does; how long each answer was."""
    stop, lengths = threading.Event(), list[int]()

    def ask() -> None:
        while not stop.wait(ASKED_EACH):
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as r:
                lengths.append(len(r.read()))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield lengths
    finally:
        stop.set()
        thread.join()


def submissions(councils: int, repeats: int) -> dict[str, Any]:
    """Milliseconds of the server's processor for a submission, watched and not."""
    invited = coordinator.councils(councils)
    workload = coordinator.shared_codes()
    taken: dict[str, list[float]] = {"without": [], "with": []}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, port = Path(name), free_port()
        receiver = stack.enter_context(receiving())
        served: dict[str, tuple[coordinator.Region, int]] = {}
        for way in taken:
            region = coordinator.Region.create(folder / way, invited)
            stack.callback(region.database.close)
            if way == "with":
                with region.home.settings_file.open("a") as file:
                    file.write(f'\n[metrics]\nlisten = "127.0.0.1:{port}"\n')
                    file.write(f'otlp = "{receiver.url}"\nevery_seconds = 5\n')
            command = [
                str(Path(sys.executable).parent / "folkmoot-coordinator"),
                *("serve", "--home", str(region.home.path)),
            ]
            pid, _ = stack.enter_context(coordinator.process(command, folder / f"{way}.log"))
            served[way] = region, pid
        lengths = stack.enter_context(asked(port))
        for _ in range(repeats):
            for way, (region, pid) in served.items():
                round_ = coordinator.round_of(workload, invited, int(time.time()))
                stored = coordinator.open_round(region.database, region.signing, round_)
                load, pem = region.load(stored), region.authority.pem
                found = coordinator.submissions(pid, region.port, pem, load, folder)
                if found["receipts"] != councils:
                    raise RuntimeError(f"not all have a receipt: {found['failures']}")
                taken[way].append(found["milliseconds"])
        if not lengths or not receiver.raw:
            raise RuntimeError("nobody has seen the metrics")
    return {"councils": councils, **compared(taken, "milliseconds")}


def compared(taken: dict[str, list[float]], unit: str) -> dict[str, Any]:
    """Medians of both ways, and of the ratios of runs that were made in turn."""
    pairs = zip(taken["with"], taken["without"], strict=True)
    return {
        f"{unit}_with": statistics.median(taken["with"]),
        f"{unit}_without": statistics.median(taken["without"]),
        "ratio": statistics.median(one / other for one, other in pairs),
        "limit": LIMIT_RATIO,
    }


def run_watched(folder: Path) -> scoring.Taken:
    """One scoring run as `serve` makes it where its settings ask for metrics and traces."""
    from folkmoot_node.signals.metrics import METRICS
    from folkmoot_operator import signal_output
    from folkmoot_operator.signal_settings import MetricsSettings

    settings = MetricsSettings(**json.loads((folder / _SETTINGS).read_text()))
    with signal_output.shown(settings, folder, "folkmoot-node", "1", METRICS):
        return scoring.run_node(folder)


def scores(households: int, repeats: int) -> dict[str, Any]:
    """Processor seconds of a scoring run, watched and not."""
    taken: dict[str, list[float]] = {"without": [], "with": []}
    ways = {"without": scoring.run_node, "with": run_watched}
    with tempfile.TemporaryDirectory() as name, receiving() as receiver:
        folder, port = Path(name), free_port()
        scoring.write_extracts(folder / "extracts", households)
        scoring.write_home(folder / "home", 2)
        (folder / "home").chmod(0o700)
        given = {"listen": f"127.0.0.1:{port}", "otlp": receiver.url, "every_seconds": 5}
        (folder / _SETTINGS).write_text(json.dumps(given))
        with asked(port):
            for _ in range(repeats):
                for way, run in ways.items():
                    taken[way].append(scoring.measured(run, folder)[0].processor)
        if not receiver.raw:
            raise RuntimeError("nobody has seen the metrics")
    return {"households": households, **compared(taken, "processor_seconds")}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--councils", type=int, default=COUNCILS)
    parser.add_argument("--households", type=int, default=HOUSEHOLDS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args([] if arguments is None else arguments)
    return {
        "submission": submissions(options.councils, options.repeats),
        "score": scores(options.households, options.repeats),
    }


def told(result: dict[str, Any]) -> str:
    """The result in words."""
    one, other = result["submission"], result["score"]
    return (
        f"Metrics and traces: a submission takes {one['milliseconds_with']:.1f} ms of processor "
        f"instead of {one['milliseconds_without']:.1f}, {one['ratio']:.2f} times (at most "
        f"{one['limit']}); scores of {other['households']:,} households "
        f"{other['processor_seconds_with']:.1f} s instead of "
        f"{other['processor_seconds_without']:.1f}, {other['ratio']:.2f} times (at most "
        f"{other['limit']})"
    )


if __name__ == "__main__":
    print(told(main(sys.argv[1:])))
