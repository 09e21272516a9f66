# How HTTP/2 connections to replicas end, and what that makes of the requests on them: whole answers
# are delivered, tries are counted and blamed as over HTTP/1.1, and what waits finds its turn.

import ssl
import threading

import pytest

from harness.certificates import make_authority, make_certificate
from harness.configuration import service
from harness.frames import (
    ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, INTERNAL, PING, POST, PREFACE, REFUSED,
    RST, SETTINGS, WINDOW, RawClient, RawServer, block, frame, head, number, setting)
from harness.messages import Truncated, compose
from harness.origin import raw
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


def test_a_stream_that_was_never_opened_is_not_counted(start_raw, start_gateway):
    class Curt(RawServer):
        """Ends before its settings, for which an upgrade waits."""
        def _serve(self, made):
            assert made.exactly(24) == PREFACE
            hang_up(made)
    replica = start_raw(None, Curt)
    gateway = start_gateway(over_http2(replica, upgrades=["websocket"]), gateway={"workers": 1})
    for _ in range(3):
        with gateway.connect() as client:
            client.send(compose("GET", "/chat", ASK))
            answer = client.response()
            assert (answer.status, answer.error) == (502, "replica_reset")
    assert len(replica.connections) == 6, "each of them was free to be tried once more"


BARE = {"204": ("GET", ((":status", "204"),)), "304": ("GET", ((":status", "304"),)),
        "HEAD": ("HEAD", (*OK, ("content-length", "10"))),
        "nothing": ("GET", (*OK, ("content-length", "0")))}


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("case", BARE)
def test_an_answer_without_a_body_is_whole_with_its_head(
        start_raw, start_gateway, case, ends):
    method, fields = BARE[case]
    go = threading.Event()

    def script(made, stream):
        made.send(said(stream, fields))
        assert go.wait(60)
        if ends:
            made.send(frame(DATA, END_STREAM, stream))
            taken(made)
        go.clear()
    replica = start_raw(script)
    gateway = start_gateway(over_http2(replica, timeouts={"first_byte": "0s"}),
                            gateway={"workers": 1})
    with gateway.connect() as client:
        for _ in range(2):
            answer = client.request(method)
            assert answer.status == int(dict(fields)[":status"]) and answer.body == b""
            go.set()
            until(lambda: not go.is_set(), "the replica has had its say")
    metrics = gateway.admin.metrics
    assert metrics().sum("penstock_requests_open") == 0
    made = replica.connections[0]
    if not ends:
        # Its stream is not kept for ever.
        until(lambda: [got.code for got in made.seen if got.kind == RST] == [8, 8], "cancelled")
    assert len(replica.connections) == 1
    assert ends == (not any(got.kind == RST for got in made.seen))


def begun(stream):
    return said(stream) + frame(DATA, 0, stream, b"x" * 100)


BREAKS = {
    "a reset": lambda made, stream: made.send(
        begun(stream), frame(RST, 0, stream, number(INTERNAL))),
    "the end": lambda made, stream: (made.send(begun(stream)), hang_up(made)),
}


@pytest.mark.parametrize("case", BREAKS)
def test_what_came_of_an_answer_goes_before_its_reset(start_raw, start_gateway, case):
    replica = start_raw(BREAKS[case])
    gateway = start_gateway(over_http2(replica), gateway={"workers": 1})
    with RawClient(gateway.address) as client:
        client.send(head(1))
        assert client.status(1) is None
        assert dict(client.heads[1][0])[":status"] == "200"
        assert [got.payload for got in client.seen if got.kind == DATA] == [b"x" * 100]
    with gateway.connect() as client:
        client.send(compose("GET", "/", {}))
        assert client.response_head().status == 200
        with pytest.raises(Truncated):
            client.chunk(), client.chunk()
    assert len(replica.requests) == 2


