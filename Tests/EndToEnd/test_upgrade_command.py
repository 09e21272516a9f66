# `penstock upgrade`: the signal with an answer. It finds the process, waits, and says what came
# of it.

import json
import os

import pytest

from harness.configuration import service
from harness.gateway import run
from harness.origin import fixed
from harness.processes import children
from harness.waiting import until
from test_upgrade_failures import PRETENDER, program  # noqa: F401 (a fixture)

pytestmark = pytest.mark.core


def upgrade(gateway, *arguments):
    """What the command came to, and whether another process serves."""
    results = []
    done = gateway.upgrade(
        lambda: results.append(run("upgrade", "--state", gateway.state, *arguments)))
    return results[0], done


def test_it_names_the_old_process_and_the_new_one(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(fixed(b"ok"))))
    before = gateway.pid
    result, done = upgrade(gateway)
    assert result.returncode == 0 and done, result.stderr
    assert f"(process {before}) → " in result.stdout
    assert f"(process {gateway.pid})" in result.stdout
    assert gateway.get().status == 200
    result, done = upgrade(gateway, "--json")
    said = json.loads(result.stdout)
    assert said["state"] == "complete" and said["to"]["process"] == gateway.pid and done


def test_it_tells_why_nothing_has_changed(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(fixed(b"ok"))))
    before = gateway.pid
    gateway.file.write_text("servces: []")
    result, done = upgrade(gateway)
    assert result.returncode == 1 and not done
    assert "did you mean 'services'" in result.stderr and str(before) in result.stderr
    result, _ = upgrade(gateway, "--json")
    assert result.returncode == 1 and json.loads(result.stdout)["state"] == "failed"


def test_without_a_gateway_there_is_nothing_to_upgrade(start_origin, start_gateway, folder):
    result = run("upgrade", "--state", folder / "nowhere")
    assert result.returncode == 3 and "no Penstock runs" in result.stderr
    gateway = start_gateway(service(start_origin(fixed(b"ok"))))
    gateway.crash()
    # The number that is left over may be a stranger's: here it is this very process's.
    (gateway.state / "penstock.pid").write_text(f"{os.getpid()}\n")
    result = run("upgrade", "--state", gateway.state)
    assert result.returncode == 3 and "no Penstock runs" in result.stderr


def test_one_that_a_crash_has_cut_off_is_not_under_way_for_ever(
        start_origin, start_gateway, program):  # noqa: F811
    gateway = start_gateway(service(start_origin(fixed(b"ok"))), program=program.path)
    program.replace(PRETENDER + "hear('begin')\nhear('what never comes')")
    before = gateway.pid
    os.kill(before, 12)

    def record():
        return json.loads((gateway.state / "upgrade.json").read_text())
    until(lambda: (gateway.state / "upgrade.json").exists(), "it is under way")
    gateway.crash()
    assert record()["state"] == "under_way"
    program.restore()
    gateway.start()
    # In a container the next process often has the same number.
    assert record()["state"] == "failed"
    assert record()["cause"] == f"process {before} ended meanwhile"
    result, done = upgrade(gateway)
    assert result.returncode == 0 and done, result.stderr


def test_one_at_a_time(start_origin, start_gateway, program):  # noqa: F811
    gateway = start_gateway(service(start_origin(fixed(b"ok"))), program=program.path)
    program.replace(PRETENDER + "hear('begin')\nhear('what never comes')")
    os.kill(gateway.pid, 12)
    [successor] = until(lambda: children(gateway.pid), "the new process runs")
    until(lambda: (gateway.state / "upgrade.json").exists(), "it is under way")
    result = run("upgrade", "--state", gateway.state)
    assert result.returncode == 4 and "under way" in result.stderr
    os.kill(successor, 9)
