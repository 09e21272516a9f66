# Penstock killed with -9 on either side of every commit of create, scale, restart, stop and delete,
# with two deployments under way. The replicas live on, the next start takes them over and goes on:
# nothing is started twice, nothing is left over, what was served is served again at once.

import pathlib
import threading

import pytest

from harness.configuration import configuration
from harness.deployments import FLOWER, Deployment, iris
from harness.gateway import binary
from harness.processes import running_in
from harness.waiting import until

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(
        pathlib.Path(binary("penstock")).parent.name == "release",
        reason="release builds cannot be cut off at a commit; `make check` tells this story"),
]

NAMES = ("iris", "rose")
# What is asked, and how many replicas there are in the end; None when the deployment is gone.
STORIES = {
    "create": ("POST", "", 1),
    "scale": ("POST", ":scale", 2),
    "restart": ("POST", ":restart", 1),
    "stop": ("POST", ":stop", 0),
    "delete": ("DELETE", "", None),
}
BODIES = {"scale": {"replicas": 2}, "restart": {}, "stop": {}, "delete": None}


def ask(gateway, story, name):
    method, verb, _ = STORIES[story]
    path = "/v1/deployments" if story == "create" else f"/v1/deployments/{name}{verb}"
    body = iris(name, replicas=1) if story == "create" else BODIES[story]
    try:
        gateway.admin.send(method, path, body, headers={
            "Content-Type": "application/json", "If-Match": "*", "Prefer": "wait=20"})
    except (OSError, AssertionError, ValueError):
        pass  # It died under the request; that is the point.


def predicts(gateway, name):
    return gateway.post(f"/{name}/v2/models/iris/infer", FLOWER).status == 200


def replica_processes(gateway):
    return running_in(gateway.folder, "penstock-model")


def exists(gateway, name):
    return gateway.admin.send("GET", f"/v1/deployments/{name}").status == 200


def settled(gateway, name):
    answer = gateway.admin.send("GET", f"/v1/deployments/{name}")
    if answer.status == 404:
        return True
    status = answer.json()["status"]
    return status.get("operation") is None and status["status"] != "deleting"


def is_over_or_dead(gateway):
    try:
        return all(settled(gateway, name) for name in NAMES)
    except (OSError, ValueError):
        return gateway.process.poll() is not None


def crash_once(start_gateway, story, side, number):
    """False when the story was over before that commit."""
    gateway = start_gateway(whole=configuration())
    if story != "create":
        for name in NAMES:
            Deployment(gateway, name).create(iris(name, replicas=1))
    gateway.crash()
    gateway.launch({"PENSTOCK_CRASH_AT_COMMIT": f"{number}:{side}"})
    until(gateway.is_ready_or_dead, "it is ready or has died", 60)
    if gateway.process.poll() is None:
        threads = [threading.Thread(target=ask, args=(gateway, story, name)) for name in NAMES]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        until(lambda: is_over_or_dead(gateway), "it is over, or Penstock has died", 60)
    died = gateway.process.poll() is not None
    if not died:
        gateway.crash()
    gateway.start()
    if story in ("scale", "restart"):
        assert all(predicts(gateway, name) for name in NAMES), "served at once after the start"
    check(gateway, story)
    gateway.finish()
    return died


def check(gateway, story):
    wanted = STORIES[story][2]
    for name in NAMES:
        if story == "create" and not exists(gateway, name):
            ask(gateway, story, name)
    until(lambda: all(settled(gateway, name) for name in NAMES), "both are settled", 60)
    expected = 0
    for name in NAMES:
        if not exists(gateway, name):
            continue
        deployment = Deployment(gateway, name)
        count = deployment.view["status"]["target_replicas"]
        assert len(deployment.replicas) == count, (story, deployment.replicas)
        assert count == 0 or predicts(gateway, name)
        # The request may have died before it was stored; then all is as it was.
        assert count in (wanted, 1)
        expected += count
    until(lambda: len(replica_processes(gateway)) == expected,
          lambda: f"{expected} replicas live: {replica_processes(gateway)}")
    verdict = gateway.admin.send("GET", "/v1/audit:verify")
    assert verdict.status == 200 and verdict.json()["intact"], verdict.text


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("story", STORIES)
def test_killed_at_every_commit_it_goes_on_where_it_was(start_gateway, story, side):
    number = 1
    while crash_once(start_gateway, story, side, number):
        number += 1
        assert number < 80, "a story has fewer commits"
    assert number > 3, "the story was cut off at some commits"
