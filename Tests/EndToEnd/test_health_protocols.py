# Active checks of replicas that speak HTTP/2, TLS and gRPC.

import ssl

import pytest

from harness.certificates import make_authority, make_certificate
from harness.configuration import fast_health, service
from harness.messages import compose
from harness.waiting import until

pytestmark = pytest.mark.core

SERVING, NOT_SERVING = b"\0\0\0\0\2\x08\x01", b"\0\0\0\0\2\x08\x02"


def revision(origin, **more):
    return [{"name": "stable", "endpoints": [origin.address], **more}]


def health_of(gateway):
    return list(gateway.admin.endpoints().values())[0]["health"]


def checked(state):
    """An HTTP/2 replica whose health follows `state`."""
    def script(exchange):
        if exchange.path == "/grpc.health.v1.Health/Check":
            exchange.read_body()
            assert exchange.body == b"\0\0\0\0\0"
            assert exchange.headers.get("content-type") == "application/grpc"
            exchange.answer(200, state["message"], {"content-type": "application/grpc"},
                            trailers=[("grpc-status", state["status"])])
        elif exchange.path == "/health":
            exchange.answer(state.get("http", 200))
        else:
            exchange.answer(200, b"ok")
    return script


@pytest.mark.parametrize("sick", [
    {"message": NOT_SERVING, "status": "0"}, {"message": b"", "status": "12"},
    {"message": b"\0\0\0\0\0", "status": "0"}])
def test_grpc_health_is_asked_and_believed(start_origin, start_gateway, sick):
    state = {"message": SERVING, "status": "0"}
    replica = start_origin(checked(state), http2=True)
    gateway = start_gateway(service(
        revisions=revision(replica, protocol="h2"), health=fast_health("grpc")))
    until(lambda: health_of(gateway) == "up", "the replica is found serving")
    state.update(sick)
    until(lambda: health_of(gateway) == "down", "the replica is found not serving")
    state.update({"message": SERVING, "status": "0"})
    until(lambda: health_of(gateway) == "up", "the replica is back")


def test_a_path_is_checked_over_http2(start_origin, start_gateway):
    state = {}
    replica = start_origin(checked(state), http2=True)
    gateway = start_gateway(service(
        revisions=revision(replica, protocol="h2"), health=fast_health(path="/health")))
    until(lambda: health_of(gateway) == "up", "the replica answers 200")
    state["http"] = 503
    until(lambda: health_of(gateway) == "down", "the replica answers 503")


@pytest.mark.parametrize("protocol", ["http1", "h2"])
def test_checks_use_tls_where_requests_do(start_origin, start_gateway, folder, protocol):
    authority = make_authority(folder, "authority")
    made = make_certificate(folder, "test.local", authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    context.set_alpn_protocols(["h2" if protocol == "h2" else "http/1.1"])
    script = checked({}) if protocol == "h2" else None
    replica = start_origin(script, http2=protocol == "h2", tls=context) if script else \
        start_origin(tls=context)
    tls = {"server_name": "test.local", "ca": authority.certificate}
    gateway = start_gateway(service(
        revisions=revision(replica, protocol=protocol, tls=tls),
        health=fast_health(path="/health")))
    until(lambda: health_of(gateway) == "up", "the replica is found over TLS")
    with gateway.connect() as client:
        client.send(compose())
        assert client.response().status == 200


def test_a_replica_with_the_wrong_name_is_down(start_origin, start_gateway, folder):
    authority = make_authority(folder, "authority")
    made = make_certificate(folder, "other.local", authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    replica = start_origin(tls=context)
    tls = {"server_name": "test.local", "ca": authority.certificate}
    gateway = start_gateway(service(
        revisions=revision(replica, tls=tls), health=fast_health(path="/health")))
    until(lambda: health_of(gateway) == "down", "the replica is not who it should be")
    assert "TLS" in list(gateway.admin.endpoints().values())[0]["last_error"]
