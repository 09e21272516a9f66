# Calls in which both sides talk: a client that has little to say, or nothing for long, is not taken
# for one that does not send its request.

import threading

import pytest

from harness.configuration import service
from harness.http2 import Client
from harness.messages import compose
from harness.waiting import Stopwatch, until

CALL = {"content-type": "application/grpc", "te": "trailers"}


def over_http2(replica, **more):
    return service(revisions=[{
        "name": "stable", "protocol": "h2", "endpoints": [replica.address]}], **more)


@pytest.mark.core
@pytest.mark.parametrize("headers", [CALL, {}], ids=["call", "upload"])
def test_request_idle_ends_with_the_beginning_of_the_answer(
        start_origin, start_gateway, headers):
    go = threading.Event()

    def script(exchange):
        if exchange.path == "/silent":
            return exchange.read_body()
        exchange.head(200, headers)
        exchange.data(b"first")
        assert go.wait(20)
        exchange.data(b"second")
        exchange.data(exchange.read_body(), ends=True)
    gateway = start_gateway(over_http2(start_origin(script, http2=True)),
                            gateway={"timeouts": {"request_idle": "300ms"}})
    with Client(gateway.address) as client, gateway.connect() as other:
        stream = client.begin("POST", "/s/m", headers, ends=False)
        client.until(lambda: client.answers[stream].body == b"first")
        # One that is not answered shows that time enough has passed.
        other.send(compose("POST", "/silent", {"Content-Length": "5"}))
        assert other.response().error == "request_timeout"
        go.set()
        client.until(lambda: client.answers[stream].body == b"firstsecond")
        client.data(stream, b"last", ends=True)
        answer = client.answer(stream)
        assert answer.reset is None and answer.body == b"firstsecondlast"


@pytest.mark.core
@pytest.mark.parametrize("ends", [False, True], ids=["talk", "answer"])
def test_whose_turn_it_was_in_a_silent_talk_nobody_knows(start_origin, start_gateway, ends):
    def script(exchange):
        exchange.head(200, CALL)
        exchange.wait_for_reset()
    gateway = start_gateway(over_http2(
        start_origin(script, http2=True), timeouts={"stream_idle": "100ms"}))
    with Client(gateway.address) as client:
        stream = client.begin("POST", "/s/m", CALL, ends=ends)
        assert client.answer(stream).reset is not None
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_requests_total", outcome="timeout") == 1
    # Of a call whose request is complete, it was the replica's.
    assert metrics.sum("penstock_tries_total", outcome="timeout" if ends else "cancelled") == 1


def test_a_call_may_drip(start_origin, start_gateway):
    """Ten seconds long: as long as a drip is watched."""
    def script(exchange):
        body = exchange.read_body()
        exchange.answer(200, body, CALL, trailers=[("grpc-status", "0")])
    gateway = start_gateway(over_http2(start_origin(script, http2=True)))
    with Client(gateway.address) as client, gateway.connect() as other:
        stream = client.begin("POST", "/s/m", CALL, ends=False)
        # One that is no call drips as fast, and is cut off.
        other.send(compose("POST", "/", {"Content-Length": "1000000"}))
        watch, sent = Stopwatch(), [0]

        def dripped():
            if watch.seconds >= sent[0] * 0.2:
                sent[0] += 1
                client.data(stream, b"d")
                other.send(b"d")
            return other.peek() is not None
        until(dripped, "the upload is cut off", 40)
        assert other.response().error == "request_timeout"
        client.data(stream, b"d", ends=True)
        answer = client.answer(stream)
        assert answer.reset is None and len(answer.body) == sent[0] + 1
