# Deadlines that clients set: they bound the wait, reach the replica less what has passed, and end
# in the right words.

import threading

import pytest

from harness.configuration import service
from harness.http2 import Client
from harness.messages import compose
from harness.origin import echo
from harness.waiting import SLOWNESS, Stopwatch, until

pytestmark = pytest.mark.core


def silent(exchange):
    """Reads the request and waits until the gateway gives it up."""
    exchange.read_body()
    exchange.client_left()


def over_http2(origin, **more):
    return service(revisions=[{
        "name": "stable", "protocol": "h2", "endpoints": [origin.address]}], **more)


@pytest.mark.parametrize("text", ["200ms", "0.2", "0.2s"])
def test_a_request_ends_with_its_own_timeout(start_origin, start_gateway, text):
    gateway = start_gateway(service(start_origin(silent)))
    with gateway.connect() as client:
        watch = Stopwatch()
        client.send(compose("GET", "/", {"X-Request-Timeout": text}))
        answer = client.response()
        assert answer.status == 504 and answer.error == "deadline_exceeded"
        watch.assert_between(0.2, 0.6)


def test_the_replica_is_told_what_is_left(start_origin, start_gateway):
    replica = start_origin(echo)
    gateway = start_gateway(service(replica))
    with gateway.connect() as client:
        assert client.get("/", {"X-Request-Timeout": "5s"}).status == 200
    told = replica.requests[0].headers.get("x-request-timeout")
    assert told.endswith("ms") and 5000 - 1000 * SLOWNESS < int(told[:-2]) <= 5000


def test_what_is_no_duration_is_passed_on(start_origin, start_gateway):
    replica = start_origin(echo)
    gateway = start_gateway(service(replica))
    with gateway.connect() as client:
        assert client.get("/", {"X-Request-Timeout": "soon"}).status == 200
    assert replica.requests[0].headers.get("x-request-timeout") == "soon"


def test_a_body_that_is_searched_for_its_model_takes_of_the_time(start_origin, start_gateway):
    replica = start_origin(echo)
    gateway = start_gateway(service(replica, routes=[{"model": "iris"}]))
    body = b'{"model": "iris"}'
    with gateway.connect() as client:
        watch = Stopwatch()

        def ask(timeout, pause):
            client.send(compose("POST", "/v1/chat", {
                "Content-Type": "application/json", "Content-Length": str(len(body)),
                "X-Request-Timeout": timeout}))
            until(lambda: watch.seconds > pause, "the body is late")
            client.send(body)
            return client.response()
        assert ask("60s", 0.3).status == 200
        assert int(replica.requests[0].headers.get("x-request-timeout")[:-2]) <= 59_700
        answer = ask("200ms", 0.6)
        assert answer.status == 504 and answer.error == "deadline_exceeded"
    assert len(replica.requests) == 1


def test_so_does_it_of_the_total(start_origin, start_gateway):
    gateway = start_gateway(service(
        start_origin(echo), routes=[{"model": "iris"}], timeouts={"total": "200ms"}))
    body = b'{"model": "iris"}'
    with gateway.connect() as client:
        watch = Stopwatch()
        client.send(compose("POST", "/v1/chat", {
            "Content-Type": "application/json", "Content-Length": str(len(body))}))
        until(lambda: watch.seconds > 0.3, "the body is late")
        client.send(body)
        assert client.response().error == "total_timeout"


