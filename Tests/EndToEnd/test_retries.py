# A try that failed before the first byte of an answer is repeated on another replica where that is
# safe, never where it is not, and within a budget.

import threading

import pytest

from harness.configuration import fast_health, service
from harness.load import Load
from harness.messages import Truncated, compose
from harness.origin import echo, fixed, raw, resetting
from harness.waiting import SLOWNESS, Stopwatch, until

pytestmark = pytest.mark.core

NO_EJECTION = {"failures": 0}


def test_a_get_that_is_reset_is_answered_by_another_replica(start_origin, start_gateway):
    bad, good = start_origin(resetting), start_origin(fixed(b"good"))
    gateway = start_gateway(service(bad, good, ejection=NO_EJECTION))
    assert [gateway.get(f"/{n}").status for n in range(20)] == [200] * 20
    assert bad.requests and len(good.requests) == 20
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_retries_total", service="echo") == len(bad.requests)
    assert metrics.sum("penstock_service_requests_total", outcome="success") == 20
    assert metrics.sum("penstock_tries_total", outcome="transport") == len(bad.requests)


@pytest.mark.parametrize("method,body", [
    ("HEAD", None), ("OPTIONS", None), ("PUT", b"whole"), ("DELETE", None)])
def test_idempotent_methods_are_tried_again(start_origin, start_gateway, method, body):
    replicas = [start_origin(resetting), start_origin(fixed(b"good"))]
    gateway = start_gateway(service(*replicas, ejection=NO_EJECTION))
    assert [gateway.fetch(method, "/", body=body).status for _ in range(4)] == [200] * 4
    assert all(request.body == (body or b"") for request in replicas[1].requests)


def test_a_post_that_a_replica_may_have_seen_is_not_sent_again(start_origin, start_gateway):
    bad, good = start_origin(resetting), start_origin(fixed(b"good"))
    gateway = start_gateway(service(bad, good, ejection=NO_EJECTION), gateway={"workers": 1})
    statuses = [gateway.post(f"/{n}", b"once").status for n in range(10)]
    assert statuses.count(502) == len(bad.requests) > 0
    targets = [request.target for request in bad.requests + good.requests]
    assert len(targets) == len(set(targets)) == 10, "no request was sent twice"


def test_a_post_declared_idempotent_is_sent_again_with_its_whole_body(
        start_origin, start_gateway):
    bad, good = start_origin(resetting), start_origin(echo)
    gateway = start_gateway(
        service(bad, good, ejection=NO_EJECTION, retry={"idempotent": True}))
    body = bytes(range(256)) * 200
    for _ in range(6):
        answer = gateway.post("/", body)
        assert answer.status == 200 and answer.json()["body"] == body.decode("latin-1")
    assert bad.requests


def test_a_body_beyond_the_replay_limit_is_not_sent_again(start_origin, start_gateway):
    def read_then_reset(exchange):
        exchange.read_body()
        exchange.connection.reset()
    bad, good = start_origin(read_then_reset), start_origin(fixed(b"good"))
    gateway = start_gateway(
        service(bad, good, ejection=NO_EJECTION, retry={"idempotent": True}),
        gateway={"limits": {"replay": "16KiB"}, "workers": 1})
    statuses = [gateway.post(f"/{n}", b"x" * 100_000).status for n in range(4)]
    assert sorted(statuses) == [200, 200, 502, 502]
    assert all(len(request.body) == 100_000 for request in good.requests)


def test_a_refused_connection_is_free_even_for_a_post(start_origin, start_gateway):
    dead, good = start_origin(), start_origin(fixed(b"good"))
    dead.refuse()
    gateway = start_gateway(service(dead, good, ejection=NO_EJECTION, retry={"attempts": 1}))
    assert [gateway.post("/", b"x").status for _ in range(20)] == [200] * 20
    assert len(good.requests) == 20 and not dead.requests


