# A deployment's life through the admin port, under constant load: whatever is done to it, no
# request fails as long as it is meant to be up.

import json
from urllib.parse import unquote

import pytest

from harness.configuration import configuration
from harness.deployments import FLOWER, Deployment, iris
from harness.http2 import Client
from harness.load import Load
from harness.waiting import until

pytestmark = pytest.mark.core

INFER = "/iris/v2/models/iris/infer"


def serving(start_gateway, **more):
    gateway = start_gateway(whole=configuration())
    deployment = Deployment(gateway, "iris")
    deployment.create(iris(**more))
    return gateway, deployment


def under_load(gateway):
    body = json.dumps(FLOWER)
    headers = {"Content-Type": "application/json"}
    return Load(gateway.address, clients=3, request=lambda number: ("POST", INFER, headers, body))


def test_scaling_from_one_to_eight_to_two_fails_no_request(start_gateway):
    gateway, deployment = serving(start_gateway, replicas=1)
    with under_load(gateway) as load:
        load.progress(50)
        deployment.act("scale", {"replicas": 8})
        assert deployment.ready == 8
        load.progress(50)
        deployment.act("scale", {"replicas": 2})
        assert deployment.ready == 2
        load.progress(50)
    load.assert_all_ok()


def test_a_restart_of_one_replica_fails_no_request_and_makes_no_revision(start_gateway):
    gateway, deployment = serving(start_gateway, replicas=1)
    before = deployment.replica_names
    with under_load(gateway) as load:
        load.progress(50)
        deployment.act("restart")
        load.progress(50)
    load.assert_all_ok()
    assert not set(before) & set(deployment.replica_names)
    assert deployment.view["status"]["revision"] == 1


def test_an_edit_of_memory_replaces_by_a_new_revision_without_a_failed_request(start_gateway):
    gateway, deployment = serving(start_gateway, replicas=1)
    with under_load(gateway) as load:
        load.progress(50)
        deployment.patch({"resources": {"memory": "768MiB"}})
        load.progress(50)
    load.assert_all_ok()
    assert deployment.view["status"]["revision"] == 2
    assert gateway.get("/iris/v2/models/iris").header("x-penstock-revision") == "r2"


def test_a_broken_edit_is_taken_back_and_fails_no_request(start_gateway):
    gateway, deployment = serving(start_gateway, replicas=1, strategy={
        "type": "rolling", "min_healthy_seconds": 0, "progress_deadline_seconds": 3})
    with under_load(gateway) as load:
        load.progress(50)
        operation = deployment.patch({"args": ["--no-such-option"]}, succeeds=False)
        load.progress(50)
    load.assert_all_ok()
    assert operation["state"] == "failed" and operation["rolled_back"]
    assert deployment.view["status"]["revision"] == 1


def test_stopped_it_says_why_and_started_it_is_the_same(start_gateway):
    gateway, deployment = serving(start_gateway, replicas=1)
    deployment.act("stop", {"message": "back at noon"})
    answer = gateway.post(INFER, FLOWER)
    assert answer.status == 503 and int(answer.header("retry-after")) > 0
    assert answer.header("content-type") == "application/problem+json"
    assert answer.error == "stopped" and answer.json()["code"] == "stopped"
    assert answer.json()["detail"] == "back at noon"
    head = gateway.fetch("HEAD", "/iris/v2/health/ready")
    assert head.status == 503 and head.error == "stopped" and head.body == b""
    # The operator's word is no failure of a model.
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_requests_total", outcome="model") == 0
    assert metrics.sum("penstock_requests_total", outcome="overload") == 2
    deployment.act("start")
    assert gateway.post(INFER, FLOWER).status == 200
    assert deployment.view["status"]["revision"] == 1


def test_stopped_it_tells_clients_of_grpc_in_their_own_form(start_gateway):
    gateway, deployment = serving(start_gateway, replicas=1)
    deployment.act("stop", {"message": "zurück um 12, zu 100%"})
    with Client(gateway.address) as client:
        answer = client.request(
            "POST", "/inference.GRPCInferenceService/ServerLive",
            {"content-type": "application/grpc", "te": "trailers",
             "x-penstock-deployment": "iris"}, bytes(5))
    assert answer.status == 200 and answer.header("content-type") == "application/grpc"
    assert answer.header("grpc-status") == "14" and answer.body == b""
    assert answer.header("grpc-message") == "zur%C3%BCck um 12, zu 100%25"
    assert unquote(answer.header("grpc-message")) == "zurück um 12, zu 100%"
    assert answer.header("x-penstock-error") == "stopped"
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_requests_total", outcome="overload") == 1
    assert metrics.sum("penstock_grpc_requests_total", status="unavailable") == 1


def test_deleted_it_is_nowhere_and_its_name_is_free(start_gateway):
    gateway, deployment = serving(start_gateway, replicas=1)
    deployment.delete()
    answer = gateway.post(INFER, FLOWER)
    assert answer.status == 404 and answer.error == "no_route"
    assert answer.header("content-type") == "application/problem+json"
    assert gateway.admin.send("GET", "/v1/deployments/iris").status == 404
    deployment.create(iris(replicas=1))
    assert gateway.post(INFER, FLOWER).status == 200


def test_a_replica_that_fails_its_proof_gets_no_request(start_gateway):
    gateway, deployment = serving(start_gateway, replicas=1)
    with under_load(gateway) as load:
        load.progress(50)
        operation = deployment.patch({
            "lifecycle": {"smoke_paths": ["/v2/models/no-such-model"]},
            "strategy": {"progress_deadline_seconds": 3}}, succeeds=None)
        deployment.act("restart", succeeds=False)
        load.progress(50)
    load.assert_all_ok()
    assert operation is None or operation["state"] == "succeeded"
    until(lambda: deployment.ready == 1, "the proved one serves on")
