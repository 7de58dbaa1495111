"""What it costs that plugins run apart: starting, a batch, and a run on a million households.

Run as a script: everything is measured confined and in the node's process, in turn and in fresh
processes, and told as ratios. The plugins are those that come with the node and one that is
installed in a folder for the benchmark, which makes twelve factors together.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))

import scoring

if TYPE_CHECKING:
    from folkmoot_node.plugins.loaded import LoadedPlugins

BATCH = 65_536
TARGET_START = 300.0
"""Milliseconds from nothing to declarations."""
TARGET_BATCH = 2.0
"""Milliseconds a batch beyond the copy."""
TARGET_RATIO = 1.3
DISTRIBUTION, VERSION = "benchmark-factors", "1"
MODULE = "benchmark_factors"
CODE = """
import numpy as np
from folkmoot_sdk import FieldType, Input, RiskFactor, hookimpl

TENURES = {tenures!r}
TYPES = {types!r}
YEARS = dict(type=FieldType.INTEGER, unit="years")


def threshold(factor, field, meets, unknown):
    class Threshold(RiskFactor):
        name = title = factor
        description = f"1 if {{field.name}} meets the threshold, else 0."
        domain = "benchmark"
        inputs = (field,)

        def score(self, inputs, context):
            values = inputs[field.name]
            result = meets(values).astype(np.float64)
            result[unknown(values)] = np.nan
            return result

        def explain(self, values, score, context):
            return f"{{field.name}}: {{values[field.name]}}"

    return Threshold


def category(name, codes):
    return Input(name, FieldType.CATEGORY, codes=codes)


def negative(values):
    return values < 0


RENT = Input("rent_arrears", FieldType.NUMBER, "GBP")
PEOPLE = Input("people", FieldType.INTEGER)


@hookimpl
def folkmoot_risk_factors():
    return [
        threshold("social_renting", category("tenure", TENURES), lambda v: v == 2, negative),
        threshold("lone_parent", category("household_type", TYPES), lambda v: v == 4, negative),
        threshold("young_child", Input("youngest_age", **YEARS), lambda v: v < 5, np.isnan),
        threshold("large_household", PEOPLE, lambda v: v >= 6, np.isnan),
        threshold("rent_in_arrears", RENT, lambda v: v > 500, np.isnan),
        threshold("very_old", Input("oldest_age", **YEARS), lambda v: v >= 85, np.isnan),
    ]
"""


def install(folder: Path) -> Path:
    """Writes the benchmark's distribution as an installer would."""
    folder.mkdir()
    code = CODE.format(tenures=scoring.TENURES, types=scoring.TYPES)
    (folder / f"{MODULE}.py").write_text(code)
    info = folder / f"{MODULE}-{VERSION}.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {VERSION}\n"
    (info / "METADATA").write_text(metadata)
    (info / "entry_points.txt").write_text(f"[folkmoot]\nbenchmark = {MODULE}\n")
    return folder


@contextmanager
def plugins(folder: Path, way: str) -> Iterator[LoadedPlugins]:
    """The plugins of a benchmark.

    Args:
        folder: The folder of the benchmark.
        way: A key of `RUNS`.
    """
    from folkmoot_kit import confinement
    from folkmoot_kit.hosting import Hosting, open_plugins
    from folkmoot_node.plugins.grants import for_shipped_sources
    from folkmoot_node.plugins.installed import InstalledPlugin
    from folkmoot_node.plugins.loaded import LoadedPlugins
    from folkmoot_node.plugins.placement import Placement, Way
    from folkmoot_node.plugins.shipped import FACTORS, SHIPPED
    from folkmoot_node.settings.node_toml import load_config

    shipped = sorted(SHIPPED)
    folders = (folder / "installed", *confinement.import_folders())
    confined, twice = way != "in the node's process", way == "unreviewed"
    if confined:
        config = load_config(folder / "home")
        reads = for_shipped_sources(config, config.sources)
        computing = tuple(sorted(FACTORS))
        hostings = [
            Hosting(distributions=tuple(n for n in shipped if n not in FACTORS), grants=reads)
        ]
        if twice:
            hostings += [Hosting(distributions=computing), Hosting(distributions=(DISTRIBUTION,))]
        else:
            hostings.append(Hosting(distributions=(*computing, DISTRIBUTION)))
        hosted = open_plugins(hostings, import_folders=folders)
    else:
        sys.path.insert(0, str(folders[0]))
        hosted = open_plugins([], in_process=[*shipped, DISTRIBUTION], import_folders=folders)
    assert not hosted.broken, hosted.broken

    def placed(name: str) -> Placement:
        is_ours = name != DISTRIBUTION or not twice
        plugin = InstalledPlugin(name, VERSION, ())
        return Placement(plugin, Way.APART, is_shipped=is_ours, is_reviewed=is_ours)

    with LoadedPlugins(
        sources=hosted.sources,
        factors=hosted.factors,
        source_origins=hosted.source_origins,
        factor_origins=hosted.factor_origins,
        broken=(),
        placements=tuple(map(placed, [*shipped, DISTRIBUTION])),
        processes=hosted.processes,
    ) as loaded:
        yield loaded


def run(folder: Path, way: str) -> scoring.Taken:
    """Scores through the node: opening and closing plugins included, imports left out."""
    import duckdb
    import duckdb_extension_httpfs

    import folkmoot_kit.hosting
    from folkmoot_node.pipeline.local import score
    from folkmoot_node.policies.risk_policy import load_policy
    from folkmoot_node.settings.node_toml import load_config

    del duckdb, duckdb_extension_httpfs, folkmoot_kit
    with scoring.stopwatch() as taken:
        config = load_config(folder / "home")
        with plugins(folder, way) as loaded:
            score(config, loaded, load_policy(config.risk_policy), today=scoring.REFERENCE)
    return taken[0]


