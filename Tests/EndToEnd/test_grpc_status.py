# A gRPC call's status counts as HTTP's would: for metrics, log, ejection and, where nothing but the
# status has come and the request may be sent again, for another try.

import json

import pytest

from harness.configuration import service
from harness.frames import GOAWAY, NO_ERROR, frame, number
from harness.http2 import Client, echo2
from harness.waiting import until

pytestmark = pytest.mark.core

GRPC = {"content-type": "application/grpc", "te": "trailers"}
GOODBYE = frame(GOAWAY, 0, 0, number(2**31 - 1) + number(NO_ERROR))
MESSAGE = b"\0\0\0\0\2hi"


def over(*origins, **more):
    more.setdefault("ejection", {"failures": 0})
    return service(revisions=[{
        "name": "stable", "protocol": "h2",
        "endpoints": [origin.address for origin in origins]}], **more)


def alone(status, *more):
    """A head that is all of the answer."""
    def script(exchange):
        exchange.read_body()
        exchange.head(200, {"content-type": "application/grpc", "grpc-status": str(status),
                            **dict(more)}, ends=True)
    return script


def behind(status, message=MESSAGE):
    """A message, and the status in the trailers."""
    def script(exchange):
        exchange.read_body()
        exchange.answer(200, message, {"content-type": "application/grpc"},
                        trailers=[("grpc-status", str(status))])
    return script


def leaving(exchange):
    """As gRPC's own servers turn away what reaches them once they are told to stop."""
    exchange.read_body()
    connection = exchange.connection
    with connection.lock:
        # Behind the library's back, which sends nothing more once it has said so itself.
        connection.socket.sendall(GOODBYE)
    exchange.head(200, {"content-type": "application/grpc", "grpc-status": "1"}, ends=True)


def call(client, **headers):
    """The status of a call, wherever it stands."""
    answer = client.request("POST", "/s/m", {**GRPC, **headers}, MESSAGE)
    assert answer.status == 200
    return answer.header("grpc-status") or answer.trailers.get("grpc-status")


def outcomes(gateway):
    metrics = gateway.admin.metrics()
    return {name: metrics.sum("penstock_requests_total", outcome=name)
            for name in ("success", "client", "model", "timeout", "transport")}


@pytest.mark.parametrize("place", [alone, behind], ids=["head", "trailers"])
@pytest.mark.parametrize("status,name,outcome", [
    (0, "ok", "success"), (5, "not_found", "client"), (12, "unimplemented", "client"),
    (4, "deadline_exceeded", "timeout"), (13, "internal", "model"), (14, "unavailable", "model"),
    (99, "unknown", "model")])
def test_a_status_counts(start_origin, start_gateway, place, status, name, outcome):
    gateway = start_gateway(over(start_origin(place(status), http2=True)),
                            gateway={"access_log": {"path": "access.log", "sample": 1.0}})
    with Client(gateway.address) as client:
        assert call(client) == str(status)
    until(lambda: sum(outcomes(gateway).values()) == 1, "the call is counted")
    assert outcomes(gateway)[outcome] == 1
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_grpc_requests_total", status=name) == 1
    assert metrics.sum("penstock_grpc_requests_total") == 1
    assert metrics.sum("penstock_tries_total", outcome=outcome) == 1
    log = gateway.folder / "access.log"
    until(lambda: log.exists() and log.read_text().endswith("\n"), "the line is written")
    line = json.loads(log.read_text())
    assert line["grpc_status"] == name and line["outcome"] == outcome and line["status"] == 200


def test_an_answer_without_a_status_is_an_error(start_origin, start_gateway):
    gateway = start_gateway(over(start_origin(echo2, http2=True)))
    with Client(gateway.address) as client:
        assert call(client) is None
        assert client.request("POST", "/", {}, b"no call").status == 200
    until(lambda: sum(outcomes(gateway).values()) == 2, "both are counted")
    assert outcomes(gateway)["model"] == 1 and outcomes(gateway)["success"] == 1
    assert gateway.admin.metrics().sum("penstock_grpc_requests_total") == 1


def test_the_gateways_own_statuses_are_counted_too(start_origin, start_gateway):
    replica = start_origin(echo2, http2=True)
    gateway = start_gateway(over(replica))
    replica.refuse()
    with Client(gateway.address) as client:
        assert call(client) == "14"
    assert gateway.admin.metrics().sum("penstock_grpc_requests_total", status="unavailable") == 1


