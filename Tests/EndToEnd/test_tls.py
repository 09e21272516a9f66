# TLS at the edge and towards replicas: certificates by name, clients' certificates, protocols by
# ALPN, reloads, and every way in which it can go wrong.

import json
import signal
import socket
import ssl
import threading

import pytest

from harness.certificates import make_authority, make_certificate
from harness.configuration import service
from harness.http2 import Client, echo2
from harness.messages import Stream, compose
from harness.origin import Origin, echo, fixed, held
from harness.waiting import until
from harness.wire import Connection, open_socket

pytestmark = pytest.mark.core

MiB = 1024 * 1024


class Sealed(Connection):
    """A client of HTTP/1.1 over TLS."""

    def __init__(self, address, context, server_name="test.local"):
        self.socket = context.wrap_socket(open_socket(address), server_hostname=server_name)
        self.stream = Stream(lambda: self.socket.recv(65536))


def trusting(authority, protocols=("http/1.1",), certificate=None, **more):
    context = ssl.create_default_context(cafile=authority)
    context.set_alpn_protocols(list(protocols))
    if certificate:
        context.load_cert_chain(certificate.certificate, certificate.key)
    for name, value in more.items():
        setattr(context, name, value)
    return context


def listening(made, **more):
    """A gateway's part with one listener that does TLS."""
    return {"listeners": [{"address": "127.0.0.1:0", "tls": {
        "certificate": made.certificate, "key": made.key, **more}}]}


def told(answer):
    value = json.loads(answer.body)
    return value, {name.lower(): text for name, text in value["headers"]}


def test_requests_over_tls_reach_replicas(start_origin, start_gateway, authority, server):
    gateway = start_gateway(service(start_origin(echo)), gateway=listening(server))
    with Sealed(gateway.address, trusting(authority.certificate)) as client:
        assert client.socket.version() == "TLSv1.3"
        assert client.socket.selected_alpn_protocol() == "http/1.1"
        for number in range(3):
            answer = client.request("POST", f"/{number}", {}, b"x" * (number * 20_000))
            value, headers = told(answer)
            assert answer.status == 200 and len(value["body"]) == number * 20_000
            assert headers["x-forwarded-proto"] == "https"
            assert "x-penstock-client-subject" not in headers


@pytest.mark.parametrize("size", [0, 1, 16_384, 16_385, 300_000, 5 * MiB])
def test_bodies_of_every_size_pass_both_ways(
        start_origin, start_gateway, authority, server, size):
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]

    def script(exchange):
        exchange.answer(200, exchange.read_body())
    gateway = start_gateway(service(start_origin(script)), gateway=listening(server))
    with Sealed(gateway.address, trusting(authority.certificate)) as client:
        assert client.request("POST", "/", {}, body).body == body


def test_the_last_answer_of_a_connection_is_sealed_as_well(
        start_origin, start_gateway, authority, server):
    gateway = start_gateway(service(start_origin(echo)), gateway=listening(server))
    with Sealed(gateway.address, trusting(authority.certificate)) as client:
        answer = client.request("GET", "/last", {"Connection": "close"})
        assert answer.status == 200 and told(answer)[0]["body"] == ""
        # The end is said as TLS says it, not by that of the connection alone.
        client.socket.suppress_ragged_eofs = False
        assert client.socket.recv(1) == b""


def test_http2_is_agreed_on_by_alpn(start_origin, start_gateway, authority, server):
    gateway = start_gateway(service(start_origin(echo)), gateway=listening(server))
    context = trusting(authority.certificate, ("h2", "http/1.1"))
    with Client(gateway.address, tls=context, server_name="test.local") as client:
        assert client.socket.selected_alpn_protocol() == "h2"
        streams = [client.begin("GET", f"/{n}", scheme="https") for n in range(20)]
        for number, stream in enumerate(streams):
            value, headers = told(client.answer(stream))
            assert value["target"] == f"/{number}"
            assert headers["x-forwarded-proto"] == "https"
        big = client.request("POST", "/", {}, bytes(MiB), scheme="https")
        assert len(json.loads(big.body)["body"]) == MiB


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_both_versions_are_spoken(start_origin, start_gateway, authority, server, version):
    gateway = start_gateway(service(start_origin(echo)), gateway=listening(server))
    wanted = getattr(ssl.TLSVersion, version)
    context = trusting(authority.certificate, minimum_version=wanted, maximum_version=wanted)
    with Sealed(gateway.address, context) as client:
        assert client.get().status == 200