def test_nothing_is_repeated_once_an_answer_has_begun(start_origin, start_gateway):
    begun = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    replicas = [start_origin(begun), start_origin(begun)]
    gateway = start_gateway(service(*replicas, ejection=NO_EJECTION))
    for number in range(6):
        with pytest.raises((Truncated, ConnectionResetError)):
            gateway.get(f"/{number}")
    assert sum(len(replica.requests) for replica in replicas) == 6


def test_attempts_counts_all_tries(start_origin, start_gateway):
    replicas = [start_origin(resetting) for _ in range(4)]
    gateway = start_gateway(service(*replicas, ejection=NO_EJECTION, retry={"attempts": 3}))
    assert gateway.get().status == 502
    assert sum(len(replica.requests) for replica in replicas) == 3
    assert max(len(replica.requests) for replica in replicas) == 1, "three different ones"


def test_an_answer_of_a_replica_is_an_answer_and_not_tried_again(start_origin, start_gateway):
    replicas = [start_origin(fixed(b"no", 503)), start_origin(fixed(b"no", 503))]
    gateway = start_gateway(service(*replicas, ejection=NO_EJECTION))
    answer = gateway.get()
    assert (answer.status, answer.body, answer.error) == (503, b"no", None)
    assert sum(len(replica.requests) for replica in replicas) == 1


def test_the_retry_budget_bounds_what_an_outage_is_multiplied_by(start_origin, start_gateway):
    replicas = [start_origin(resetting) for _ in range(3)]
    gateway = start_gateway(service(*replicas, ejection=NO_EJECTION))
    requests = 600
    load = Load(gateway.address, clients=4, requests_max=requests).run()
    assert not load.failures and sum(load.statuses.values()) == requests
    tries = sum(len(replica.requests) for replica in replicas)
    # A fifth of the requests, and ten a second over the window of ten seconds.
    assert requests < tries <= requests * 1.2 + 100
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_retries_total") == tries - requests
    assert metrics.sum("penstock_retries_refused_total") > 0


def test_a_pooled_connection_that_the_replica_closed_costs_no_request(
        start_origin, start_gateway):
    replica = start_origin(fixed(b"ok"))
    gateway = start_gateway(service(replica), gateway={"workers": 1})
    for number in range(30):
        assert gateway.fetch("GET" if number % 2 else "PUT", "/").status == 200
        replica.hang_up()
    for number in range(30):
        assert gateway.post("/", b"not idempotent").status == 200
        replica.hang_up()
        until(lambda: gateway.admin.metrics().sum("penstock_upstream_connections_open") == 0,
              "the gateway has noticed")


def test_a_killed_replica_costs_no_get(start_origin, start_gateway):
    replicas = [start_origin(fixed(b"ok")) for _ in range(3)]
    gateway = start_gateway(service(*replicas))
    with Load(gateway.address, clients=4) as load:
        load.progress(200)
        replicas[0].die()
        load.progress(400)
        replicas[0].listen()
        load.progress(400)
    load.assert_all_ok()


def test_a_killed_replica_costs_no_post_on_an_idempotent_service(start_origin, start_gateway):
    replicas = [start_origin(echo) for _ in range(3)]
    gateway = start_gateway(service(*replicas, retry={"idempotent": True}))
    body = b"b" * 1000
    with Load(gateway.address, clients=4,
              request=lambda number: ("POST", f"/{number}", (), body)) as load:
        load.progress(200)
        replicas[1].die()
        load.progress(400)
        replicas[1].listen()
        load.progress(200)
    load.assert_all_ok()


def test_a_replica_that_accepts_and_resets_costs_no_get(start_origin, start_gateway):
    replicas = [start_origin(fixed(b"ok")) for _ in range(3)]
    gateway = start_gateway(service(*replicas))
    with Load(gateway.address, clients=4) as load:
        load.progress(200)
        replicas[2].script = resetting
        load.progress(500)
    load.assert_all_ok()