def test_a_clients_own_deadline_blames_no_replica(start_origin, start_gateway):
    gateway = start_gateway(over(start_origin(alone(4), http2=True)))
    with Client(gateway.address) as client:
        assert call(client, **{"grpc-timeout": "20S"}) == "4"
    until(lambda: sum(outcomes(gateway).values()) == 1, "the call is counted")
    assert outcomes(gateway)["client"] == 1


@pytest.mark.parametrize("place", [alone, behind], ids=["head", "trailers"])
def test_a_replica_that_fails_by_status_is_ejected(start_origin, start_gateway, place):
    bad, good = start_origin(place(14), http2=True), start_origin(behind(0), http2=True)
    gateway = start_gateway(
        over(bad, good, ejection={"failures": 3, "base": "60s"}), gateway={"workers": 1})
    with Client(gateway.address) as client:
        def is_ejected():
            call(client)
            return gateway.admin.endpoints()[bad.address]["ejected"]
        until(is_ejected, "the failing replica is taken out")
        before = len(bad.requests)
        assert [call(client) for _ in range(20)] == ["0"] * 20
    assert len(bad.requests) == before


# --- further tries -----------------------------------------------------------------------------

AGAIN = {"attempts": 3, "idempotent": True}


def test_unavailable_alone_is_tried_elsewhere(start_origin, start_gateway):
    bad, good = start_origin(alone(14), http2=True), start_origin(behind(0), http2=True)
    gateway = start_gateway(over(bad, good, retry=AGAIN))
    with Client(gateway.address) as client:
        assert [call(client) for _ in range(10)] == ["0"] * 10
    assert bad.requests
    assert all(exchange.body == MESSAGE for exchange in good.requests)
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_retries_total") == len(bad.requests)
    assert metrics.sum("penstock_tries_total", outcome="model") == len(bad.requests)
    assert outcomes(gateway)["success"] == 10


@pytest.mark.parametrize("script,retry", [
    (behind(14), AGAIN), (behind(14, b""), AGAIN), (alone(14), {"attempts": 3}),
    (alone(14, ("grpc-retry-pushback-ms", "-1")), AGAIN), (alone(13), AGAIN),
    (alone(14), {"attempts": 1, "idempotent": True}), (alone(1), AGAIN),
    (leaving, {"attempts": 3}),
], ids=["message", "head before", "not idempotent", "pushback", "internal", "one try", "cancelled",
        "leaving, not idempotent"])
def test_nothing_else_is(start_origin, start_gateway, script, retry):
    replicas = [start_origin(script, http2=True) for _ in range(2)]
    gateway = start_gateway(over(*replicas, retry=retry))
    with Client(gateway.address) as client:
        for _ in range(6):
            assert call(client) in ("1", "13", "14")
    assert sum(len(replica.requests) for replica in replicas) == 6
    assert gateway.admin.metrics().sum("penstock_retries_total") == 0


def test_a_call_that_a_leaving_replica_cancels_is_tried_elsewhere(start_origin, start_gateway):
    bad, good = start_origin(leaving, http2=True), start_origin(behind(0), http2=True)
    gateway = start_gateway(over(bad, good, retry=AGAIN))
    with Client(gateway.address) as client:
        assert [call(client) for _ in range(10)] == ["0"] * 10
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_retries_total") == len(bad.requests) > 0
    assert metrics.sum("penstock_tries_total", outcome="model") == 0


def test_when_all_are_unavailable_the_last_word_is_a_replicas(start_origin, start_gateway):
    replicas = [start_origin(alone(14, ("x-who", "replica")), http2=True) for _ in range(3)]
    gateway = start_gateway(over(*replicas, retry={"attempts": 2, "idempotent": True}))
    with Client(gateway.address) as client:
        answer = client.request("POST", "/s/m", GRPC, MESSAGE)
    assert answer.header("grpc-status") == "14" and answer.header("x-who") == "replica"
    assert sum(len(replica.requests) for replica in replicas) == 2


def test_the_budget_bounds_further_tries(start_origin, start_gateway):
    replicas = [start_origin(alone(14), http2=True) for _ in range(2)]
    gateway = start_gateway(over(*replicas, retry={**AGAIN, "budget": "0%"}))
    with Client(gateway.address) as client:
        assert {call(client) for _ in range(200)} == {"14"}
    # Ten a second are free whatever the share.
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_retries_refused_total") > 0
    assert sum(len(replica.requests) for replica in replicas) == \
        200 + metrics.sum("penstock_retries_total")
