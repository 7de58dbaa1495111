"""Builds the site: `python -m documentation.build`, as `make docs` does. Needs no network.

Pages of the repository keep their paths, so that their links lead; pages made from the code
stand beside them under `reference/`, and the chapters of the specification under `tests/spec/`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import posixpath
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from documentation import codes, commands, navigation, plugins, sdk, specification, wire
from documentation import settings_keys as keys
from documentation.markdown import first_heading, first_sentence, with_links, with_room

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / "documentation"
WALKTHROUGH = "walkthrough.md"
"""Where the repository's README stands; the site has a front page of its own."""
_ALONE = ("README.md", "SECURITY.md", "GLOSSARY.md", "CONTRIBUTING.md", "CHANGELOG.md")
_PLACES = (
    "docs/*.md", "docs/decisions/*.md", "deploy/README.md", "plugins/*/README.md",
    "plugins/sdk/CHANGELOG.md", "examples/README.md", "examples/*/README.md", "*/README.md",
    "tests/spec/README.md", "tests/benchmarks/peers/README.md",
)  # fmt: skip
SETTINGS = (
    ("node-settings", "node.toml", "The settings of a council's node.",
     "folkmoot_node.settings.node_toml:NodeSettings"),
    ("risk-policy", "The risk policy",
     "How households are scored: `risk-policy.toml`, which the council publishes.",
     "folkmoot_node.policies.risk_policy:PolicyDocument"),
    ("release-policy", "The release policy",
     "What the council lets out: `release-policy.toml`, which whoever decides signs.",
     "folkmoot_node.policies.release_policy:ReleasePolicy"),
    ("casework-policy", "The casework policy",
     "Who may see a household, and why: `casework-policy.toml`, which whoever decides signs.",
     "folkmoot_node.casework.authority.policy:CaseworkPolicy"),
    ("trusted-keys", "The keys that a council trusts",
     "Vendors, reviewers and registries of plugins whose signatures count at this council.",
     "folkmoot_kit.provenance.trusted_keys:TrustedKeys"),
    ("coordinator-settings", "coordinator.toml", "The settings of the region's coordinator.",
     "folkmoot_coordinator.config:CoordinatorSettings"),
    ("cohort-file", "The cohort file",
     "Who belongs to a cohort: a file for `folkmoot-node casework cohort`.",
     "folkmoot_node.casework.cohorts.definition:Definition"),
    ("evaluation-file", "The evaluation file",
     "What a back-test asks: a file for `folkmoot-node evaluate`.",
     "folkmoot_node.evaluation.evaluation_file:EvaluationFile"),
    ("fit-file", "The fit file",
     "What a fitted policy must keep to: a file for `folkmoot-node fit`.",
     "folkmoot_node.evaluation.fitting.fit_file:FitFile"),
    ("scrutiny-file", "The scrutiny file",
     "What people add to the facts about a node: `scrutiny.toml`, which whoever decides signs.",
     "folkmoot_node.scrutiny.scrutiny_file:ScrutinyDocument"),
    ("sum-file", "The file of named sums",
     "Sums, differences and shares for `folkmoot-coordinator export --sum`; TOML, or CSV with a "
     "row for each cell.", "folkmoot_coordinator.publication.sum_file:_SumFile"),
    ("round-file", "The round file",
     "What an operator asks councils: `ROUND.toml`. A table `[series]` makes it the first round "
     "of a series.", "folkmoot_coordinator.rounds.round_file:RoundFile"),
)  # fmt: skip
"""Settings and policy files: page, title, what the file is, and the model that reads it."""
PROGRAMS = {
    "folkmoot-node": "folkmoot_node.cli:app",
    "folkmoot-coordinator": "folkmoot_coordinator.cli:app",
    "folkmoot-plugin": "folkmoot_kit.cli:app",
    "folkmoot-rehearse": "folkmoot_rehearsal.cli:app",
}
"""Programs, and their Typer applications."""