def test_old_versions_are_not(start_origin, start_gateway, authority, server):
    gateway = start_gateway(service(start_origin(echo)), gateway=listening(server))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        Sealed(gateway.address, context)


def test_certificates_are_chosen_by_name(start_origin, start_gateway, folder, authority, server):
    other = make_certificate(folder, "other.example", authority)
    wild = make_certificate(folder, "*.wild.example", authority)
    pairs = [{"certificate": made.certificate, "key": made.key} for made in (server, other, wild)]
    gateway = start_gateway(
        service(start_origin(echo)),
        gateway={"listeners": [{"address": "127.0.0.1:0", "tls": pairs}]})
    context = trusting(authority.certificate)
    for name in ("test.local", "other.example", "a.wild.example"):
        with Sealed(gateway.address, context, name) as client:
            assert client.get().status == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        Sealed(gateway.address, context, "unknown.example")


@pytest.mark.parametrize("mode", ["required", "optional"])
def test_clients_show_certificates(
        start_origin, start_gateway, folder, authority, server, mode):
    known = make_certificate(folder, "client.local", authority)
    stranger = make_certificate(folder, "client.local", None)
    gateway = start_gateway(
        service(start_origin(echo)),
        gateway=listening(server, client_ca=authority.certificate, client_auth=mode))
    forged = {"X-Penstock-Client-Subject": "CN=forged"}
    with Sealed(gateway.address, trusting(authority.certificate, certificate=known)) as client:
        _, headers = told(client.get("/", forged))
        assert headers["x-penstock-client-subject"] == "CN=client.local"
    if mode == "optional":
        with Sealed(gateway.address, trusting(authority.certificate)) as client:
            _, headers = told(client.get("/", forged))
            assert "x-penstock-client-subject" not in headers
    else:
        with pytest.raises((ssl.SSLError, ConnectionResetError, EOFError)):
            with Sealed(gateway.address, trusting(authority.certificate)) as client:
                client.get()
    with pytest.raises((ssl.SSLError, ConnectionResetError, EOFError)):
        with Sealed(gateway.address, trusting(authority.certificate, certificate=stranger)) as c:
            c.get()


def test_sessions_are_resumed_also_after_a_reload(start_origin, start_gateway, authority, server):
    gateway = start_gateway(service(start_origin(echo)), gateway=listening(server))
    context = trusting(authority.certificate)
    with Sealed(gateway.address, context) as client:
        assert client.get().status == 200
        session = client.socket.session
    assert gateway.reload()
    raw = open_socket(gateway.address)
    sealed = context.wrap_socket(raw, server_hostname="test.local", session=session)
    assert sealed.session_reused
    sealed.close()


def test_a_reload_takes_new_certificates_and_refuses_broken_ones(
        start_origin, start_gateway, folder, authority, server):
    gateway = start_gateway(service(start_origin(echo)), gateway=listening(server))
    context = trusting(authority.certificate)

    def serial():
        with Sealed(gateway.address, context) as client:
            return client.socket.getpeercert()["serialNumber"]
    before = serial()
    with Sealed(gateway.address, context) as client:
        assert client.get().status == 200
        make_certificate(folder, "test.local", authority, into=server)
        assert gateway.reload()
        assert client.get().status == 200
        renewed = serial()
        assert renewed != before
        with open(server.key, "w") as file:
            file.write("nonsense")
        assert not gateway.reload()
        assert client.get().status == 200
        assert serial() == renewed


def test_cleartext_on_a_tls_listener_is_told_so(start_origin, start_gateway, server):
    gateway = start_gateway(service(start_origin(echo)), gateway=listening(server))
    with gateway.connect() as client:
        client.send(compose("GET", "/"))
        answer = client.response()
        assert answer.status == 400 and answer.error == "plain_http"


@pytest.mark.parametrize("bytes_", [b"\x16\x03\x01", b"\0" * 50, b"\x16\x03\x01\xff\xff" * 9])
def test_what_is_no_handshake_ends_the_connection(start_origin, start_gateway, server, bytes_):
    gateway = start_gateway(
        service(start_origin(echo)),
        gateway={**listening(server), "timeouts": {"request_head": "300ms"}})
    with gateway.connect() as client:
        client.send(bytes_)
        try:
            client.stream.rest()
        except ConnectionResetError:
            pass  # Either way it has ended.


