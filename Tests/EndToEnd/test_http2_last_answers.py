# HTTP/2 connections of clients that take no more requests, by the word of either side: the last
# answers arrive whole however slowly they are taken, since their client's words about what it takes
# never meet a closed connection.

import signal

import pytest

from harness.configuration import service
from harness.frames import (
    ACK, DATA, END_STREAM, GOAWAY, NO_ERROR, SETTINGS, WINDOW, RawClient, frame, head, number,
    setting)
from harness.origin import fixed
from harness.waiting import SLOWNESS, Stopwatch, until

pytestmark = pytest.mark.core

GOODBYE = frame(GOAWAY, 0, 0, number(0) + number(NO_ERROR))


def take(client, size):
    """The answer on the first stream, with a word about every piece of it."""
    count = sum(len(got.payload) for got in client.seen if got.kind == DATA)
    while count < size:
        got = client.next()
        if got.kind == SETTINGS and not got.flags & ACK:
            client.send(setting(flags=ACK))
        if got.kind == DATA:
            count += len(got.payload)
            client.send(frame(WINDOW, 0, 0, number(len(got.payload))))
    assert count == size
    if not got.flags & END_STREAM:
        assert client.ended(1).kind == DATA


def ask(gateway):
    """A client that may be sent everything at once, and takes little at a time."""
    client = RawClient(gateway.address, settings=[(4, 1 << 30)], receive_buffer=8_192)
    client.send(frame(WINDOW, 0, 0, number(1 << 30)), head(1))
    return client


@pytest.mark.parametrize("size", [100_000, 3_000_000])
def test_the_last_answer_of_a_client_that_leaves_is_taken_whole(start_origin, start_gateway, size):
    gateway = start_gateway(service(start_origin(fixed(b"x" * size))))
    with ask(gateway) as client:
        client.send(GOODBYE)
        if size < 1_000_000:
            # All of it is on its way.
            client.until(lambda got: got.kind == DATA)
            gateway.settle()
        take(client, size)
        client.rest()
    gateway.settle()


def test_the_last_answer_of_a_gateway_that_ends_is_taken_whole(start_origin, start_gateway):
    size = 400_000
    gateway = start_gateway(service(start_origin(fixed(b"x" * size))))
    with ask(gateway) as client:
        client.until(lambda got: got.kind == DATA)
        gateway.signal(signal.SIGTERM)
        watch = Stopwatch()
        # Longer than the gateway listens to clients that say nothing.
        until(lambda: watch.seconds > 1, "a second passes")
        take(client, size)
        client.rest()
    assert any(got.kind == GOAWAY for got in client.seen)
    assert gateway.wait() == 0


def test_nobody_lingers_for_a_client_that_never_stops(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()))
    with RawClient(gateway.address) as client:
        client.send(head(1), GOODBYE)
        client.rest()
        watch = Stopwatch()
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            while watch.seconds < 10 * SLOWNESS:
                client.send(bytes(65_536))
    gateway.settle()