def in_the_nodes_process(folder: Path) -> scoring.Taken:
    """All plugins in the node's process."""
    return run(folder, "in the node's process")


def confined(folder: Path) -> scoring.Taken:
    """All plugins in two confined processes, as those that come with the node."""
    return run(folder, "confined")


def unreviewed(folder: Path) -> scoring.Taken:
    """Six factors as those of others that nobody has reviewed: shuffled, and scored twice."""
    return run(folder, "unreviewed")


RUNS: dict[str, Callable[[Path], scoring.Taken]] = {
    "in the node's process": in_the_nodes_process,
    "confined": confined,
    "unreviewed": unreviewed,
}


def start_milliseconds(folder: Path, repeats: int) -> float:
    """Median time to start the process of one plugin, until it has said what it has."""
    from folkmoot_kit import confinement
    from folkmoot_kit.hosting import Hosting, open_plugins

    assert confinement.unmet() is None, confinement.unmet()
    folders = (folder / "installed", *confinement.import_folders())
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        with open_plugins([Hosting(distributions=(DISTRIBUTION,))], import_folders=folders):
            taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)


def batch_milliseconds(folder: Path, repeats: int) -> dict[str, float]:
    """Medians of one batch scored by six factors: confined, here, and the copy of its arrays."""
    import numpy as np

    from folkmoot_kit import confinement
    from folkmoot_kit.hosting import (
        ConfinedFactor,
        Hosting,
        make_factor,
        open_plugins,
        thousandths_together,
    )
    from folkmoot_node.scoring.factors import in_thousandths
    from folkmoot_sdk.factor import ScoringContext

    rng = np.random.default_rng(1)
    folders = (folder / "installed", *confinement.import_folders())
    context = ScoringContext(scoring.REFERENCE)
    sys.path.insert(0, str(folders[0]))
    taken: dict[str, list[float]] = {"confined": [], "here": [], "copy": []}
    with (
        open_plugins([Hosting(distributions=(DISTRIBUTION,))], import_folders=folders) as apart,
        open_plugins([], in_process=[DISTRIBUTION], import_folders=folders) as here,
    ):
        made = {
            name: [make_factor(kind, {}, name) for kind in opened.factors.values()]
            for name, opened in (("confined", apart), ("here", here))
        }
        arrays: dict[str, Any] = {}
        for factor in made["here"]:
            for entry in factor.inputs:
                values = rng.integers(0, 4, BATCH).astype(np.int16 if entry.codes else np.float64)
                values.flags.writeable = False
                arrays[entry.name] = values
        inputs = [{e.name: arrays[e.name] for e in factor.inputs} for factor in made["here"]]

        confined = [one for one in made["confined"] if isinstance(one, ConfinedFactor)]

        def scored_here() -> list[Any]:
            pairs = zip(made["here"], inputs, strict=True)
            return [in_thousandths(factor.score(given, context)) for factor, given in pairs]

        def timed(name: str, work: Callable[[], object]) -> None:
            start = time.perf_counter()
            work()
            taken[name].append(1000 * (time.perf_counter() - start))

        for _ in range(repeats):
            timed("confined", lambda: thousandths_together(confined, inputs, context))
            timed("here", scored_here)
            timed("copy", lambda: [array.copy() for array in arrays.values()])
    return {name: statistics.median(found) for name, found in taken.items()}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=scoring.HOUSEHOLDS)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        install(folder / "installed")
        start = start_milliseconds(folder, max(3, options.repeats))
        batch = batch_milliseconds(folder, options.batches)
        scoring.write_extracts(folder / "extracts", options.households)
        scoring.write_home(folder / "home", options.threads)
        (folder / "home").chmod(0o700)
        runs: dict[str, list[scoring.Taken]] = {name: [] for name in RUNS}
        for _ in range(options.repeats):
            for name, work in RUNS.items():
                runs[name].append(scoring.measured(work, folder)[0])
    base = runs["in the node's process"]
    ratios = {
        name: statistics.median(one.seconds / b.seconds for one, b in zip(done, base, strict=True))
        for name, done in runs.items()
    }
    result: dict[str, Any] = {
        "households": options.households,
        "factors": len(scoring.WEIGHTS),
        "start_milliseconds": start,
        "start_target": TARGET_START,
        "batch_rows": BATCH,
        "batch_milliseconds": batch,
        "batch_beyond_copy": batch["confined"] - batch["here"] - batch["copy"],
        "batch_target": TARGET_BATCH,
        "seconds": {n: statistics.median(t.seconds for t in done) for n, done in runs.items()},
        "ratios": ratios,
        "ratio_target": TARGET_RATIO,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "confined_scoring.json").write_text(json.dumps(result, indent=2) + "\n")
    return result


def told(result: dict[str, Any]) -> str:
    """The result in words."""
    batch = result["batch_milliseconds"]
    return (
        f"Plugins apart: started in {result['start_milliseconds']:.0f} ms (at most "
        f"{result['start_target']:.0f}); a batch of {result['batch_rows']:,} rows and six factors "
        f"in {batch['confined']:.1f} ms, here {batch['here']:.1f} ms, beyond that and the copy "
        f"{result['batch_beyond_copy']:.1f} ms (at most {result['batch_target']:.0f}); "
        f"{result['households']:,} households and {result['factors']} factors confined in "
        f"{result['ratios']['confined']:.2f} times the time in the node's process (at most "
        f"{result['ratio_target']}), with six of them scored twice in "
        f"{result['ratios']['unreviewed']:.2f}"
    )


if __name__ == "__main__":
    print(told(main()))