def test_requests_at_a_frozen_replica_move_when_the_checks_notice(start_origin, start_gateway):
    thaw = threading.Event()
    frozen_is = threading.Event()

    def script(exchange):
        exchange.read_body()
        if frozen_is.is_set():
            exchange.wait(thaw)
        exchange.answer(200, b"ok")
    frozen, good = start_origin(script), start_origin(fixed(b"ok"))
    gateway = start_gateway(service(
        frozen, good, retry={"idempotent": True},
        health=fast_health(path="/health", timeout="100ms", interval="100ms")))
    with gateway.connect() as warm:
        for _ in range(6):
            assert warm.get().status == 200
    frozen_is.set()
    watch = Stopwatch()
    answers = [gateway.post("/", b"x").status if n % 2 else gateway.get().status
               for n in range(8)]
    assert answers == [200] * 8
    assert watch.seconds < 4 * SLOWNESS
    thaw.set()


def test_when_all_replicas_are_down_503_comes_at_once_and_service_returns(
        start_origin, start_gateway):
    replicas = [start_origin(fixed(b"ok")) for _ in range(2)]
    gateway = start_gateway(service(*replicas, health=fast_health(path="/health", fall=1)))
    assert gateway.get().status == 200
    for replica in replicas:
        replica.die()
    until(lambda: gateway.admin.metrics().sum("penstock_service_panicking") == 1,
          "the checks have noticed")
    watch = Stopwatch()
    answer = gateway.get()
    assert answer.status == 503 and answer.error in ("no_replica", "replica_unreachable")
    assert int(answer.header("retry-after")) >= 1
    assert watch.seconds < 0.1 * SLOWNESS
    replicas[1].listen()
    watch = Stopwatch()
    until(lambda: gateway.get().status == 200, "it is served again")
    assert watch.seconds < 0.75 * SLOWNESS


def test_a_retry_keeps_the_request_id_and_the_head(start_origin, start_gateway):
    bad, good = start_origin(resetting), start_origin(echo)
    gateway = start_gateway(
        service(bad, good, ejection=NO_EJECTION, host="rewrite"), gateway={"workers": 1})
    for _ in range(4):
        answer = gateway.get("/same?x", {"X-Mine": "1"})
        assert answer.status == 200
    first, second = bad.last, [
        request for request in good.requests
        if request.headers.get("x-request-id") == bad.last.headers.get("x-request-id")][0]
    assert first.target == second.target == "/same?x"
    assert second.headers.get("x-mine") == "1"
    assert first.headers.get("host") == bad.address
    assert second.headers.get("host") == good.address


def test_an_interim_answer_forbids_a_retry(start_origin, start_gateway):
    def hints_then_reset(exchange):
        exchange.read_body()
        exchange.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        exchange.connection.close()
    replicas = [start_origin(hints_then_reset), start_origin(hints_then_reset)]
    gateway = start_gateway(service(*replicas, ejection=NO_EJECTION))
    with gateway.connect() as client:
        client.send(compose())
        answer = client.response()
        assert (answer.status, answer.error) == (502, "replica_reset")
    assert sum(len(replica.requests) for replica in replicas) == 1


@pytest.mark.parametrize("retry,tries", [
    ({"attempts": 1}, 1), ({"attempts": 2}, 2), ({"attempts": 2, "budget": "0%"}, 2)])
def test_a_connection_at_rest_that_ends_is_tried_again_within_the_rules(
        start_origin, start_gateway, retry, tries):
    def once(exchange):
        exchange.read_body()
        if exchange.connection.requests > 1:
            return exchange.connection.reset()
        exchange.answer(200, b"ok")
    replica = start_origin(once)
    gateway = start_gateway(service(replica, ejection=NO_EJECTION, retry=retry),
                            gateway={"workers": 1})
    for number in range(5):
        if tries == 1 or number == 0:
            assert gateway.get("/first").status == 200
        before = len(replica.requests)
        assert gateway.get("/second").status == (502 if tries == 1 else 200)
        assert len(replica.requests) == before + tries
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_retries_total") == 5 * (tries - 1)
    assert metrics.sum("penstock_tries_total", outcome="transport") == 0