def named(place: str) -> Any:
    """What `module:name` names."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def beside() -> keys.Also:
    """Tables whose other keys are those of any web site."""
    from folkmoot_coordinator.config import ViewerSettings
    from folkmoot_node.settings.casework import CaseworkSettings
    from folkmoot_web.settings import WebSettings

    return {
        ViewerSettings: (WebSettings, {"name": "the region"}),
        CaseworkSettings: (WebSettings, {"name": "the council"}),
    }


def generated() -> dict[str, Callable[[], str]]:
    """The pages that are made from the code: path in the site, and what makes it."""
    made: dict[str, Callable[[], str]] = {
        "reference/wire.md": wire.page,
        "reference/sdk.md": sdk.page,
        "reference/factors.md": plugins.factors_page,
        "reference/sources.md": plugins.sources_page,
        "reference/mapping-files.md": plugins.mapping_page,
        "reference/exit-codes.md": codes.exit_codes_page,
    }
    also = beside()
    for name, title, words, model in SETTINGS:
        made[f"reference/{name}.md"] = partial(keys.page, title, words, named(model), also)
    for program, app in PROGRAMS.items():
        made[f"reference/{program}.md"] = partial(commands.page, program, named(app))
    for one in specification.chapters(ROOT):
        made[one.page] = partial(specification.page, one)
    return made


def repository_pages(root: Path = ROOT) -> Iterator[str]:
    """The pages of the repository that the site shows, as paths in the repository."""
    found = {path for pattern in _PLACES for path in root.glob(pattern)}
    found |= {root / name for name in _ALONE}
    for path in sorted(found):
        relative = path.relative_to(root).as_posix()
        if not relative.startswith(("build/", "dist/", ".")):
            yield relative


def pages(root: Path = ROOT) -> dict[str, str]:
    """All pages of the site: path in the site, and text for the generator."""
    own = list(repository_pages(root))
    made = generated()
    place = {one: WALKTHROUGH if one == "README.md" else one for one in own}
    shown = set(place.values()) | set(made)

    def resolve(path: str) -> str | None:
        if path in place:
            return place[path]
        for found in (f"{path}/README.md", re.sub(r"\.py$", ".md", path)):
            if found in shown:
                return found
        return None

    texts = {
        target: with_room(with_links((root / one).read_text("utf-8"), one, target, resolve))
        for one, target in place.items()
    }
    texts |= {target: with_room(make()) for target, make in made.items()}
    texts |= {door.index: with_room(_behind(door, texts)) for door in navigation.DOORS}
    texts["index.md"] = with_room(_front(texts))
    return texts


def tree(texts: dict[str, str]) -> list[dict[str, object]]:
    """The navigation: the front page, then each door with its four kinds of page."""
    nav: list[dict[str, object]] = [{"Folkmoot": "index.md"}]
    chapters = sorted(p for p in texts if p.startswith("tests/spec/") and "/test_" in p)
    decisions = sorted(p for p in texts if re.match(r"docs/decisions/\d", p))
    for door in navigation.DOORS:
        inside: list[object] = [door.index]
        for kind in navigation.KINDS:
            entries: list[object] = []
            for page in door.pages.get(kind, ()):
                if page not in texts:
                    continue
                entries.append({_title(texts, page): page})
                if page == "tests/spec/README.md":
                    for folder in sorted({one.split("/")[2] for one in chapters}):
                        inside_folder = [one for one in chapters if f"/{folder}/" in one]
                        title = folder.replace("_", " ").capitalize()
                        entries.append({title: _entries(texts, inside_folder)})
                elif page == "docs/decisions/README.md":
                    entries.append({"Decisions": _entries(texts, decisions)})
            inside.append({kind: entries})
        nav.append({door.title: inside})
    return nav


def settings(nav: list[dict[str, object]]) -> str:
    """The generator's settings file, with the navigation."""
    text = (HERE / "zensical.toml").read_text("utf-8")
    return text.replace("nav = []", f"nav = {_toml(nav)}")


def build(out: Path) -> int:
    """Writes the pages and builds the site below a folder.

    Args:
        out: Folder of `zensical.toml`, `pages/` and `site/`; what is there is replaced.

    Returns:
        Exit code of the generator: not 0 if it warned of anything.
    """
    source = out / "pages"
    for old in (source, out / "site"):
        shutil.rmtree(old, ignore_errors=True)
    texts = pages()
    for name, text in texts.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    shutil.copytree(HERE / "assets", source / "assets")
    (out / "zensical.toml").write_text(settings(tree(texts)), "utf-8")
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--clean"]
    done = subprocess.run(
        [*command, "--config-file", str(out / "zensical.toml")],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        print(re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr), file=sys.stderr)
    for page in (out / "site").rglob("*.html"):
        page.write_text(read_aloud(page.read_text("utf-8")), "utf-8")
    return done.returncode


def read_aloud(page: str) -> str:
    """Mends what the generator gives to those to whom a page is read aloud.

    The corner of a table that says nothing is no heading; and lists of pages, which the generator
    names after labels that it hides, get names that can be heard.
    """

    def name(match: re.Match[str]) -> str:
        words = " ".join(re.sub(r"<[^>]*>", "", match[3]).split())
        return f'aria-label="{words}"{match[2]}{match[0][match[0].index(">") :]}'

    labelled = r'aria-labelledby="(__nav_[\d_]+)_label"([^>]*)>\s*<label[^>]*for="\1">(.*?)</label>'
    page = re.sub(labelled, name, page, flags=re.DOTALL)
    return re.sub(r"<th[^>]*></th>", "<td></td>", page)


def _title(texts: dict[str, str], page: str) -> str:
    if page == WALKTHROUGH:
        return "Folkmoot, walked through"
    title = re.sub(r"[`\\]", "", first_heading(texts[page]))
    # A chapter's subject stands before the colon, what it says of it behind.
    return title.partition(":")[0] if page.startswith("tests/spec/") else title


def _entries(texts: dict[str, str], names: list[str]) -> list[object]:
    return [{_title(texts, name): name} for name in names]


def _behind(door: navigation.Door, texts: dict[str, str]) -> str:
    """The page behind a door."""
    text = [f"# {door.title}\n\n{door.readers}\n"]
    for kind in navigation.KINDS:
        listed = [*door.pages.get(kind, ()), *door.beside.get(kind, ())]
        text.append(f"\n## {kind}\n\n")
        for page in listed:
            if page in texts:
                link = posixpath.relpath(page, door.name)
                said = first_sentence(texts[page])
                text.append(f"- [{_title(texts, page)}]({link}){f': {said}' if said else ''}\n")
    return "".join(text)


def _front(texts: dict[str, str]) -> str:
    words = (HERE / "front.md").read_text("utf-8")
    doors = "".join(
        f"- **[{door.title}]({door.index})**: {door.readers}\n" for door in navigation.DOORS
    )
    return words.replace("DOORS", doors.rstrip())


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def main() -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(description="Builds the documentation site.")
    parser.add_argument("--out", type=Path, default=ROOT / "build", help="Folder of the site.")
    out = parser.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    code = build(out)
    if not code:
        print(f"The site is in {out / 'site'}; begin at index.html.")
    return code


if __name__ == "__main__":
    sys.exit(main())
