# What a connection may make the gateway keep, whatever windows a peer grants and however little
# it reads: answers, uploads, and interim heads, which no window bounds. Memory as the system tells.

import threading

import pytest

from harness.configuration import service
from harness.frames import (
    DATA, END_HEADERS, GOAWAY, HEADERS, POST, RST, WINDOW, Frames, RawClient, RawServer, block,
    frame, head, number, setting)
from harness.processes import resident_bytes
from harness.waiting import LARGENESS, Stopwatch, until
from harness.wire import Listening, open_socket

pytestmark = pytest.mark.core

MB = 1_000_000
GROWTH = 16 * MB * LARGENESS
# As large as they can be: only the socket holds anything back.
WIDE = [(4, 2**31 - 1)]
WIDER = frame(WINDOW, 0, 0, number(2**30))


class Flow:
    """Bytes that somebody sends, and whether they still move."""

    def __init__(self):
        self.sent = 0
        self.is_over = False

    def run(self, send, piece, most):
        """Sends until it is told to stop, or the gateway has had enough."""
        try:
            while not self.is_over and self.sent < most:
                send(piece)
                self.sent += len(piece)
        except OSError:
            pass  # It was cut, which is as good as being held back.
        self.is_over = True

    def rests(self):
        """Waits until nothing has moved for half a second, or all is over."""
        watch, seen = Stopwatch(), -1

        def is_still():
            nonlocal watch, seen
            if self.sent != seen:
                watch, seen = Stopwatch(), self.sent
            return self.is_over or self.sent > 0 and watch.seconds > 0.5
        until(is_still, "nothing moves any more")


def http2(origin):
    return [{"name": "stable", "protocol": "h2", "endpoints": [origin.address]}]


def grown(gateway, before):
    return resident_bytes(gateway.process.pid) - before


