# How HTTP/2 connections to replicas end, and what that makes of the requests on them: whole answers
# are delivered, tries are counted and blamed as over HTTP/1.1, and what waits finds its turn.

import threading

import pytest

from harness.configuration import service
from harness.frames import (
    ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, INTERNAL, PING, PREFACE, REFUSED, RST,
    SETTINGS, WINDOW, RawClient, RawServer, block, frame, head, number, setting)
from harness.messages import compose
from harness.waiting import until

pytestmark = pytest.mark.core

OK = ((":status", "200"),)
ASK = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
       "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


@pytest.fixture
def start_raw():
    started = []

    def start(script, kind=RawServer):
        started.append(kind(script))
        return started[-1]
    yield start
    for server in started:
        server.stop()


def over_http2(*replicas, **more):
    more.setdefault("ejection", {"failures": 0})
    return service(revisions=[{
        "name": "stable", "protocol": "h2",
        "endpoints": [replica.address for replica in replicas]}], **more)


def said(stream, fields=OK, ends=False):
    return frame(HEADERS, END_HEADERS | (END_STREAM if ends else 0), stream, block(fields))


def taken(made):
    """The gateway has read all that was sent to it."""
    made.send(frame(PING, 0, 0, b"are you?"))
    while True:
        got = made.next()
        if got.kind == SETTINGS and not got.flags & ACK:
            made.send(setting(flags=ACK))
        if got.kind == PING and got.flags & ACK:
            return


def hang_up(made):
    made.socket.shutdown(2)
    made.close()


def tries(gateway, outcome):
    return gateway.admin.metrics().sum("penstock_tries_total", outcome=outcome)


# --- whole answers -----------------------------------------------------------------------------


def test_an_answer_that_is_whole_outlives_its_connection(start_raw, start_gateway):
    def script(made, stream):
        if made is not replica.connections[0]:
            return made.send(said(stream, ends=True))
        for piece in (said(stream), frame(DATA, 0, stream, b"a" * 8000),
                      frame(DATA, 0, stream, b"b" * 8000),
                      frame(DATA, END_STREAM, stream, b"c" * 8000)):
            made.send(piece)
            taken(made)
        hang_up(made)
    replica = start_raw(script)
    gateway = start_gateway(over_http2(replica), gateway={"workers": 1})
    with RawClient(gateway.address, settings=((4, 0),)) as client:
        client.send(head(1))
        client.until(lambda got: got.kind == HEADERS)
        until(lambda: gateway.admin.metrics().sum("penstock_upstream_connections_open") == 0,
              "the gateway has seen the end of the connection")
        assert gateway.get().status == 200
        client.send(frame(WINDOW, 0, 1, number(30_000)))
        assert client.ended(1).kind == DATA
        body = b"".join(got.payload for got in client.seen if got.kind == DATA)
        assert body == b"a" * 8000 + b"b" * 8000 + b"c" * 8000
    assert tries(gateway, "success") == 2
