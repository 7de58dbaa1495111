"""`make bench`: every benchmark in one run, as ratios; results also as JSON.

Nothing here passes or fails by the clock: each figure is a ratio to a floor that was measured
in the same run, shown beside its limit.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent))

import address_linkage
import casework_cohort
import casework_opening
import confined_scoring
import evaluation
import hotspots
import many_nodes
import map_page
import metrics_cost
import person_linkage
import planning
import presentable
import publication
import region
import release
import six_extracts
import viewer_load
import viewer_pages
import workload_error

import coordinator

RESULTS = Path(__file__).resolve().parents[2] / "bench-results"


def main() -> None:
    """Runs all benchmarks and prints their ratios."""
    out = Console()
    RESULTS.mkdir(exist_ok=True)
    out.print("Releasing, from exact counts to the stored payload, against bare OpenDP:")
    releases = release.main()
    table = Table("Cells", "Bare µs a cell", "One thread", "Two threads", "Limit")
    for case in releases:
        table.add_row(
            f"{case['cells']:,}",
            f"{case['microseconds_a_cell_bare']:.1f}",
            f"{case['ratio_one_thread']:.2f}",
            f"{case['ratio_two_threads']:.2f}",
            f"{case['limit']}",
        )
    out.print(table)
    (RESULTS / "release.json").write_text(json.dumps(releases, indent=2))
    shown = presentable.main()
    out.print(
        f"Presentable tables of {shown['cells']:,} cells in {shown['seconds']:.1f} s, "
        f"{shown['ratio']:.1f} times the reconstruction (limit {shown['limit']}); error "
        f"{shown['mean_error_ratio']:.2f} times the unbiased, at most "
        f"{shown['largest_error_ratio']:.2f}"
    )
    (RESULTS / "presentable.json").write_text(json.dumps(shown, indent=2))
    out.print("Planning rounds over 1,000 areas, 5 bands, 6 age groups, 12 binary factors:")
    plans = planning.main()
    table = Table("Ways", "Councils", "Objective", "Marginals", "Plan s", "Forecast s", "Limit s")
    for case in plans:
        table.add_row(
            str(case["ways"]),
            str(case["councils"]),
            case["objective"],
            str(case["marginals"]),
            f"{case['plan_seconds']:.2f}",
            f"{case['forecast_seconds']:.2f}",
            str(case["limit_seconds"]),
        )
    out.print(table)
    (RESULTS / "planning.json").write_text(json.dumps(plans, indent=2))
    errors = workload_error.main()
    print_errors(out, errors)
    (RESULTS / "workload_error.json").write_text(json.dumps(errors, indent=2))
    scoring = Path(__file__).with_name("scoring.py")
    subprocess.run([sys.executable, str(scoring), "--out", str(RESULTS)], check=True)
    out.print(confined_scoring.told(confined_scoring.main(["--out", str(RESULTS)])))
    out.print("Scoring from six CSV extracts, against a hand-written Polars script:")
    six = Table("Households", "People", "Node s", "Script s", "Ratio", "Peak MiB")
    sizes = []
    for case in six_extracts.main():
        sizes.append(case)
        six.add_row(
            f"{case['households']:,}",
            f"{case['people']:,}",
            f"{case['seconds']['node']:.2f}",
            f"{case['seconds']['script']:.2f}",
            f"{case['ratio']:.2f}",
            f"{case['peak_mib']['node']:.0f}",
        )
    out.print(six)
    out.print(
        f"For a million households the ratio may be {six_extracts.TARGET_RATIO}, the peak "
        f"{six_extracts.TARGET_MEMORY} MiB."
    )
    (RESULTS / "six_extracts.json").write_text(json.dumps(sizes, indent=2))
    looked_back = evaluation.main()
    out.print(evaluation.told(looked_back))
    (RESULTS / "evaluation.json").write_text(json.dumps(looked_back, indent=2))
    cohort = casework_cohort.main()
    out.print(casework_cohort.told(cohort))
    (RESULTS / "casework_cohort.json").write_text(json.dumps(cohort, indent=2))
    opened = casework_opening.main()
    out.print(casework_opening.told(opened))
    (RESULTS / "casework_opening.json").write_text(json.dumps(opened, indent=2))
    linked = address_linkage.main()
    out.print(f"Linking {linked['records']:,} typed addresses to {linked['homes']:,} homes:")
    table = Table("", "Records a second", "Recall", "Precision", "Peak GiB")
    for which, title in (("node", "Node"), ("bare", "Bare library")):
        case = linked[which]
        table.add_row(
            title,
            f"{case['records_a_second']:,.0f}",
            f"{case['recall']:.4f}",
            f"{case['precision']:.4f}",
            f"{case['peak_gib']:.2f}",
        )
    out.print(table)
    out.print(
        f"{linked['ratio']:.2f} times the bare library's processor time (limit {linked['limit']})"
    )
    (RESULTS / "address_linkage.json").write_text(json.dumps(linked, indent=2))
    found = person_linkage.main()
    out.print(
        f"Linking {found['records']:,} records to {found['known']:,} known people: "
        f"{found['records_a_second']:,.0f} records a second, {found['ratio']:.2f} times bare "
        f"Splink's processor time (limit {found['limit']}); precision {found['precision']:.4f}, "
        f"recall {found['recall']:.4f}"
    )
    (RESULTS / "person_linkage.json").write_text(json.dumps(found, indent=2))
    out.print("Councils that submit to a coordinator at once, against a bare server:")
    submitted = coordinator.main()
    print_submissions(out, submitted)
    (RESULTS / "coordinator.json").write_text(json.dumps(submitted, indent=2))
    watched = metrics_cost.main()
    out.print(metrics_cost.told(watched))
    (RESULTS / "metrics_cost.json").write_text(json.dumps(watched, indent=2))
    published = publication.main()
    print_publication(out, published)
    (RESULTS / "publication.json").write_text(json.dumps(published, indent=2))
    mapped = map_page.main()
    out.print(map_page.told(mapped))
    (RESULTS / "map_page.json").write_text(json.dumps(mapped, indent=2))
    pages = viewer_pages.main()
    out.print(viewer_pages.told(pages))
    (RESULTS / "viewer_pages.json").write_text(json.dumps(pages, indent=2))
    read = viewer_load.main()
    out.print(viewer_load.told(read))
    (RESULTS / "viewer_load.json").write_text(json.dumps(read, indent=2))
    false = hotspots.main()
    print_hotspots(out, false)
    (RESULTS / "hotspots.json").write_text(json.dumps(false, indent=2))
    out.print("Commands, from start to end of --help, against a Python that starts and ends:")
    measured = region.main()
    starts = Table("Command", "Seconds", "Ratio")
    for name, taken in measured["start_seconds"].items():
        starts.add_row(name, f"{taken:.2f}", f"{taken / measured['start_seconds']['python']:.0f}")
    out.print(starts)
    out.print(
        f"A region of ten councils, two rounds: {measured['region_seconds']:.0f} s "
        f"(at most {measured['limit_seconds']} s on two processors)"
    )
    (RESULTS / "region.json").write_text(json.dumps(measured, indent=2))
    many = many_nodes.main()
    limits = many["limits"]
    out.print(
        f"{many['councils']} nodes on {many['processors']} processors: started in "
        f"{many['start_seconds']:.1f} s (limit {limits['start_seconds']:.0f}), a round of "
        f"{many['numbers']:,} numbers each in {many['round_seconds']:.1f} s (limit "
        f"{limits['round_seconds']:.0f}), of which `round open` {many['open_seconds']:.1f} s; "
        f"{many['pss_mib']:,.0f} MiB together (limit {limits['pss_mib']:,.0f})"
    )
    (RESULTS / "many_nodes.json").write_text(json.dumps(many, indent=2))


def print_submissions(out: Console, measured: list[dict[str, Any]]) -> None:
    """What a council's answer costs the coordinator."""
    table = Table("Round", "Rows", "Receipts", "ms each", "ms bare", "Ratio", "All s", "Peak MiB")
    for case in measured:
        limits = case["limits"]
        table.add_row(
            case["round"],
            f"{case['rows']:,}",
            f"{min(case['receipts'])} of {case['councils']}",
            f"{case['milliseconds']:.1f} (at most {limits['milliseconds']})",
            f"{case['milliseconds_bare']:.1f}",
            f"{case['ratio']:.2f} (at most {limits['ratio']})",
            f"{case['seconds']:.1f} (at most {limits['seconds']})",
            f"{case['peak_mib']:.0f} (at most {limits['peak_mib']})",
        )
    out.print(table)


