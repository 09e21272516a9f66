# Time over HTTP/2: heads that never end, answers nobody takes, connections at rest. Each is found
# when its limit is over, whatever the other limits are.

import pytest

from harness.configuration import service
from harness.frames import (
    CALM, DATA, END_STREAM, GET, GOAWAY, HEADERS, NO_ERROR, POST, RST, WINDOW, RawClient, block,
    frame, head, number)
from harness.origin import fixed
from harness.waiting import SLOWNESS, Stopwatch, until

pytestmark = pytest.mark.core

LIMIT = 0.4 * SLOWNESS
# What a machine that is busy with other stories may add.
SLACK = 2.0 * SLOWNESS


def with_timeout(name, **more):
    return {"timeouts": {name: f"{int(LIMIT * 1000)}ms", **more}, "workers": 1}


def took(watch):
    assert LIMIT * 0.9 <= watch.seconds <= LIMIT + SLACK, watch.seconds
    return True


def test_a_head_that_does_not_end_ends_its_connection(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()), gateway=with_timeout("request_head"))
    with RawClient(gateway.address) as client:
        client.send(head(1))
        assert client.status(1) == 200
        watch = Stopwatch()
        client.send(frame(HEADERS, END_STREAM, 3, block(GET)))
        seen = client.rest()
        assert took(watch)
        assert [got.code for got in seen if got.kind == GOAWAY] == [CALM]


def test_a_head_is_not_given_more_time_for_coming_in_drips(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()), gateway=with_timeout("request_head"))
    with RawClient(gateway.address) as client:
        watch, whole = Stopwatch(), head(1)
        sent = [0]

        def ended():
            due = min(len(whole) - 1, int(watch.seconds / (0.05 * SLOWNESS)))
            try:
                client.send(whole[sent[0]:due])
                sent[0] = max(sent[0], due)
                client.socket.settimeout(0.01)
                client.next()
            except TimeoutError:
                return False
            except OSError:
                return True
            return client.seen[-1].kind == GOAWAY
        # The frame's header has 9 bytes, which alone are no head: the rest drips in after them.
        client.send(whole[:9])
        sent[0] = 9
        until(ended, "the connection is given up")
        assert watch.seconds <= LIMIT + SLACK


def test_an_answer_nobody_takes_is_given_up(start_origin, start_gateway):
    gateway = start_gateway(
        service(start_origin(fixed(b"x" * 200_000))), gateway=with_timeout("response_idle"))
    with RawClient(gateway.address, settings=[(4, 0)]) as client:
        watch = Stopwatch()
        client.send(head(1))
        got = client.until(lambda got: got.kind in (RST, GOAWAY))
        assert took(watch) and (got.kind, got.stream) == (RST, 1)
        # Its neighbours are none the worse for it.
        client.send(head(3), frame(WINDOW, 0, 3, number(1 << 20)), frame(WINDOW, 0, 0, number(
            1 << 20)))
        assert client.status(3) == 200
    gateway.settle()


@pytest.mark.parametrize("size", [1_000, 1_000_000], ids=["small", "large"])
@pytest.mark.parametrize("others", [0.1, 10, 0], ids=["longer", "shorter", "alone"])
def test_a_service_has_its_own_time_for_answers_to_be_taken(
        start_origin, start_gateway, others, size):
    gateway = start_gateway(
        service(start_origin(fixed(b"x" * size)),
                timeouts=with_timeout("response_idle")["timeouts"]),
        gateway={"workers": 1, "timeouts": {"response_idle": f"{int(LIMIT * others * 1000)}ms"}})
    with RawClient(gateway.address, settings=[(4, 0)]) as client:
        client.send(head(1))
        client.until(lambda got: got.kind == HEADERS)
        watch = Stopwatch()
        assert client.ended(1).kind == RST
        assert took(watch)
    gateway.settle()


def test_heads_in_pieces_do_not_keep_an_answer_that_nobody_takes(start_origin, start_gateway):
    gateway = start_gateway(
        service(start_origin(fixed(b"x" * 1_000))), gateway=with_timeout("response_idle"))
    with RawClient(gateway.address, settings=[(4, 0)]) as client:
        client.send(head(1))
        client.until(lambda got: got.kind == HEADERS)
        watch, stream = Stopwatch(), 3
        client.socket.settimeout(0.05)

        def given_up():
            nonlocal stream
            whole = head(stream, ((":method", "HEAD"), *GET[1:]))
            stream += 2
            client.send(whole[:12])
            try:
                while True:
                    client.next()
            except TimeoutError:
                pass  # Nothing more comes before the rest of the head.
            client.send(whole[12:])
            return any(got.kind == RST and got.stream == 1 for got in client.seen)
        until(given_up, "the answer is given up")
        assert took(watch)
    gateway.settle()