def test_what_came_over_http1_goes_before_the_reset(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(raw(
        "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + "x" * 100))), gateway={"workers": 1})
    with RawClient(gateway.address) as client:
        client.send(head(1))
        assert client.status(1) is None
        assert dict(client.heads[1][0])[":status"] == "200"
        assert [got.payload for got in client.seen if got.kind == DATA] == [b"x" * 100]


# --- attempts and blame ------------------------------------------------------------------------


def test_a_stream_that_is_reset_is_a_failed_try(start_raw, start_gateway):
    def script(made, stream):
        if len(replica.requests) == 1:
            return made.send(said(stream, ends=True))
        made.send(frame(RST, 0, stream, number(INTERNAL)))
    replica = start_raw(script)
    gateway = start_gateway(over_http2(replica, retry={"attempts": 1, "budget": "0%"}),
                            gateway={"workers": 1})
    assert gateway.get().status == 200
    for _ in range(5):
        answer = gateway.get()
        assert (answer.status, answer.error) == (502, "replica_reset")
    assert len(replica.requests) == 6
    assert tries(gateway, "transport") == 5 and tries(gateway, "cancelled") == 0


@pytest.mark.parametrize("attempts,budget", [(1, "20%"), (2, "0%")])
def test_a_connection_at_rest_that_ends_is_tried_again_within_the_rules(
        start_raw, start_gateway, attempts, budget):
    def script(made, stream):
        if len(made.heads) == 1:
            return made.send(said(stream, ends=True))
        hang_up(made)
    replica = start_raw(script)
    budgeted = {"attempts": attempts, "budget": budget}
    gateway = start_gateway(over_http2(replica, retry=budgeted), gateway={"workers": 1})
    # The budget lets ten a second pass whatever its share is.
    expected = [200, 502] if attempts == 1 else [200, 200]
    assert [gateway.get(f"/{n}").status for n in range(2)] == expected
    assert len(replica.requests) == 1 + attempts
    assert tries(gateway, "transport") == 0, "the replica may just have tired of waiting"


@pytest.mark.parametrize("ending", ["refused", "goodbye"])
def test_what_a_replica_has_not_begun_with_is_free(start_raw, start_gateway, ending):
    def script(made, stream):
        if len(replica.requests) > 1:
            return made.send(said(stream, ends=True))
        made.send(frame(RST, 0, stream, number(REFUSED)) if ending == "refused"
                  else frame(GOAWAY, 0, 0, number(0) + number(0)))
    replica = start_raw(script)
    gateway = start_gateway(over_http2(replica, retry={"attempts": 1, "budget": "0%"}),
                            gateway={"workers": 1})
    assert gateway.post("/", b"not idempotent").status == 200
    assert len(replica.requests) == 2
    assert gateway.admin.metrics().sum("penstock_retries_total") == 0


MALFORMED = {
    "no status": lambda stream: [said(stream, (("x-a", "b"),)), frame(DATA, 1, stream, b"x")],
    "data before a head": lambda stream: [frame(DATA, 1, stream, b"x")],
    "shorter than promised": lambda stream: [
        said(stream, (*OK, ("content-length", "10")), ends=True)],
    "an end without a head": lambda stream: [said(stream, ((":status", "103"),), ends=True)],
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_answer_is_told_as_such_and_not_asked_for_again(
        start_raw, start_gateway, case):
    replica = start_raw(lambda made, stream: made.send(*MALFORMED[case](stream)))
    gateway = start_gateway(over_http2(replica, retry={"attempts": 3}), gateway={"workers": 1})
    answer = gateway.get()
    assert (answer.status, answer.error) == (502, "replica_malformed")
    assert len(replica.requests) == 1 and tries(gateway, "transport") == 1


def test_a_connection_of_garbage_is_told_as_such(start_raw, start_gateway):
    replica = start_raw(lambda made, stream: made.send(frame(DATA, 1, stream + 2, b"x")))
    gateway = start_gateway(over_http2(replica, retry={"attempts": 1}), gateway={"workers": 1})
    for _ in range(2):
        answer = gateway.get()
        assert (answer.status, answer.error) == (502, "replica_malformed")


def test_an_interim_answer_over_http2_forbids_a_retry(start_raw, start_gateway):
    def script(made, stream):
        made.send(said(stream, ((":status", "103"),)))
        taken(made)
        made.send(frame(RST, 0, stream, number(REFUSED)))
    replica = start_raw(script)
    gateway = start_gateway(over_http2(replica, retry={"attempts": 3}), gateway={"workers": 1})
    answer = gateway.get()
    assert (answer.status, answer.error) == (502, "replica_reset")
    assert len(replica.requests) == 1


# --- room --------------------------------------------------------------------------------------


class Narrow(RawServer):
    """Takes one request at a time on a connection, and answers when the story says."""

    def __init__(self, _):
        super().__init__(None)
        self.go = threading.Event()

    def make_known(self, gateway):
        """One request, with whose answer the gateway learns what this replica takes."""
        self.go.set()
        assert gateway.get().status == 200
        self.go.clear()
        self.requests.clear()

    def _serve(self, made):
        try:
            assert made.exactly(24) == PREFACE
            made.send(setting((3, 1)))
            while True:
                got = made.next()
                if got.kind == SETTINGS and not got.flags & ACK:
                    made.send(setting(flags=ACK))
                if got.ends:
                    self.requests.append((made, got.stream))
                    assert self.go.wait(60)
                    made.send(said(got.stream, ends=True))
        except (OSError, EOFError):
            pass  # The gateway is done with it.


def test_requests_wait_for_a_stream(start_raw, start_gateway):
    replica = start_raw(None, Narrow)
    gateway = start_gateway(over_http2(replica), gateway={"workers": 1})
    replica.make_known(gateway)
    count = 40
    clients = [gateway.connect() for _ in range(count)]
    for client in clients:
        client.send(compose("POST", "/", {}, b""))
    until(lambda: gateway.admin.metrics().sum("penstock_requests_open") == count, "all are in")
    replica.go.set()
    assert [client.response().status for client in clients] == [200] * count
    assert len(replica.requests) == count
    for client in clients:
        client.close()


def test_requests_that_wait_for_a_stream_are_bounded(start_raw, start_gateway):
    replica = start_raw(None, Narrow)
    gateway = start_gateway(over_http2(replica), gateway={"workers": 1, "limits": {"pending": 5}})
    replica.make_known(gateway)
    clients = [gateway.connect() for _ in range(30)]
    for client in clients:
        client.send(compose("GET", "/", {}))
    refused = 30 - 8 - 5
    until(lambda: gateway.admin.metrics().sum("penstock_requests_open") == 30 - refused,
          "what cannot wait is refused at once")
    replica.go.set()
    answers = [client.response() for client in clients]
    assert sorted(answer.status for answer in answers) == [200] * 13 + [503] * refused
    assert {answer.error for answer in answers} == {None, "overloaded"}
    for client in clients:
        client.close()


def test_a_client_that_leaves_gives_its_place_in_the_queue_back(start_raw, start_gateway):
    replica = start_raw(None, Narrow)
    gateway = start_gateway(over_http2(replica), gateway={"workers": 1})
    replica.make_known(gateway)
    clients = [gateway.connect() for _ in range(12)]
    for client in clients:
        client.send(compose("GET", "/", {}))
    metrics = gateway.admin.metrics
    until(lambda: metrics().sum("penstock_requests_pending") == 4, "four wait")
    for client in clients:
        client.close()
    until(lambda: metrics().sum("penstock_requests_open") == 0, "all are gone")
    assert metrics().sum("penstock_requests_pending") == 0
    replica.go.set()
    assert gateway.get().status == 200


# --- connections that are shared ---------------------------------------------------------------


def all_asked(replica, count):
    until(lambda: len(replica.requests) == count, "all requests are at the replica")
    assert len(replica.connections) == 1, "on one connection"
    return replica.connections[0]


def late_heads(stream):
    return said(stream) + frame(DATA, 0, stream, b"x" * 50) + said(
        stream, (("x-checksum", "1"),), ends=True)


def late_pieces(stream):
    return said(stream) + frame(DATA, 0, stream, b"x" * 20) * 2_500


@pytest.mark.parametrize("calls,late", [(120, late_heads), (8, late_pieces)])
def test_a_client_that_leaves_takes_nobody_with_it(start_raw, start_gateway, calls, late):
    replica = start_raw(lambda made, stream: None)
    gateway = start_gateway(over_http2(replica), gateway={"workers": 1})
    with RawClient(gateway.address) as other:
        other.send(head(1))
        all_asked(replica, 1)
        with RawClient(gateway.address) as client:
            client.send(*(head(1 + 2 * n) for n in range(calls)))
            made = all_asked(replica, 1 + calls)
        until(lambda: gateway.admin.metrics().sum("penstock_requests_open") == 1, "one is left")
        # What a replica says before it has heard of it.
        mine, *theirs = [stream for _, stream in replica.requests]
        made.send(*map(late, theirs), said(mine, ends=True))
        assert other.status(1) == 200


def test_malformed_answers_take_nobody_with_them(start_raw, start_gateway):
    def script(made, stream):
        if len(replica.requests) > 1:
            made.send(said(stream, (("x-a", "b"),)))
    replica = start_raw(script)
    gateway = start_gateway(over_http2(replica, retry={"attempts": 1}), gateway={"workers": 1})
    with RawClient(gateway.address) as other:
        other.send(head(1))
        made = all_asked(replica, 1)
        for _ in range(100):
            assert gateway.get().error == "replica_malformed"
        made.send(said(replica.requests[0][1], ends=True))
        assert other.status(1) == 200


def test_a_body_that_nobody_takes_is_no_part_of_anothers_answer(start_raw, start_gateway):
    replica = start_raw(lambda made, stream: None)
    gateway = start_gateway(over_http2(replica), gateway={"workers": 1})
    with gateway.connect() as one, RawClient(gateway.address) as other:
        # More than its window: the rest waits in the kernel.
        one.send(compose("POST", "/", {"Content-Length": "1000000"})).send(b"secret! " * 40_000)
        until(lambda: replica.connections and sum(
            len(got.payload) for got in replica.connections[0].seen if got.kind == DATA) == 65_535,
            "the replica has a window of it")
        other.send(head(1))
        made = all_asked(replica, 1)
        mine = replica.requests[0][1]
        first = next(stream for stream in made.heads if stream != mine)
        # In one piece: an answer that ends what the one was saying, and the other's.
        made.send(said(first, ends=True), said(mine), frame(DATA, 0, mine, b"x" * 10_000),
                  frame(DATA, END_STREAM, mine, b"y" * 10_000))
        other.ended(1)
        body = b"".join(got.payload for got in other.seen if got.kind == DATA)
        assert body == b"x" * 10_000 + b"y" * 10_000
        assert one.response_head().status == 200


def test_connections_that_age_make_room(start_raw, start_gateway):
    def script(made, stream):
        # One call for each connection, and it lasts.
        made.send(said(stream), frame(GOAWAY, 0, 0, number(stream) + number(0)))
    replica = start_raw(script)
    gateway = start_gateway(over_http2(replica), gateway={"workers": 1})
    clients = [RawClient(gateway.address) for _ in range(20)]
    for number_of, client in enumerate(clients):
        client.send(head(1))
        client.until(lambda got: got.kind == HEADERS)
        until(lambda: len(replica.connections) == number_of + 1, "each has its own")
    for client in clients:
        client.close()


def pour(client):
    """Sends a body on stream 1 for as long as there is a window for it."""
    room = {0: 65_535, 1: 65_535}
    try:
        while True:
            if min(room.values()) > 0:
                size = min(16_384, *room.values())
                client.send(frame(DATA, 0, 1, bytes(size)))
                room = {stream: left - size for stream, left in room.items()}
                continue
            got = client.next()
            if got.kind == SETTINGS and not got.flags & ACK:
                room[1] += 262_144 - 65_535
                client.send(setting(flags=ACK))
            if got.kind == WINDOW:
                room[got.stream] += int.from_bytes(got.payload, "big")
    except (OSError, EOFError):
        pass  # The story is over.


class Silent(RawServer):
    """Answers once, and is never heard of again on its first connection."""
    settings = setting()

    def __init__(self, _):
        super().__init__(None)
        self.over = threading.Event()

    def _serve(self, made):
        try:
            assert made.exactly(24) == PREFACE
            made.send(self.settings)
            while True:
                got = made.next()
                if made is self.connections[0] and self.requests:
                    self.over.wait(60)
                if got.kind == SETTINGS and not got.flags & ACK:
                    made.send(setting(flags=ACK))
                if got.ends:
                    self.requests.append((made, got.stream))
                    made.send(said(got.stream, ends=True))
        except (OSError, EOFError):
            pass  # The gateway is done with it.


def test_a_connection_that_has_gone_silent_is_left(start_raw, start_gateway):
    replica = start_raw(None, Silent)
    gateway = start_gateway(
        over_http2(replica, timeouts={"first_byte": "400ms"}), gateway={"workers": 1})
    assert gateway.get().status == 200
    until(lambda: gateway.get().status == 200, "another connection is made", 20)
    assert len(replica.connections) == 2
    until(lambda: gateway.admin.metrics().sum("penstock_upstream_connections_open") == 1,
          "the silent one is closed")
    replica.over.set()


def test_a_silent_connection_is_left_though_a_body_is_stuck_on_it(start_raw, start_gateway):
    replica = start_raw(None, Silent)
    replica.settings = setting((4, 1 << 30)) + frame(WINDOW, 0, 0, number(1 << 30))
    gateway = start_gateway(
        over_http2(replica, timeouts={"first_byte": "400ms"}), gateway={"workers": 1})
    assert gateway.get().status == 200
    # Long enough for the connection to be asked, and not for its word to be given up.
    for _ in range(4):
        assert gateway.get().status == 504
    with RawClient(gateway.address) as client:
        client.send(head(1, POST, ends=False))
        threading.Thread(target=pour, args=(client,), daemon=True).start()
        until(lambda: gateway.get().status == 200, "another connection is made", 20)
    replica.over.set()


def test_a_replica_that_is_slow_but_alive_keeps_its_connection(start_raw, start_gateway):
    replica = start_raw(lambda made, stream: None)
    gateway = start_gateway(
        over_http2(replica, timeouts={"first_byte": "400ms"}), gateway={"workers": 1})
    for _ in range(10):
        assert gateway.get().status == 504
    assert len(replica.connections) == 1


class Stuck(RawServer):
    """Takes connections, and begins no handshake before the story says."""

    def __init__(self, tls):
        self.tls, self.is_well = tls, threading.Event()
        super().__init__(lambda made, stream: made.send(said(stream, ends=True)))

    def _serve(self, made):
        if not self.is_well.is_set():
            return
        made.socket = self.tls.wrap_socket(made.socket, server_side=True)
        super()._serve(made)


def test_a_handshake_that_does_not_end_holds_nobody_back(start_raw, start_gateway, folder):
    authority = make_authority(folder, "ca")
    certificate = make_certificate(folder, "replica.test", authority)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate.certificate, certificate.key)
    tls.set_alpn_protocols(["h2"])
    replica = start_raw(tls, Stuck)
    gateway = start_gateway(
        service(timeouts={"connect": "300ms"}, ejection={"failures": 0}, revisions=[{
            "name": "stable", "protocol": "h2", "endpoints": [replica.address],
            "tls": {"server_name": "replica.test", "ca": authority.certificate}}]),
        gateway={"workers": 1})
    assert gateway.get().error == "connect_timeout"
    replica.is_well.set()
    assert gateway.get().status == 200
