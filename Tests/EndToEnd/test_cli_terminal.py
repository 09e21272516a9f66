# What a person at a terminal is shown: text that steers nothing, lines that fit, and words when the
# waiting ends early. What a script sees: output that was lost, a reader that has gone.

import os
import re
import signal
import subprocess

import pytest

from harness.deployments import iris
from harness.gateway import binary, run
from harness.terminal import Screen
from harness.waiting import PATIENCE

pytestmark = pytest.mark.core


@pytest.fixture
def served(served):
    served.screen = lambda *words, **more: Screen(
        list(words), served.folder, {**served.server, **more.pop("environment", {})}, **more)
    return served


STEERING = "\\033[2J\\033]0;pwned\\007\\033[31mred\\rover\\302\\2332Jend"
SHOWN = r"\u001b[2J\u001b]0;pwned\u0007\u001b[31mred\u000dover\u009b2Jend"


def ours_alone(text):
    """Nothing steers the terminal but colours and the line that is redrawn."""
    rest = re.sub(r"\x1b\[(0|1|2|31|32|33|36)m|\r\x1b\[2K|\r\n", "", text)
    return not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", rest)


def test_a_replica_steers_no_terminal(served):
    script = f"printf '{STEERING}\\n' >&2; exit 3"
    made = served.screen(
        "create", "esc", "--model", "iris", "--version", "v1", "--cpu", "0.1", "--memory",
        "64MiB", "--progress-deadline-seconds", "3", "--", "sh", "-c", script, "{address}")
    assert made.code == 1 and SHOWN in made.text and ours_alone(made.text), made.text
    why = served.screen("why", "esc", columns=200)
    assert SHOWN in why.text and ours_alone(why.text), why.text
    logs = served.screen("logs", "esc", "--tail", "1")
    assert SHOWN in logs.text and ours_alone(logs.text), logs.text
    for words in (["status", "esc"], ["events", "esc"], ["operations"], ["replicas", "esc"],
                  ["logs", "esc", "--json"], ["list"]):
        assert ours_alone(served.screen(*words).text), words
    piped = served.verb("logs", "esc", "--tail", "1").stdout
    assert "\x1b[2J" in piped, "in a pipe it is as it was said"


def test_a_narrow_terminal_costs_columns_and_a_pipe_none(served):
    for columns in (40, 80, 140):
        for words in (["operations"], ["replicas", "iris"], ["list"], ["status", "iris"]):
            lines = served.screen(*words, columns=columns).text.splitlines()
            table = [re.sub(r"\x1b\[\d+m", "", line) for line in lines[:2]]
            assert all(len(line) <= columns for line in table), (columns, table)
    wanted = served.screen("operations", columns=140, environment={"COLUMNS": "40"}).text
    titles = re.sub(r"\x1b\[\d+m", "", wanted).splitlines()[0]
    assert titles.split() == ["OPERATION", "MESSAGE"]
    assert "STEPS" in served.verb("operations").stdout.splitlines()[0]


def test_whoever_stops_waiting_is_told_that_the_change_goes_on(served):
    served.deployment.patch({"strategy": {"type": "rolling", "min_healthy_seconds": 20}})
    left = served.screen("restart", "iris", interrupt="restart")
    assert left.code == -signal.SIGINT
    assert "iris: restart goes on" in left.text
    identifier = re.search(r"penstock operations wait (\w+)", left.text)[1]
    assert served.admin.get(f"/v1/operations/{identifier}")["done"] is False
    assert served.verb("operations", "cancel", identifier).returncode == 0


def test_output_that_is_lost_is_a_failure(served):
    with open("/dev/full", "w") as full:
        for words in (["list"], ["status"], ["--version"], ["--help"]):
            ended = subprocess.run(
                [binary("penstock"), *words], cwd=served.folder, stdout=full,
                stderr=subprocess.PIPE, text=True, timeout=PATIENCE,
                env={**os.environ, **served.server})
            assert ended.returncode == 1 and "No space left" in ended.stderr, (words, ended)


@pytest.mark.parametrize("words", [
    ["watch"], ["logs", "iris", "-f"], ["events", "--watch"], ["list", "--watch"]])
def test_a_stream_ends_with_its_reader(served, words):
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [binary("penstock"), *words], cwd=served.folder, stdout=writer,
        stderr=subprocess.PIPE, env={**os.environ, **served.server})
    os.close(writer)
    os.close(reader)
    try:
        assert process.wait(PATIENCE) == 0, process.stderr.read()
    finally:
        process.kill()
        process.stderr.close()