def test_a_body_that_stops_is_given_up(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(fixed(b"ok"))),
                            gateway=with_timeout("request_idle"))
    with RawClient(gateway.address) as client:
        watch = Stopwatch()
        client.send(head(1, POST, ends=False), frame(DATA, 0, 1, b"some"))
        assert client.status(1) == 408 and took(watch)
    gateway.settle()


@pytest.mark.parametrize("asks", [False, True], ids=["never used", "used before"])
def test_a_connection_at_rest_is_closed(start_origin, start_gateway, asks):
    gateway = start_gateway(service(start_origin(fixed(b"ok"))),
                            gateway=with_timeout("keep_alive"))
    with RawClient(gateway.address) as client:
        if asks:
            client.send(head(1))
            assert client.status(1) == 200
        watch = Stopwatch()
        seen = client.rest()
        assert watch.seconds <= LIMIT + SLACK
        assert [got.code for got in seen if got.kind == GOAWAY] == [NO_ERROR]


def test_a_long_wait_for_one_thing_does_not_hide_a_short_one(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()), gateway=with_timeout(
        "request_head", keep_alive="60s", response_idle="60s", request_idle="60s"))
    with RawClient(gateway.address) as client:
        client.pinged()
        watch = Stopwatch()
        client.send(frame(HEADERS, END_STREAM, 1, block(GET)))
        client.rest()
        assert took(watch)


@pytest.mark.parametrize("calls", [1, 20])
def test_an_answer_that_is_taken_slowly_is_not_given_up(start_origin, start_gateway, calls):
    gateway = start_gateway(
        service(start_origin(fixed(b"x" * 4_000_000))), gateway=with_timeout("response_idle"))
    with RawClient(gateway.address, settings=[(4, 1 << 30)], receive_buffer=4_096) as client:
        client.send(frame(WINDOW, 0, 0, number(1 << 30)), *(head(1 + 2 * n) for n in range(calls)))
        watch, taken = Stopwatch(), [0]

        def enough():
            # Some 20 KB a second: of what waits here, that takes longer than the limit.
            if watch.seconds * 20_000 / SLOWNESS > taken[0]:
                data = client.socket.recv(1_000)
                assert data, f"given up after {watch.seconds:.1f} s and {taken[0]} bytes"
                taken[0] += len(data)
            return watch.seconds > 9 * SLOWNESS
        until(enough, "it goes on", 20)
    gateway.settle()


def test_streams_that_wait_for_the_connections_window_are_not_given_up(
        start_origin, start_gateway):
    gateway = start_gateway(
        service(start_origin(fixed(b"x" * 1_000_000))), gateway=with_timeout("response_idle"))
    with RawClient(gateway.address, settings=[(4, 1 << 30)]) as client:
        client.send(*(head(1 + 2 * n) for n in range(5)))
        watch, taken = Stopwatch(), [0]

        def enough():
            # All that may come has, and waits for more at some 30 KB a second.
            due = int(watch.seconds * 30_000) - taken[0]
            if due > 2_000:
                taken[0] += due
                client.send(frame(WINDOW, 0, 0, number(due)))
            client.pinged()
            assert not any(got.kind in (RST, GOAWAY) for got in client.seen)
            return watch.seconds > 4
        until(enough, "it goes on", 20)
    gateway.settle()


def test_a_connections_window_that_stays_shut_is_given_up(start_origin, start_gateway):
    gateway = start_gateway(
        service(start_origin(fixed(b"x" * 1_000_000))), gateway=with_timeout("response_idle"))
    with RawClient(gateway.address, settings=[(4, 1 << 30)]) as client:
        client.send(*(head(1 + 2 * n) for n in range(5)))
        watch, cut = Stopwatch(), set()

        def given_up(got):
            if got.kind == RST:
                cut.add(got.stream)
            return len(cut) == 5
        client.until(given_up)
        assert took(watch)
    gateway.settle()
