"""The casework site of a rehearsed borough, through the command that people use."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.borough import BOROUGH
from tests.ports import free_port

pytestmark = pytest.mark.slow

COMMAND = Path(sys.executable).with_name("folkmoot-rehearse")
NODE = Path(sys.executable).with_name("folkmoot-node")
PASSWORD = "three odd lamps hum"


@pytest.fixture(scope="module")
def borough(tmp_path_factory):
    out = tmp_path_factory.mktemp("casework") / "borough"
    sizes = ("--councils", BOROUGH, "--households", "2000", "--seed", "7", "--date", "2026-11-23")
    subprocess.run([str(COMMAND), *sizes, "--node-alone", "--out", str(out)], check=True)
    return out


def opened(out, browse, port):
    """What `--casework --json` says, and what `browse` makes of it; ended by Ctrl-C."""
    command = [str(COMMAND), "--casework", "--listen", f"127.0.0.1:{port}", "--out", str(out)]
    with subprocess.Popen(
        [*command, "--json"], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        try:
            lines = []
            while not lines or lines[-1] not in ("}\n", ""):
                lines.append(running.stdout.readline())
            told = json.loads("".join(lines))
            with httpx2.Client(base_url=told["address"], timeout=60, trust_env=False) as client:
                browse(client, told)
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)
    assert running.returncode == 0
    return told


def fill_in(client, path, **fields):
    (token,) = re.findall(r'name="form_token" value="([^"]+)"', client.get(path).text)
    return client.post(path, data={"form_token": token, **fields})


def test_one_command_opens_casework_with_four_accounts(borough):
    port = free_port()

    def manages(client, told):
        roles = [one["roles"] for one in told["accounts"]]
        assert roles == [["manager"], ["caseworker"], ["protection_officer"], ["auditor"]]
        manager = told["accounts"][0]
        path = manager["link"].removeprefix(told["address"])
        fill_in(client, path, password=PASSWORD, again=PASSWORD)
        signed_in = fill_in(client, "/sign-in", name=manager["name"], password=PASSWORD)
        assert signed_in.status_code == 303
        cohorts = client.get("/cohorts").text
        assert "Council tax arrears, 65 or over, alone" in cohorts
        assert "debt advice (invented)" in client.get("/services").text

    told = opened(borough, manages, port)
    assert told["address"] == f"http://127.0.0.1:{port}"
    logs = "".join(path.read_text("utf-8") for path in (borough / "logs").glob("*.log"))
    assert all(one["link"] not in logs for one in told["accounts"])
    again = opened(borough, lambda client, told: client.get("/sign-in"), port)
    assert again["accounts"][0]["link"] is None, "it has a password"
    home = borough / "councils" / BOROUGH
    shown = subprocess.run(
        [str(NODE), "casework", "policy", "show", "--json", "--home", str(home)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(shown.stdout)["sensitive_sources"] == ["domestic_abuse", "childrens_services"]


def test_there_is_no_site_without_a_node(tmp_path):
    done = subprocess.run(
        [str(COMMAND), "--casework", "--out", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "make casework" in done.stderr
    assert list(tmp_path.iterdir()) == [], "nothing was made"
