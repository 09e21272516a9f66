# Corners of TLS: who has said that nothing more will come still hears the other side; no client is
# answered for another's mistake; a replica may speak first where its protocol lets it.

import ssl
import threading

import h2.config
import h2.connection
import h2.events
import pytest

from harness.certificates import make_certificate
from harness.configuration import service
from harness.messages import Truncated, compose
from harness.origin import echo
from harness.waiting import until
from harness.wire import Connection, Listening
from test_tls import Sealed, listening, serving, trusting
from test_tunnel_ends import AGREE, ASK

pytestmark = pytest.mark.core

MiB = 1024 * 1024


def test_a_refused_client_may_finish_what_it_is_sending(
        start_origin, start_gateway, authority, server):
    gateway = start_gateway(
        service(start_origin(echo)),
        gateway={**listening(server), "limits": {"request_body": "1KiB"}})
    context = trusting(authority.certificate, suppress_ragged_eofs=False)
    with Sealed(gateway.address, context) as client:
        client.send(compose("POST", "/", {"Content-Length": str(16 * MiB)}))
        answer = client.response()
        assert (answer.status, answer.error) == (413, "body_too_large")
        # More than all buffers on the way hold.
        for _ in range(16):
            client.socket.sendall(bytes(MiB))
        assert client.socket.recv(1) == b"", "the end is said, not a reset"


@pytest.mark.parametrize("words", [b"bye", b"bye" * 100_000])
def test_a_replica_has_the_last_word_in_a_tunnel(
        start_origin, start_gateway, authority, server, words):
    heard, ended = [], threading.Event()

    def script(exchange):
        exchange.is_body_read = True
        exchange.send(AGREE)
        heard.append(exchange.connection.stream.rest())
        exchange.send(words)
        ended.set()
        # Says that this was all.
        exchange.connection.socket = exchange.connection.socket.unwrap()
        exchange.connection.close()
    replica = start_origin(script, tls=serving(server))
    gateway = start_gateway(service(upgrades=["websocket"], revisions=[{
        "name": "stable", "endpoints": [replica.address],
        "tls": {"server_name": "test.local", "ca": authority.certificate}}]))
    with Connection(gateway.address) as client:
        client.send(compose("GET", "/chat", ASK))
        assert client.response_head().status == 101
        client.send(b"x" * 50_000)
        client.socket.shutdown(1)
        got = b""
        while len(got) < len(words) and (piece := client.socket.recv(65536)):
            got += piece
        assert got == words
    assert ended.wait(20) and heard == [b"x" * 50_000]


def test_a_client_is_not_answered_for_the_mistake_of_another(start_origin, start_gateway, server):
    gateway = start_gateway(
        service(start_origin(echo)),
        gateway={**listening(server), "workers": 1, "timeouts": {"request_head": "300ms"}})
    with gateway.connect() as mistaken:
        mistaken.send(compose("GET", "/"))
        assert mistaken.response().error == "plain_http"
    with gateway.connect() as stalled:
        stalled.send(b"\x16\x03\x01\x02\x00\x01")
        assert stalled.stream.rest() == b""
    assert gateway.admin.metrics().sum("penstock_refusals_total", code="tls_handshake") == 1


def test_a_new_certificate_of_the_admin_port_is_said_to_need_a_restart(
        start_origin, start_gateway, folder, authority, server):
    gateway = start_gateway(service(start_origin(echo)), more={"admin": {
        "listen": "127.0.0.1:0", "tls": {"certificate": server.certificate, "key": server.key}}})
    warning = "the certificate of admin.tls changes with a restart only"
    assert gateway.reload() and not gateway.events(warning)
    make_certificate(folder, "test.local", authority, into=server)
    assert gateway.reload() and gateway.events(warning)
    assert gateway.upgrade()
    assert gateway.reload() and len(gateway.events(warning)) == 1


