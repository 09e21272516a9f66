# The gateway dies, its replicas do not: who finds them again, what is learnt of those that ended
# meanwhile, and what is ended because nobody wants it any more.

import json
import os
import signal

import pytest

from harness.load import Load
from harness.processes import children, is_alive, with_variable
from harness.waiting import SLOWNESS, Stopwatch, until
from test_deployments import CONF, FLOWER, INFER, iris, label, usable, with_deployments

pytestmark = pytest.mark.core

ADOPTED = "took over a running replica"


def models(gateway):
    """Model servers of this gateway's state directory, whoever started them."""
    return sorted(with_variable("PENSTOCK_ADDRESS", f"unix:{gateway.state}/run/"))


def crash(gateway):
    os.kill(gateway.pid, signal.SIGKILL)
    gateway.process.wait()


def test_replicas_outlive_a_killed_gateway_and_the_next_one_takes_them_over(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris(replicas=3)))
    before = models(gateway)
    assert len(before) == 3
    crash(gateway)
    assert models(gateway) == before
    gateway.start()
    assert models(gateway) == before and not children(gateway.pid)
    assert len(gateway.events(ADOPTED)) == 3 and not gateway.events("started")
    assert label(gateway.post(INFER, FLOWER)) == ["setosa"]
    assert len(usable(gateway)) == 3


def test_the_next_gateway_serves_adopted_replicas_within_a_second(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris(replicas=2)))
    crash(gateway)
    watch = Stopwatch()
    gateway.launch()
    until(lambda: "Ctrl-C drains and ends." in gateway.output.all, "it serves")
    assert watch.seconds < 1 * SLOWNESS
    assert label(gateway.post(INFER, FLOWER)) == ["setosa"]


def test_an_adopted_replica_that_ends_is_told_with_its_cause_and_replaced(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris(replicas=2)))
    crash(gateway)
    gateway.start()
    before = models(gateway)
    body, headers = json.dumps(FLOWER), {"Content-Type": "application/json"}
    with Load(gateway.address, clients=3,
              request=lambda number: ("POST", INFER, headers, body)) as load:
        load.progress(30)
        os.kill(before[0], signal.SIGUSR1)
        load.progress(30)
        until(lambda: len(usable(gateway)) == 2 and len(models(gateway)) == 2, "it is replaced")
        load.progress(30)
    load.assert_all_ok()
    [told] = gateway.events("replica ended; it is started again")
    assert told["pid"] == str(before[0]) and told["reason"].startswith("killed by SIGUSR1")


def test_what_ended_while_no_gateway_ran_is_started_anew_and_has_its_dossier(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris(replicas=2)))
    first, second = models(gateway)
    crash(gateway)
    os.kill(first, signal.SIGUSR2)
    until(lambda: not is_alive(first), "it has ended")
    gateway.start()
    after = until(lambda: len(found := models(gateway)) == 2 and found, "two run again")
    assert second in after and first not in after
    [dossier] = (gateway.state / "dossiers" / "iris").iterdir()
    assert json.loads(dossier.read_text())["cause"].startswith("killed by SIGUSR2")


def test_what_nobody_wants_after_a_crash_is_ended(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris(replicas=3)))
    before = models(gateway)
    crash(gateway)
    gateway.write(with_deployments(iris(
        replicas=1, version="v2", artifact=str(CONF / "artifacts" / "iris-v2.json"))))
    gateway.start()
    until(lambda: not any(map(is_alive, before)), "the old ones are ended")
    assert gateway.get("/iris/v2/models/iris").json()["versions"] == ["v2"]
    assert len(models(gateway)) == 1


def test_replicas_can_be_kept_over_a_restart(start_gateway):
    kept = with_deployments(iris(), replicas_on_exit="keep")
    gateway = start_gateway(whole=kept)
    before = models(gateway)
    gateway.signal(signal.SIGTERM)
    assert gateway.wait() == 0
    assert models(gateway) == before
    gateway.write(with_deployments(iris()))
    gateway.start()
    assert models(gateway) == before
    gateway.stop()
    assert not models(gateway)


def test_a_killed_shim_takes_its_replica_with_it_and_both_come_back(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris(replicas=1)))
    [shim], [model] = children(gateway.pid), models(gateway)
    os.kill(shim, signal.SIGKILL)
    until(lambda: not is_alive(model), "the replica dies with its shim")
    until(lambda: len(usable(gateway)) == 1 and models(gateway), "both come back")
    [told] = gateway.events("replica ended; it is started again")
    assert "its shim" in told["reason"]


def test_output_is_kept_across_a_crash(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris(replicas=1)))
    [log] = (gateway.state / "logs" / "iris" / "iris-0").iterdir()
    before = log.read_text()
    assert before
    crash(gateway)
    gateway.start()
    assert label(gateway.post(INFER, FLOWER)) == ["setosa"]
    assert log.read_text().startswith(before)
