# What lies where the program was started from is no good, or gets stuck, or dies half-way: the old
# process stays in charge, says why in one line, and no client notices anything.

import os
import signal
import socket
import sys

import pytest

from harness.configuration import revision, service
from harness.deployments import iris
from harness.gateway import binary
from harness.load import Load
from harness.origin import fixed
from harness.processes import children, is_alive, with_variable
from harness.waiting import Stopwatch, until

pytestmark = pytest.mark.core

REFUSED = "not upgraded; everything stays as it was"

# Speaks as a new process would, as far as a story wants it to.
PRETENDER = """#!{python}
import os, socket, sys
channel = socket.socket(fileno=int(os.environ["PENSTOCK_HANDOVER"]))
def say(*fields):
    channel.send(b"\\0".join(field.encode() for field in fields))
def hear(word):
    while True:
        data = socket.recv_fds(channel, 16384, 253)[0]
        if not data:
            sys.exit(1)
        if data.split(b"\\0")[0] == word.encode():
            return
say("prepared", "9.9.9")
"""


class Program:
    """Where the gateway is started from: a link to the real program, until that is replaced."""

    def __init__(self, path):
        self.path = path
        path.symlink_to(binary("penstock"))

    def replace(self, text):
        self.path.unlink()
        self.path.write_text(text.replace("{python}", sys.executable))
        self.path.chmod(0o755)

    def restore(self):
        self.path.unlink()
        self.path.symlink_to(binary("penstock"))


@pytest.fixture
def program(folder):
    return Program(folder / "penstock")


def assert_as_before(gateway, cause):
    [event] = gateway.events(REFUSED)
    assert cause in event["cause"] and event["level"] == "error", event
    assert not gateway.predecessors and not children(gateway.pid)
    assert int((gateway.state / "penstock.pid").read_text()) == gateway.pid
    assert gateway.get().status == 200
    gateway.admin.shift("echo", a=100)


@pytest.mark.parametrize("text,cause", [
    ("no program at all", "cannot be started"),
    ("#!/bin/sh\nexit 3\n", "exit code 3 before it said that it is prepared"),
    ("#!/bin/sh\nkill -9 $$\n", "killed by signal 9"),
    (PRETENDER + "sys.exit(4)", "exit code 4 before it"),
    (PRETENDER + "hear('begin')\nos.abort()", "killed by signal 6 before it served"),
    (PRETENDER + "hear('begin')\nsay('failed', 'the moon is full')", "the moon is full"),
    (PRETENDER + "hear('begin')\nsay('serving', 'nonsense')", "exit code 0 before it served"),
])
def test_a_program_that_is_no_good_changes_nothing(
        start_origin, start_gateway, program, text, cause):
    gateway = start_gateway(
        service(revisions=[revision("a", 100, start_origin(fixed(b"ok")))]),
        program=program.path)
    program.replace(text)
    with Load(gateway.address, clients=3, per_connection=3) as load:
        load.progress(20)
        assert not gateway.upgrade()
        load.progress(20)
    load.assert_all_ok()
    assert_as_before(gateway, cause)
    program.restore()
    assert gateway.upgrade()


def test_a_program_that_is_gone_changes_nothing(start_origin, start_gateway, program):
    gateway = start_gateway(service(revisions=[revision("a", 100, start_origin(fixed(b"ok")))]),
                            program=program.path)
    program.path.unlink()
    assert not gateway.upgrade()
    assert_as_before(gateway, "cannot be started")


def test_a_configuration_that_is_not_valid_changes_nothing(start_origin, start_gateway):
    gateway = start_gateway(service(revisions=[revision("a", 100, start_origin(fixed(b"ok")))]))
    gateway.file.write_text("servces: []")
    assert not gateway.upgrade()
    assert_as_before(gateway, "did you mean 'services'")


def test_a_listener_that_cannot_be_opened_changes_nothing(
        start_origin, start_gateway, folder):
    path = f"unix:{folder}/front.sock"
    gateway = start_gateway(
        service(revisions=[revision("a", 100, start_origin(fixed(b"ok")))]),
        gateway={"listeners": [{"address": "127.0.0.1:0"}, {"address": path}]})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        gateway.configuration["gateway"]["listeners"].append(
            {"address": f"127.0.0.1:{taken.getsockname()[1]}"})
        gateway.write(gateway.configuration)
        assert not gateway.upgrade()
    assert_as_before(gateway, "in use")
    assert (folder / "front.sock").exists()


