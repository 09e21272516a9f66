# The admin port under those who hold it: connections that say nothing, heads that never end, what
# is no HTTP at all. Whoever has something to say always gets in.

import socket
import time

import pytest

from harness.configuration import service
from harness.waiting import until
from harness.wire import Connection

pytestmark = pytest.mark.core

# More than the port keeps beside one another.
CROWD = 400


@pytest.fixture
def served(start_origin, start_gateway):
    return start_gateway(service(start_origin()))


def is_ended(connection):
    """Whether the other side has ended it; waits for nothing."""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.setblocking(True)


def raw(gateway):
    host, port = gateway.admin.address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), 10)


def test_connections_that_say_nothing_do_not_shut_the_port(served):
    crowd = [raw(served) for _ in range(CROWD)]
    try:
        began = time.monotonic()
        assert served.admin.send("GET", "/livez", token="").status == 200
        assert served.admin.send("GET", "/v1/services").status == 200
        assert time.monotonic() - began < 5, "the port was shut"
        # Those that came first had to go, and no more than had to.
        until(lambda: sum(map(is_ended, crowd)) > CROWD - 300,
              "the port keeps them all")
        assert not is_ended(crowd[-1])
    finally:
        for connection in crowd:
            connection.close()


def test_kept_connections_give_way_to_new_ones(served):
    kept = [Connection(served.admin.address) for _ in range(20)]
    crowd = []
    try:
        for connection in kept:
            answer = connection.request("GET", "/livez", host=served.admin.address)
            assert answer.status == 200
        crowd = [raw(served) for _ in range(CROWD)]
        assert served.admin.send("GET", "/livez", token="").status == 200
        until(lambda: all(is_ended(connection.socket) for connection in kept),
              "a kept connection stays before a new one")
    finally:
        for connection in kept + crowd:
            connection.close()


def test_a_head_has_its_time_however_it_drips(served):
    with Connection(served.admin.address) as slow:
        slow.send("GET /livez HTTP/1.1\r\n")
        began = time.monotonic()
        slow.socket.settimeout(0.5)
        while time.monotonic() - began < 30:
            try:
                slow.socket.sendall(b"x")
                if slow.socket.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            pytest.fail("a head may take for ever")
        assert time.monotonic() - began > 5


@pytest.mark.parametrize("request_text, code", [
    ("GET / HTTP/1.1\r\nHost: localhost\r\nBad Header: 1\r\n\r\n", "MALFORMED_REQUEST"),
    ("nonsense\r\n\r\n", "MALFORMED_REQUEST"),
    ("GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", "MALFORMED_REQUEST"),
    ("GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + "y" * 100_000 + "\r\n\r\n",
     "HEAD_TOO_LARGE"),
])
def test_what_is_no_request_is_told_so(served, request_text, code):
    with Connection(served.admin.address) as client:
        client.send(request_text)
        answer = client.response()
        assert answer.status in (400, 431)
        assert answer.header("content-type") == "application/problem+json"
        problem = answer.json()
        assert problem["code"] == code and problem["detail"]
        assert problem["requestId"] == answer.header("x-request-id")
        until(lambda: is_ended(client.socket), "the connection goes on")
    assert served.admin.send("GET", "/livez", token="").status == 200