def print_publication(out: Console, measured: dict[str, Any]) -> None:
    """What it takes to publish a round."""
    out.print(
        f"Publishing {measured['councils']} councils, against NumPy and Polars by hand "
        "(which makes nothing presentable):"
    )
    table = Table("Format", "Seconds", "By hand", "Ratio", "Same columns", "Peak MiB", "By hand",
                  "MB", "By hand")  # fmt: skip
    for form, case in measured["formats"].items():
        table.add_row(
            form,
            f"{case['ours']['seconds']:.1f}",
            f"{case['script']['seconds']:.1f}",
            f"{case['ratio']:.2f}",
            f"{case['ratio_same_columns']:.2f} (at most {measured['limit']})",
            f"{case['ours']['peak_mib']:.0f}",
            f"{case['script']['peak_mib']:.0f}",
            f"{case['bytes'] / 1e6:.0f}",
            f"{case['bytes_script'] / 1e6:.0f}",
        )
    out.print(table)


def print_hotspots(out: Console, measured: list[dict[str, Any]]) -> None:
    """False discoveries among hotspots, ours beside the usual G*."""
    low, high = measured[0]["band"]
    out.print(
        f"False discoveries among hotspots at a nominal {measured[0]['nominal']:.0%} (between "
        f"{low:.0%} and {high:.0%} where there are hotspots), over "
        f"{measured[0]['repeats']:,} regions:"
    )
    table = Table("Noise, households", "G*", "False, with hotspots", "Regions without, any",
                  "One area", "Worst council", "Found", "ms")  # fmt: skip
    for case in measured:
        for which in ("ours", "usual"):
            found = case[which]
            table.add_row(
                case["noise"],
                which,
                f"{found['with_hotspots']:.1%} ± {2 * found['with_hotspots_error']:.1%}",
                f"{found['any']:.1%} ± {2 * found['any_error']:.1%}",
                f"{found['alone']:.1%}",
                f"{found['worst_council']:.1%}",
                f"{found['found']:.0%}",
                f"{case['milliseconds']:.0f}" if which == "ours" else "",
            )
    out.print(table)