def test_but_not_of_the_time_to_wait_for_a_replica(start_origin, start_gateway):
    go = threading.Event()

    def script(exchange):
        exchange.read_body()
        exchange.wait(go)
        exchange.answer(200)
    replica = start_origin(script)
    gateway = start_gateway(
        service(routes=[{"model": "iris"}], timeouts={"first_byte": "2s"}, revisions=[{
            "name": "stable",
            "endpoints": [{"address": replica.address, "concurrency": 1}]}]),
        gateway={"workers": 1})
    body = b'{"model": "iris"}'
    head = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    with gateway.connect() as first, gateway.connect() as second:
        watch = Stopwatch()
        second.send(compose("POST", "/v1/chat", head))
        until(lambda: watch.seconds > 1.5, "the body takes its time")
        first.send(compose("POST", "/v1/chat", head) + body)
        until(lambda: replica.requests, "the slot is taken")
        until(lambda: watch.seconds > 2.2, "and more than might be waited")
        second.send(body)
        until(lambda: gateway.admin.metrics().sum("penstock_requests_pending") == 1, "it waits")
        go.set()
        assert first.response().status == second.response().status == 200


def test_a_service_may_allow_less(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(silent), timeouts={"total": "200ms"}))
    with gateway.connect() as client:
        answer = client.get("/", {"X-Request-Timeout": "1h"})
        assert answer.status == 504 and answer.error == "total_timeout"


def test_grpc_timeouts_bound_calls_and_reach_replicas(start_origin, start_gateway):
    def script(exchange):
        exchange.read_body()
        if exchange.path == "/s/late":
            exchange.wait_for_reset()
        else:
            exchange.answer(200, b"", {"content-type": "application/grpc", "grpc-status": "0"})
    replica = start_origin(script, http2=True)
    gateway = start_gateway(over_http2(replica))
    headers = {"content-type": "application/grpc", "te": "trailers"}
    with Client(gateway.address) as client:
        answer = client.request("POST", "/s/m", {**headers, "grpc-timeout": "9S"}, b"")
        assert answer.header("grpc-status") == "0"
        told = replica.requests[0].headers.get("grpc-timeout")
        units = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "S": 1}
        assert 9 - SLOWNESS < int(told[:-1]) * units[told[-1]] <= 9.01
        late = client.request("POST", "/s/late", {**headers, "grpc-timeout": "200m"}, b"")
        assert late.header("grpc-status") == "4"
        assert late.error == "deadline_exceeded"


GRPC = {"content-type": "application/grpc", "te": "trailers"}


def ok(exchange):
    exchange.answer(200, b"", {"content-type": "application/grpc", "grpc-status": "0"})


@pytest.mark.parametrize("host", ["keep", "rewrite"])
def test_a_timeout_beyond_any_clock_is_no_short_one(start_origin, start_gateway, host):
    replica = start_origin(ok, http2=True)
    gateway = start_gateway(over_http2(replica, host=host))
    with Client(gateway.address) as client:
        answer = client.request(
            "POST", "/s/m", {**GRPC, "grpc-timeout": "99999999H"}, b"")
        assert answer.header("grpc-status") == "0"
    told = replica.requests[0].headers.get("grpc-timeout")
    assert told.endswith("H") and int(told[:-1]) > 1_000_000


def test_a_timeout_said_twice_is_told_once(start_origin, start_gateway):
    replica = start_origin(ok, http2=True)
    gateway = start_gateway(over_http2(replica))
    with Client(gateway.address) as client:
        client.request("POST", "/s/m", [
            *GRPC.items(), ("grpc-timeout", "9S"), ("grpc-timeout", "5S")], b"")
    told = [value for name, value in replica.requests[0].headers if name == "grpc-timeout"]
    assert len(told) == 1 and int(told[0][:-1]) * {"u": 1e-6, "m": 1e-3}[told[0][-1]] <= 5


@pytest.mark.parametrize("value", [None, "2s"], ids=["removed", "set"])
def test_the_operators_word_on_the_field_stands(start_origin, start_gateway, value):
    replica = start_origin(echo)
    gateway = start_gateway(
        service(replica, headers={"request": {"x-request-timeout": value}}))
    with gateway.connect() as client:
        assert client.get("/", {"X-Request-Timeout": "5s"}).status == 200
    told = [text for name, text in replica.requests[0].headers if name == "x-request-timeout"]
    assert told == ([value] if value else [])
