# Replicas that take nothing more of a request: neither they nor its client will ever end it, so the
# gateway does, whatever carries it on either side, and only when nothing moves.

import threading

import pytest

from harness.configuration import service
from harness.http2 import Client, StreamOrigin
from harness.messages import compose
from harness.waiting import SLOWNESS, Stopwatch, until

pytestmark = pytest.mark.core

SIZE = 40_000_000


class Deaf(StreamOrigin):
    """Says what HTTP/2 begins with, and reads nothing behind it."""

    def _serve(self, connection):
        # SETTINGS with windows so wide that only the socket holds bytes back.
        connection.send(bytes.fromhex("000006040000000000" "00047fffffff"))
        connection.send(bytes.fromhex("000004080000000000" "7fff0000"))
        self.deafness.wait(60)
        connection.close()


def replica_of(kind, start_origin, end):
    """A replica that takes no body, in one of the ways there are."""
    if kind == "http1":
        return start_origin(lambda exchange: silent(exchange, end), receive_buffer=4096)
    if kind == "window":
        return start_origin(lambda exchange: exchange.wait_for_reset(), http2=True,
                            acknowledges=False)
    Deaf.deafness = end
    return Deaf(receive_buffer=4096)


def silent(exchange, end):
    exchange.is_body_read = True
    exchange.wait(end)
    exchange.connection.close()


def over(replica, kind, **more):
    protocol = "http1" if kind == "http1" else "h2"
    return service(revisions=[{
        "name": "stable", "protocol": protocol, "endpoints": [replica.address]}], **more)


@pytest.mark.parametrize("kind", ["http1", "window", "socket"])
def test_a_replica_that_takes_no_more_of_a_request_is_given_up(
        start_origin, start_gateway, kind):
    end = threading.Event()
    replica = replica_of(kind, start_origin, end)
    gateway = start_gateway(over(replica, kind, timeouts={"first_byte": "500ms"}))
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Content-Length": str(SIZE)}))
        watch = Stopwatch()
        threading.Thread(target=push, args=(client,), daemon=True).start()
        answer = client.response()
        assert (answer.status, answer.error) == (504, "first_byte_timeout")
        # A full socket may still take a segment late, which the next look finds.
        watch.assert_between(0.5, 1.5)
        metrics = gateway.admin.metrics()
        assert metrics.sum("penstock_tries_total", outcome="timeout") == 1
    end.set()
    if kind == "socket":
        replica.stop()


def push(client):
    try:
        client.send(b"u" * SIZE)
    except OSError:
        pass  # The answer came first.


def test_nor_is_a_client_of_http2_left_waiting(start_origin, start_gateway):
    end = threading.Event()
    replica = replica_of("http1", start_origin, end)
    gateway = start_gateway(over(replica, "http1", timeouts={"first_byte": "500ms"}))
    with Client(gateway.address) as client:
        stream = client.begin("POST", "/", ends=False)
        sent, body = 0, b"u" * 16_384
        while client.answers[stream].reset is None and not client.answers[stream].headers:
            if client.h2.local_flow_control_window(stream) >= len(body) and sent < SIZE:
                client.data(stream, body)
                sent += len(body)
            else:
                client.pump()
        answer = client.answer(stream)
        assert (answer.status, answer.error) == (504, "first_byte_timeout")
    end.set()


def test_a_replica_that_takes_its_time_is_not(start_origin, start_gateway):
    size, seconds = 24_000_000, 3 * SLOWNESS

    def script(exchange):
        exchange.is_body_read = True
        watch, taken = Stopwatch(), 0
        while taken < size:
            until(lambda: watch.seconds > seconds * taken / size, "its time has come")
            taken += len(exchange.connection.stream.exactly(min(200_000, size - taken)))
        exchange.answer(200)
    # Of the whole, kernels hold what is taken in less than this time.
    limit = f"{int(1_200 * SLOWNESS)}ms"
    gateway = start_gateway(service(
        start_origin(script, receive_buffer=16_384), timeouts={"first_byte": limit}))
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Content-Length": str(size)}) + b"u" * size)
        assert client.response().status == 200
