# The command line while things happen: streams that go on, a terminal that shows progress, and a
# change whose answer got lost on its way.

import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from harness.deployments import iris
from harness.gateway import Lines, binary, run
from harness.terminal import Screen
from harness.waiting import PATIENCE, until
from harness.wire import Listening

pytestmark = pytest.mark.core


@pytest.fixture
def start_verb(served):
    """Verbs that go on until the story ends."""
    started = []

    def start(*words):
        process = subprocess.Popen(
            [binary("penstock"), *words], cwd=served.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **served.server})
        started.append((process, Lines(process.stderr)))
        return Lines(process.stdout)

    yield start
    for process, _ in started:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def test_changes_are_told_as_they_are_committed(served, start_verb):
    lines = start_verb("watch", "iris")
    plain = start_verb("watch", "--json", "--kinds", "operation", "--since", "0")
    until(lambda: plain.all, "what was committed before is told")
    assert json.loads(plain.all[0])["kind"] == "operation"

    def sees(pattern):
        return any(re.search(pattern, line) for line in lines.all)
    # The stream begins when it is there, not when it was asked for.
    until(lambda: served.verb("set", "iris", f"owner={time.time()}") and lines.all, "it watches")
    served.deployment.act("scale", {"replicas": 2})
    until(lambda: sees(r"^\d+  replica +iris-1  ready"), lambda: f"a replica: {lines.all}")
    until(lambda: sees(r"operation +iris: scale: 2 of 2"), "an operation")
    until(lambda: sees(r"deployment +iris  healthy"), "the deployment")


def test_logs_are_followed_over_restarts_and_new_replicas(served, start_verb):
    lines = start_verb("logs", "iris", "-f")
    until(lambda: sum("ready on" in line for line in lines.all) == 1, "the first replica")
    served.deployment.act("scale", {"replicas": 2})
    until(lambda: sum("ready on" in line for line in lines.all) == 2, "the one that came later")
    assert {line.split()[0] for line in lines.all} == {"iris-0", "iris-1"}


def test_events_and_lists_are_watched(served, start_verb):
    events = start_verb("events", "iris", "--watch")
    until(lambda: any("Created" in line for line in events.all), "what has happened")
    listed = start_verb("list", "--watch")
    until(lambda: any("iris" in line for line in listed.all), "the list")
    served.deployment.act("restart")
    until(lambda: any("restart" in line for line in events.all), "what happens")


def test_a_terminal_is_shown_progress_in_one_line_and_colour(served):
    screen = Screen(["restart", "iris"], served.folder, served.server)
    assert screen.code == 0 and "\r\x1b[2K" in screen.text
    assert "\x1b[32m✓ \x1b[0miris: restart done" in screen.text
    plain = Screen(["list"], served.folder, {**served.server, "NO_COLOR": "1"})
    assert "\x1b" not in plain.text and "healthy" in plain.text


def test_a_terminal_is_asked_for_the_name_before_a_deletion(served):
    wrong = Screen(["delete", "iris"], served.folder, served.server, typed="rose")
    assert wrong.code == 1 and "nothing was done" in wrong.text
    assert served.deployment.ready == 1
    right = Screen(["delete", "iris"], served.folder, served.server, typed="iris")
    assert right.code == 0 and "1 ready replica" in right.text


class Between:
    """Passes requests on, drops the answer to the first change, and then is deaf for some."""

    def __init__(self, address, deaf=0):
        self._deaf = deaf
        self._host, self._port = address.rsplit(":", 1)
        self.changes = []
        self._listening = Listening(self._pass)
        self.address = self._listening.address

    def _pass(self, client):
        with client, socket.create_connection((self._host, int(self._port))) as server:
            while request := self._message(client):
                server.sendall(request)
                answer = self._message(server)
                if request.startswith(b"POST"):
                    self.changes.append(request)
                    if len(self.changes) == 1:
                        return
                elif self._deaf:
                    self._deaf -= 1
                    return
                client.sendall(answer)

    @staticmethod
    def _message(side):
        """A head and as many bytes as it says; nothing when the other side is gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = side.recv(65536)
            if not more:
                return b""
            data += more
        length = re.search(rb"content-length: (\d+)", data, re.I)
        whole = data.index(b"\r\n\r\n") + 4 + int(length[1] if length else 0)
        while len(data) < whole:
            data += side.recv(65536)
        return data

    def stop(self):
        self._listening.close()


@pytest.mark.parametrize("deaf", [0, 3])
def test_a_change_whose_answer_is_lost_is_sent_again_and_done_once(served, deaf):
    between = Between(served.admin.address, deaf)
    try:
        ended = run("redeploy", "iris", folder=served.folder, environment={
            "PENSTOCK_SERVER": f"http://{between.address}",
            "PENSTOCK_TOKEN": served.admin.token})
    finally:
        between.stop()
    assert ended.returncode == 0, ended.stderr
    keys = [re.search(rb"idempotency-key: (\S+)", change, re.I)[1] for change in between.changes]
    assert len(keys) == 2 and keys[0] == keys[1]
    assert served.deployment.view["status"]["revision"] == 2, "one revision, not two"