def test_a_silent_client_is_given_up(start_origin, start_gateway, server):
    gateway = start_gateway(
        service(start_origin(echo)),
        gateway={**listening(server), "timeouts": {"request_head": "300ms"}})
    with gateway.connect() as client:
        assert client.ending() in ("end", "reset")


def test_an_answer_cut_short_does_not_end_cleanly(start_origin, start_gateway, authority, server):
    def script(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        exchange.connection.close()
    gateway = start_gateway(service(start_origin(script)), gateway=listening(server))
    with Sealed(gateway.address, trusting(authority.certificate)) as client:
        client.send(compose())
        assert client.response_head().status == 200
        seen = b""
        try:
            seen = client.stream.rest()
        except (ssl.SSLError, ConnectionResetError):
            pass
        assert len(seen) <= 4


def test_a_drain_ends_sealed_connections_well(start_origin, start_gateway, authority, server):
    go = threading.Event()
    replica = start_origin(held(go, fixed(b"late")))
    gateway = start_gateway(service(replica), gateway=listening(server))
    context = trusting(authority.certificate, suppress_ragged_eofs=False)
    idle = Sealed(gateway.address, context)
    assert idle.socket.version()
    with Sealed(gateway.address, context) as client:
        client.send(compose())
        until(lambda: replica.requests, "the request arrives")
        gateway.signal(signal.SIGTERM)
        go.set()
        assert client.response().body == b"late"
        # The end is said, not just a closed socket.
        assert client.socket.recv(10) == b""
    idle.close()
    assert gateway.wait() == 0


# --- replicas ---------------------------------------------------------------------------------


def serving(made, protocols=("http/1.1",), authority=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    context.set_alpn_protocols(list(protocols))
    if authority:
        context.load_verify_locations(authority.certificate)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def over_tls(origin, protocol=None, **tls):
    return service(revisions=[{
        "name": "stable", "endpoints": [origin.address], "tls": tls,
        **({"protocol": protocol} if protocol else {})}])


def test_replicas_over_tls_are_verified(start_origin, start_gateway, authority, server):
    replica = start_origin(echo, tls=serving(server))
    gateway = start_gateway(
        over_tls(replica, server_name="test.local", ca=authority.certificate))
    with gateway.connect() as client:
        for _ in range(5):
            assert client.request("POST", "/", {}, b"x" * 50_000).status == 200
    assert len(replica.connections) == 1


@pytest.mark.parametrize("wrong", ["name", "authority"])
def test_replicas_that_are_not_who_they_should_be_get_nothing(
        start_origin, start_gateway, folder, authority, server, wrong):
    replica = start_origin(echo, tls=serving(server))
    if wrong == "name":
        tls = {"server_name": "other.local", "ca": authority.certificate}
    else:
        tls = {"server_name": "test.local",
               "ca": make_authority(folder, "stranger").certificate}
    gateway = start_gateway(over_tls(replica, **tls))
    with gateway.connect() as client:
        answer = client.get()
        assert answer.status == 502 and answer.error == "replica_tls"
    assert not replica.requests


def test_verification_can_be_switched_off(start_origin, start_gateway, folder):
    made = make_certificate(folder, "whoever", None)
    replica = start_origin(echo, tls=serving(made))
    gateway = start_gateway(over_tls(replica, verify=False))
    with gateway.connect() as client:
        assert client.get().status == 200


def test_the_gateway_shows_its_own_certificate(start_origin, start_gateway, folder, authority,
                                               server):
    own = make_certificate(folder, "gateway.local", authority)
    replica = start_origin(echo, tls=serving(server, authority=authority))
    gateway = start_gateway(over_tls(
        replica, server_name="test.local", ca=authority.certificate,
        certificate=own.certificate, key=own.key))
    with gateway.connect() as client:
        assert client.get().status == 200


def test_http2_over_tls_on_both_sides(start_origin, start_gateway, authority, server):
    replica = start_origin(echo2, http2=True, tls=serving(server, ("h2",)))
    gateway = start_gateway(
        over_tls(replica, "h2", server_name="test.local", ca=authority.certificate),
        gateway=listening(server))
    context = trusting(authority.certificate, ("h2",))
    with Client(gateway.address, tls=context, server_name="test.local") as client:
        for size in (0, 10, 100_000, 2 * MiB):
            answer = client.request("POST", "/", {}, bytes(size), scheme="https")
            assert answer.status == 200 and len(answer.body) == size
    assert replica.requests[0].headers.get(":scheme") == "https"


def test_a_replica_without_http2_is_not_spoken_to_in_it(
        start_origin, start_gateway, authority, server):
    replica = start_origin(echo, tls=serving(server))
    gateway = start_gateway(
        over_tls(replica, "h2", server_name="test.local", ca=authority.certificate))
    with gateway.connect() as client:
        answer = client.get()
        assert answer.status == 502 and answer.error == "replica_tls"


def test_a_close_delimited_answer_cut_by_anybody_is_visible(
        start_origin, start_gateway, authority, server):
    def script(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
        # The socket ends without TLS having said so.
        exchange.connection.close()
    replica = start_origin(script, tls=serving(server))
    gateway = start_gateway(
        over_tls(replica, server_name="test.local", ca=authority.certificate))
    with gateway.connect() as client:
        client.send(compose())
        assert client.response_head().header("transfer-encoding") == "chunked"
        with pytest.raises(Exception):
            client.stream.exactly(1000)


def test_replicas_are_reached_again_after_theirs_restart(
        start_origin, start_gateway, authority, server):
    replica = start_origin(echo, tls=serving(server))
    gateway = start_gateway(
        over_tls(replica, server_name="test.local", ca=authority.certificate))
    with gateway.connect() as client:
        assert client.get().status == 200
        replica.hang_up()
        assert client.get().status == 200
    assert len(replica.connections) == 2


def test_a_handshake_that_never_ends_is_a_connect_timeout(start_origin, start_gateway, authority):
    listener = socket.create_server(("127.0.0.1", 0))
    gateway = start_gateway(service(revisions=[{
        "name": "stable", "endpoints": ["127.0.0.1:%d" % listener.getsockname()[1]],
        "tls": {"server_name": "test.local", "ca": authority.certificate}}],
        timeouts={"connect": "200ms"}))
    with gateway.connect() as client:
        answer = client.get()
        assert answer.status == 504 and answer.error == "connect_timeout"
    listener.close()


@pytest.mark.parametrize("protocol", ["http1", "h2", "auto"])
@pytest.mark.parametrize("data", [
    b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16\x03\x03\x00\x20" + b"\xff" * 32, b"\xff" * 99])
def test_a_replica_that_does_not_speak_tls_is_told_as_such(
        start_origin, start_gateway, authority, protocol, data):
    class Answering(Origin):
        def _serve(self, connection):
            connection.stream.fill()
            connection.send(data)
    replica = Answering()
    # It does not hang up: were its words not understood, the story would not end in time.
    gateway = start_gateway(
        over_tls(replica, protocol, ca=authority.certificate, server_name="test.local"),
        gateway={"timeouts": {"connect": "10m"}})
    answer = gateway.get()
    assert (answer.status, answer.error) == (502, "replica_tls")
    replica.stop()


@pytest.mark.parametrize("protocols", [("h2", "http/1.1"), ("http/1.1",)])
def test_a_replica_may_choose_its_protocol(
        start_origin, start_gateway, authority, server, protocols):
    seen = []

    def script(exchange):
        seen.append(exchange)
        exchange.answer(200, exchange.read_body())
    replica = start_origin(script, http2="h2" in protocols, tls=serving(server, protocols))
    gateway = start_gateway(
        over_tls(replica, "auto", server_name="test.local", ca=authority.certificate),
        gateway={"workers": 1})
    with Client(gateway.address) as client:
        streams = [client.begin("POST", "/", {}, ends=False) for _ in range(5)]
        for number, stream in enumerate(streams):
            client.data(stream, b"%d" % number * 20_000, ends=True)
        for number, stream in enumerate(streams):
            assert client.answer(stream).body == b"%d" % number * 20_000
        for body in (None, b"short"):
            assert client.request("POST", "/", {}, body).body == (body or b"")
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Transfer-Encoding": "chunked"}) + b"2\r\nab\r\n")
        client.send(b"0\r\n\r\n")
        assert client.response().body == b"ab"
    assert len(seen) == 8
