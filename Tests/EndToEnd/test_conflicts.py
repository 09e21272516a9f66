# Changes over changes, with real processes: what supersedes, queues, fails or is cancelled leads
# back to what last worked, and what is refused leaves nothing behind.

import os
import signal

import pytest

from harness.configuration import configuration
from harness.deployments import Deployment, iris
from harness.processes import with_variable
from harness.waiting import until

pytestmark = pytest.mark.core

BAD = {"command": ["sh", "-c", "exit 3", "{address}"],
       "strategy": {"progress_deadline_seconds": 3}}
NEVER = ["sh", "-c", "sleep 600", "{address}"]


def slow(seconds):
    """Never ready, for as long as the test cares."""
    return {"command": NEVER, "env": {"SLOW": str(seconds)}}


def serving(start_gateway, **more):
    gateway = start_gateway(whole=configuration())
    deployment = Deployment(gateway, "iris")
    deployment.create(iris(replicas=1, **more))
    return gateway, deployment


def change(gateway, document, conflict=None):
    query = f"?onConflict={conflict}" if conflict else ""
    answer = gateway.admin.send(
        "PATCH", f"/v1/deployments/iris{query}", document, headers={"If-Match": "*"})
    assert answer.status == 202, answer.text
    return answer.json()


def ended(gateway, identifier):
    def look():
        found = gateway.admin.get(f"/v1/operations/{identifier}")
        return found if found["done"] else None
    return until(look, f"{identifier} ends", 60)


def assert_back(deployment, command):
    view = deployment.view
    assert view["status"]["revision"] == 1
    assert view["spec"]["command"] == command
    until(lambda: deployment.replica_names == ["iris-0"], "only the stable one is left", 60)


def test_superseding_edits_go_back_to_what_last_worked(start_gateway):
    gateway, deployment = serving(start_gateway)
    command = deployment.view["spec"]["command"]
    first = change(gateway, slow(1))
    last = change(gateway, BAD, "supersede")
    assert (last["from_revision"], last["to_revision"]) == (1, 3)
    operation = ended(gateway, last["id"])
    assert operation["state"] == "failed" and operation["rolled_back"], operation
    assert ended(gateway, first["id"])["state"] == "cancelled"
    assert_back(deployment, command)


def test_a_queued_edit_rolls_back_too_when_its_turn_comes(start_gateway):
    gateway, deployment = serving(start_gateway)
    command = deployment.view["spec"]["command"]
    first = change(gateway, slow(1))
    queued = change(gateway, BAD, "queue")
    assert queued["state"] == "pending"
    assert gateway.admin.send("POST", f"/v1/operations/{first['id']}:cancel").status == 200
    operation = ended(gateway, queued["id"])
    assert operation["state"] == "failed" and operation["rolled_back"], operation
    assert_back(deployment, command)


def test_cancelling_a_creation_stops_it_and_a_stop_cannot_be_cancelled(start_gateway):
    gateway = start_gateway(whole=configuration())
    deployment = Deployment(gateway, "iris")
    begun = gateway.admin.send("POST", "/v1/deployments", {**iris(replicas=1), "command": NEVER})
    assert begun.status == 202, begun.text
    identifier = begun.json()["id"]
    cancelled = gateway.admin.send("POST", f"/v1/operations/{identifier}:cancel")
    assert cancelled.json()["state"] == "cancelled"
    until(lambda: deployment.view["status"]["status"] == "stopped", "it is stopped", 60)
    assert not with_variable("PENSTOCK_ADDRESS", f"unix:{gateway.state}/run/")


def test_a_refused_creation_leaves_no_model_behind(start_gateway):
    gateway = start_gateway(whole=configuration())
    answer = gateway.admin.send(
        "POST", "/v1/deployments", iris(model="ghost", resources={
            "cpu": 1, "memory": "512MiB", "gpu": 8}))
    assert answer.status == 409, answer.text
    assert gateway.admin.send("GET", "/v1/models/ghost").status == 404


def test_a_restart_joins_an_edit_and_a_live_edit_answers_at_once(start_gateway):
    gateway, _ = serving(start_gateway)
    running = change(gateway, slow(1))
    joined = gateway.admin.send("POST", "/v1/deployments/iris:restart")
    assert joined.status == 202 and joined.json()["id"] == running["id"], joined.text
    live = gateway.admin.send(
        "PATCH", "/v1/deployments/iris", {"description": "flowers"},
        headers={"If-Match": "*", "Prefer": "wait=20"})
    assert live.status == 200 and live.json()["kind"] == "deployment", live.text
    refused = gateway.admin.send(
        "PATCH", "/v1/deployments/iris", slow(2), headers={"If-Match": "*"})
    assert refused.status == 409
    assert not refused.json()["detail"].endswith(": "), refused.text


def test_an_emptied_database_is_refused_and_the_replicas_live_on(start_gateway):
    gateway, _ = serving(start_gateway)
    os.kill(gateway.pid, signal.SIGKILL)
    gateway.process.wait()
    mine = f"unix:{gateway.state}/run/"
    before = sorted(with_variable("PENSTOCK_ADDRESS", mine))
    assert before
    for name in ("penstock.db-wal", "penstock.db-shm"):
        (gateway.state / name).unlink(missing_ok=True)
    (gateway.state / "penstock.db").write_bytes(b"")
    gateway.launch()
    assert gateway.wait() == 1
    told = "\n".join(gateway.log.complete())
    assert "penstock.db" in told and "penstock restore" in told
    assert sorted(with_variable("PENSTOCK_ADDRESS", mine)) == before
    assert (gateway.state / "penstock.db").read_bytes() == b""