@pytest.mark.parametrize("speaks_h2", [False, True], ids=["from h1", "from h2"])
def test_a_hundred_answers_that_nobody_reads(start_origin, start_gateway, speaks_h2):
    flow = Flow()

    def script(exchange):
        exchange.read_body()
        if speaks_h2:
            return exchange.answer(200, bytes(10 * MB))
        exchange.send(f"HTTP/1.1 200 OK\r\nContent-Length: {100 * MB}\r\n\r\n")
        flow.run(exchange.send, bytes(MB // 10), 1000 * MB)
    origin = start_origin(script, http2=speaks_h2)
    gateway = start_gateway(
        service(revisions=http2(origin)) if speaks_h2 else service(origin))
    before = resident_bytes(gateway.process.pid)
    with RawClient(gateway.address, settings=WIDE, receive_buffer=65_536) as client:
        client.send(WIDER, *[head(2 * n + 1) for n in range(100)])
        if speaks_h2:
            until(lambda: len(origin.requests) == 100, "all are asked for")
        else:
            flow.rests()
        growth = grown(gateway, before)
        flow.is_over = True
    print(f"100 answers: {growth / MB:+.1f} MB")
    assert growth < GROWTH


class Sponge:
    """A replica of HTTP/2 that grants all there is to grant, and never reads on."""

    def __init__(self):
        self.connections = []
        self.listening = Listening(self._grant, receive_buffer=65_536)
        self.address = self.listening.address

    def _grant(self, accepted):
        made = Frames(accepted)
        self.connections.append(made)
        made.send(setting(*WIDE), WIDER)

    def stop(self):
        self.listening.close()
        for made in self.connections:
            made.close()


@pytest.mark.parametrize("client", ["h1", "h2"])
def test_uploads_to_a_replica_that_never_reads(start_gateway, client):
    sponge, flow = Sponge(), Flow()
    gateway = start_gateway(service(revisions=http2(sponge)))
    before = resident_bytes(gateway.process.pid)
    connected = []
    for _ in range(4):
        if client == "h1":
            made = open_socket(gateway.address)
            made.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 200000000\r\n\r\n")
            threading.Thread(target=flow.run, args=(made.sendall, bytes(MB // 10), 1000 * MB),
                             daemon=True).start()
        else:
            made = RawClient(gateway.address)
            # What windows allow, and no more.
            made.send(*[head(2 * n + 1, POST, ends=False) + frame(
                DATA, 0, 2 * n + 1, bytes(10_000)) for n in range(100)])
            made.pinged()
        connected.append(made)
    if client == "h1":
        flow.rests()
    growth = grown(gateway, before)
    flow.is_over = True
    print(f"4 times uploads of {client}: {growth / MB:+.1f} MB")
    assert growth < GROWTH
    for made in connected:
        made.close()
    sponge.stop()


EARLY = "HTTP/1.1 103 Early Hints\r\nlink: " + "x" * 900 + "\r\n\r\n"


def early_frames(stream):
    return frame(HEADERS, END_HEADERS, stream, block([(":status", "103"), ("link", "x" * 900)]))


@pytest.mark.parametrize("client", ["h1", "h2", "h2 closed"])
@pytest.mark.parametrize("replica", ["h1", "h2"])
def test_interim_heads_without_end(start_origin, start_gateway, replica, client):
    flow = Flow()
    if replica == "h1":
        origin = start_origin(lambda exchange: (
            exchange.read_body(), flow.run(exchange.send, EARLY * 60, 2000 * MB)))
        gateway = start_gateway(service(origin))
    else:
        origin = RawServer(lambda made, stream: flow.run(
            made.send, early_frames(stream) * 60, 2000 * MB))
        gateway = start_gateway(service(revisions=http2(origin)))
    before = resident_bytes(gateway.process.pid)
    if client == "h1":
        made = open_socket(gateway.address)
        made.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    else:
        made = RawClient(gateway.address, settings=[(4, 0)] if client == "h2 closed" else WIDE)
        made.send(head(1))
    flow.rests()
    growth = grown(gateway, before)
    flow.is_over = True
    print(f"interim heads, {replica} to {client}: {growth / MB:+.1f} MB of {flow.sent / MB:.0f}")
    assert growth < GROWTH
    made.close()
    if replica == "h2":
        origin.stop()


@pytest.mark.parametrize("replica", ["h1", "h2"])
def test_many_interim_heads_that_are_read_all_arrive(start_origin, start_gateway, replica):
    """More than may wait, to a client whose windows are shut: heads need none."""
    count, done = 400, []

    def over_h2(made, stream):
        for _ in range(count):
            made.send(early_frames(stream))
            taken.acquire()
        made.send(head(stream, ((":status", "204"),)))

    def over_h1(exchange):
        exchange.read_body()
        for _ in range(count):
            exchange.send(EARLY)
            taken.acquire()
        exchange.send("HTTP/1.1 204 No Content\r\n\r\n")
    taken = threading.Semaphore(20)
    if replica == "h1":
        gateway = start_gateway(service(start_origin(over_h1)))
    else:
        origin = RawServer(over_h2)
        gateway = start_gateway(service(revisions=http2(origin)))
    with RawClient(gateway.address, settings=[(4, 0)]) as client:
        client.send(head(1))
        while not done:
            got = client.next()
            taken.release()
            done = [got] if got.stream == 1 and (got.ends or got.kind in (RST, GOAWAY)) else []
    statuses = [dict(fields)[":status"] for fields in client.heads[1]]
    assert statuses == ["103"] * count + ["204"]
    if replica == "h2":
        origin.stop()


def test_an_answer_behind_interim_heads_that_waited(start_origin, start_gateway):
    """A client that reads late gets the first of them and the answer, whole."""
    sent = threading.Event()

    def script(exchange):
        exchange.read_body()
        exchange.send(EARLY * 60)
        exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + "y" * 200_000)
        sent.set()
    gateway = start_gateway(service(start_origin(script)))
    with RawClient(gateway.address) as client:
        client.send(head(1), WIDER)
        body = b""
        while len(body) < 200_000:
            got = client.next()
            assert got.kind not in (RST, GOAWAY)
            if got.kind == DATA:
                body += got.payload
                client.send(frame(WINDOW, 0, 1, number(max(1, len(got.payload)))))
    assert sent.is_set()
    statuses = [dict(fields)[":status"] for fields in client.heads[1]]
    assert statuses[-1] == "200" and set(statuses[:-1]) == {"103"}