class Eager:
    """A replica of HTTP/2 whose settings come in one piece with the end of its handshake."""

    def __init__(self, context, protocol):
        self.protocol, self.context, self.connections = protocol, context, 0
        # There the server has the last word of the handshake.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_TICKET
        context.set_alpn_protocols([protocol])
        self.listening = Listening(self.take)
        self.address = self.listening.address

    def take(self, accepted):
        self.connections += 1
        self.serve(accepted)

    def shake_hands(self, accepted):
        """What is to be sent, the session, and what carries a step of it to its end."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = self.context.wrap_bio(incoming, outgoing, server_side=True)

        def patiently(step):
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    accepted.sendall(outgoing.read())
                    if not (data := accepted.recv(65536)):
                        return b""
                    incoming.write(data)
        patiently(session.do_handshake)
        return outgoing, session, patiently

    def serve(self, accepted):
        _, session, patiently = self.shake_hands(accepted)
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        state.initiate_connection()
        session.write(state.data_to_send() if self.protocol == "h2" else b"HTTP/1.1 200 OK\r\n\r\n")
        while data := patiently(lambda: session.read(65536)):
            for event in state.receive_data(data) if self.protocol == "h2" else ():
                if isinstance(event, h2.events.StreamEnded):
                    state.send_headers(event.stream_id, [(":status", "200")], end_stream=True)
            if answer := state.data_to_send():
                session.write(answer)
        accepted.close()


@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
def test_a_replica_that_speaks_first_is_probed_by_the_rules_of_its_protocol(
        start_gateway, authority, server, protocol):
    replica = Eager(serving(server), protocol)
    gateway = start_gateway(service(
        revisions=[{"name": "stable", "endpoints": [replica.address],
                    "protocol": "h2" if protocol == "h2" else "http1",
                    "tls": {"server_name": "test.local", "ca": authority.certificate}}],
        health={"type": "http", "path": "/", "interval": "100ms", "timeout": "5s", "rise": 1}))

    def endpoint():
        return gateway.admin.service()["revisions"][0]["endpoints"][0]
    until(lambda: replica.connections >= 5, "a few probes are over")
    if protocol == "h2":
        assert endpoint()["health"] == "up" and endpoint()["last_error"] == ""
    else:
        until(lambda: endpoint()["health"] == "down", "it is down")
        assert endpoint()["last_error"] == "check: it speaks before it is asked"
    replica.listening.close()


@pytest.mark.parametrize("framing", [b"Content-Length: 5", b"Connection: close"])
def test_what_a_replica_said_before_its_session_broke_counts(
        start_gateway, authority, server, framing):
    class Broken(Eager):
        def serve(self, accepted):
            outgoing, session, patiently = self.shake_hands(accepted)
            patiently(lambda: session.read(65536))
            session.write(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\nhello")
            # In one piece with a record that nobody has sealed.
            accepted.sendall(outgoing.read() + b"\x17\x03\x03\x00\x20" + bytes(32))
            accepted.recv(1)
            accepted.close()
    replica = Broken(serving(server), "http/1.1")
    gateway = start_gateway(service(revisions=[{
        "name": "stable", "endpoints": [replica.address],
        "tls": {"server_name": "test.local", "ca": authority.certificate}}]))
    for _ in range(2):
        with gateway.connect() as client:
            client.send(compose("POST", "/", {}, b"once"))
            if b"Length" in framing:
                assert client.response().body == b"hello"
            else:
                head = client.response_head()
                assert head.status == 200
                with pytest.raises((Truncated, ConnectionResetError)):
                    client.read_body(head)
    replica.listening.close()


def test_a_connection_that_nobody_waits_for_any_more_is_not_waited_for_by_the_next(
        start_gateway, authority, server):
    class Reviving(Eager):
        def serve(self, accepted):
            if self.connections == 1:
                self.reached.set()
                accepted.recv(1 << 16)
                while accepted.recv(1 << 16):
                    pass
                return self.left.set()
            super().serve(accepted)
    replica = Reviving(serving(server), "h2")
    replica.reached, replica.left = threading.Event(), threading.Event()
    gateway = start_gateway(service(
        revisions=[{"name": "stable", "endpoints": [replica.address], "protocol": "h2",
                    "tls": {"server_name": "test.local", "ca": authority.certificate}}],
        timeouts={"connect": "5s"}), gateway={"workers": 1})
    with gateway.connect() as client:
        client.send(compose("GET", "/"))
        assert replica.reached.wait(10)
    until(lambda: gateway.admin.metrics().sum("penstock_requests_open") == 0, "it is seen to leave")
    assert gateway.get().status == 200
    assert replica.left.wait(10)
    replica.listening.close()
