# Priorities over HTTP/2 (RFC 9218): of the answers that wait for one client the urgent ones leave
# first, by the client's word or by the replica's, and what waits is little, so that this matters.

import threading

import pytest

from harness.configuration import service
from harness.frames import DATA, GET, WINDOW, RawClient, frame, head, number
from harness.http2 import Client
from harness.processes import resident_bytes
from harness.waiting import LARGENESS, Stopwatch, until

pytestmark = pytest.mark.core

KB, MB = 1_000, 1_000_000
# As large as they can be: only the socket holds answers back.
WIDE = [(4, 2**31 - 1)]
WIDER = frame(WINDOW, 0, 0, number(2**30))
PRIORITY_UPDATE = 16
URGENT = 300 * KB


def get(path, *more):
    return (*GET[:3], (":path", path), *more)


class Bulk:
    """A replica with a long answer, which notices when nobody takes more of it."""

    def __init__(self, megabytes=400, head=()):
        self.sent = 0
        self.served_urgent = False
        self.megabytes = megabytes
        self.head = head

    def __call__(self, exchange):
        exchange.read_body()
        if exchange.request.target == "/urgent":
            exchange.answer(200, b"u" * URGENT)
            self.served_urgent = True
            return
        lines = [f"{name}: {value}\r\n" for name, value in self.head]
        exchange.send("HTTP/1.1 200 OK\r\n" + "".join(lines)
                      + f"Content-Length: {self.megabytes * MB}\r\n\r\n")
        for _ in range(self.megabytes * 10):
            exchange.send(bytes(MB // 10))
            self.sent += MB // 10

    def stalls(self):
        """Waits until nothing has moved for half a second."""
        watch, seen = Stopwatch(), -1

        def rests():
            nonlocal watch, seen
            if self.sent != seen:
                watch, seen = Stopwatch(), self.sent
            return self.sent > 0 and watch.seconds > 0.5
        until(rests, "the answer stalls")


# Fields of the two requests, a frame, fields of the large answer, and of its service's answers.
CASES = {
    "request": ([("priority", "u=6")], [("priority", "u=0")], b"", (), {}),
    "frame": ([], [], frame(PRIORITY_UPDATE, 0, 0, number(1) + b"u=6"), (), {}),
    "answer": ([], [], b"", [("Priority", "u=7")], {}),
    "service": ([], [], b"", (), {"response": {"priority": "u=7"}}),
}


@pytest.mark.parametrize("case", CASES)
def test_an_urgent_answer_overtakes_a_large_one(start_origin, start_gateway, case):
    of_bulk, of_urgent, update, of_answer, of_service = CASES[case]
    bulk = Bulk(head=of_answer)
    origin = start_origin(bulk)
    gateway = start_gateway(
        service(origin, routes=[{"path": "/bulk"}], headers=of_service),
        service(origin, name="urgent", routes=[{"path": "/urgent"}]))
    with RawClient(gateway.address, settings=WIDE, receive_buffer=65_536) as client:
        client.send(WIDER, head(1, get("/bulk", *of_bulk)))
        bulk.stalls()
        client.send(update, head(3, get("/urgent", *of_urgent)))
        before, after, urgent = 0, 0, 0
        while urgent < URGENT:
            was_served = bulk.served_urgent
            got = client.next()
            if got.kind != DATA:
                continue
            if got.stream == 3:
                urgent += len(got.payload)
            elif was_served:
                after += len(got.payload)
            else:
                before += len(got.payload)
    print(f"{case}: {before // KB} KB of the large answer came before the replica had answered the "
          f"urgent request, {after // KB} KB between then and its end at the client")
    # What the kernels on both sides had already, and no more.
    assert after < 1.5 * MB * LARGENESS


def test_a_client_with_large_windows_that_does_not_read_costs_little(start_origin, start_gateway):
    bulk = Bulk(megabytes=200)
    gateway = start_gateway(service(start_origin(bulk)))
    before = resident_bytes(gateway.process.pid)
    clients = [RawClient(gateway.address, settings=WIDE) for _ in range(4)]
    for client in clients:
        client.send(WIDER, head(1, get("/bulk")))
    bulk.stalls()
    growth = resident_bytes(gateway.process.pid) - before
    print(f"{len(clients)} stalled answers: {growth // 1024} KiB")
    assert growth < 16 * MB * LARGENESS
    for client in clients:
        client.close()


def test_the_signals_travel_both_ways(start_origin, start_gateway):
    def script(exchange):
        exchange.answer_json({"asked": exchange.request.headers.get("priority")},
                             headers=[("Priority", "u=1, i")])
    gateway = start_gateway(service(start_origin(script)))
    with Client(gateway.address) as client:
        answer = client.request("GET", "/", {"priority": "u=5, i"})
    assert answer.body == b'{"asked": "u=5, i"}'
    assert answer.header("priority") == "u=1, i"


def test_the_signals_reach_replicas_of_http2(start_origin, start_gateway):
    seen = threading.Event()

    def script(exchange):
        assert exchange.headers.get("priority") == "u=5"
        seen.set()
        exchange.answer(200, b"ok", {"priority": "u=2"})
    origin = start_origin(script, http2=True)
    gateway = start_gateway(service(revisions=[{
        "name": "stable", "protocol": "h2", "endpoints": [origin.address]}]))
    with Client(gateway.address) as client:
        assert client.request("GET", "/", {"priority": "u=5"}).header("priority") == "u=2"
    assert seen.is_set()