def print_errors(out: Console, measured: dict[str, Any]) -> None:
    """Error of workloads at one loss, and what large ones take."""
    forty, nested = measured["forty"], measured["nested"]
    out.print(
        f"{forty['marginals']} marginals over 200 areas at rho {forty['rho']}, RMSE per cell:"
    )
    errors = Table("Measured by", "Households", "Over the optimum")
    for method, error in forty["rmse"].items():
        errors.add_row(method, f"{error:.2f}", f"{error / forty['rmse']['optimum']:.3f}")
    out.print(errors)
    out.print(
        f"Ours may be {forty['limit']} times the optimum, and {forty['slack']:.3f} by chance. "
        f"Equal split would need {forty['loss_of_equal_split_for_our_error']:.1f} times the loss."
    )
    out.print(f"{nested['lsoas']} LSOAs in {nested['wards']} wards by five bands:")
    levels = Table("Measured by", "RMSE by LSOA", "RMSE by ward")
    for method, error in nested["rmse"].items():
        levels.add_row(method, f"{error['lsoa']:.2f}", f"{error['ward']:.2f}")
    out.print(levels)
    out.print(
        "Where wards are uneven the plan is not quite optimal: five of them are "
        f"{nested['above_optimum']:.2%} above the least error."
    )
    out.print("1,000 areas x 5 bands x 6 age groups x 12 factors, processor seconds:")
    large = Table("Ways", "Marginals", "Cells", "Plan", "Sampling", "µs a row (bare)",
                  "Reconstruction", "Added memory (cross-product)", "Over the optimum")  # fmt: skip
    for case in measured["large"]:
        large.add_row(
            f"{case['ways']}",
            f"{case['marginals']}",
            f"{case['cells']:,}",
            f"{case['plan_seconds']:.2f} (at most {case['plan_limit_seconds']:.0f})",
            f"{case['sample_seconds']:.1f}",
            f"{case['microseconds_a_row']:.0f} ({case['microseconds_a_row_bare']:.0f})",
            f"{case['reconstruct_seconds']:.1f}",
            f"{case['added_peak_megabytes']:.0f} MB ({case['cross_product_megabytes']:.0f} MB)",
            f"{case['ours_over_optimum']:.3f} ± {case['slack']:.3f}",
        )
    out.print(large)


if __name__ == "__main__":
    main()