def test_changes_are_refused_while_it_lasts_and_a_second_one_is_too(
        start_origin, start_gateway, program):
    gateway = start_gateway(service(revisions=[revision("a", 100, start_origin(fixed(b"ok")))]),
                            program=program.path)
    program.replace(PRETENDER + "hear('begin')\nhear('what never comes')")
    gateway.signal(signal.SIGUSR2)

    def refused():
        answer = gateway.admin.send("PUT", "/v1/services/echo/traffic", {"a": 100})
        return answer if answer.status == 503 else None
    answer = until(refused, "changes are refused")
    assert answer.json()["code"] == "UPGRADING" and answer.headers["retry-after"] == "1"
    assert gateway.admin.service()["name"] == "echo"
    gateway.signal(signal.SIGUSR2)
    gateway.signal(signal.SIGHUP)
    for what in ("upgraded", "reloaded"):
        until(lambda: gateway.events(f"not {what}: an upgrade is under way"), "both are refused")
    [successor] = children(gateway.pid)
    os.kill(successor, signal.SIGKILL)
    until(lambda: gateway.events(REFUSED), "the old process notices")
    assert_as_before(gateway, "killed by signal 9 before it")


def test_told_to_stop_it_does_not_wait_for_a_new_process_that_hangs(
        start_origin, start_gateway, program):
    gateway = start_gateway(service(start_origin(fixed(b"ok"))), program=program.path)
    program.replace("#!/bin/sh\nexec sleep 1000\n")
    gateway.signal(signal.SIGUSR2)
    until(lambda: children(gateway.pid), "the new process runs")
    watch = Stopwatch()
    gateway.stop()
    assert watch.seconds < 10


def test_told_to_stop_twice_the_new_process_is_told_as_well(
        start_origin, start_gateway, program, folder):
    gateway = start_gateway(service(start_origin(fixed(b"ok"))), program=program.path)
    program.replace(PRETENDER + "hear('begin')\nsay('serving')\nhear('yours')\n"
                    f"open('{folder}/in-charge', 'w')\npair = socket.socketpair()\npair[0].recv(1)")
    gateway.signal(signal.SIGUSR2)
    until(lambda: (folder / "in-charge").exists(), "the new process has the state")
    [successor] = children(gateway.pid)
    # A second one that comes too soon would be the same signal.
    until(lambda: (gateway.signal(signal.SIGTERM), gateway.process.poll())[1] is not None,
          "it does not wait")
    until(lambda: not is_alive(successor), "the new process has obeyed")


def test_a_new_process_that_dies_with_the_state_is_replaced_by_the_old_program(
        start_origin, start_gateway, program):
    gateway = start_gateway(
        service(revisions=[revision("a", 100, start_origin(fixed(b"ok")))]), program=program.path,
        more={"deployments": [iris()]})
    variable = "PENSTOCK_ADDRESS", f"unix:{gateway.state}/run/"
    before = sorted(with_variable(*variable))
    program.replace(PRETENDER + "hear('begin')\nsay('serving')\nhear('yours')\nos.abort()")
    with Load(gateway.address, clients=3, per_connection=3) as load:
        load.progress(20)
        assert gateway.upgrade()
        load.progress(20)
    load.assert_all_ok()
    assert gateway.events("the new process failed after it had served; "
                          "this program takes over again")
    gateway.await_predecessors()
    gateway.admin.shift("echo", a=100)
    assert sorted(with_variable(*variable)) == before
    program.restore()
    assert gateway.upgrade()


def test_the_state_directory_is_not_exchanged(start_origin, start_gateway, folder):
    gateway = start_gateway(service(revisions=[revision("a", 100, start_origin(fixed(b"ok")))]))
    gateway.configuration["state"] = str(folder / "another")
    gateway.write(gateway.configuration)
    assert not gateway.upgrade()
    assert_as_before(gateway, "another state directory")
