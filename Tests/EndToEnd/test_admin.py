# The admin port: who gets in, what it tells, what it refuses, and metrics that tools can read.

import json
import threading

import pytest

from harness.certificates import make
from harness.configuration import revision, service
from harness.gateway import run
from harness.messages import compose
from harness.origin import fixed, held
from harness.waiting import until
from harness.wire import Connection

pytestmark = pytest.mark.core


@pytest.fixture
def served(start_origin, start_gateway):
    gateway = start_gateway(service(revisions=[
        revision("stable", 90, start_origin(name="stable")),
        revision("canary", 10, start_origin(name="canary"))]))
    return gateway


def test_only_liveness_readiness_and_metrics_need_no_token(served):
    admin = served.admin
    for path, status in (("/livez", 200), ("/readyz", 200), ("/metrics", 200),
                         ("/v1/services", 401), ("/v1/services/echo", 401), ("/v1/system", 401),
                         ("/v1/services/echo/traffic", 401), ("/nonsense", 401)):
        assert admin.send("GET", path, token="").status == status, path
    assert admin.send("GET", "/v1/services").status == 200
    refused = admin.send("GET", "/v1/services", token="pst_wrong")
    assert refused.status == 401 and refused.json()["code"] == "UNAUTHORIZED"
    assert refused.headers["content-type"] == "application/problem+json"
    assert "bearer" in refused.headers["www-authenticate"].lower()


def test_a_refused_change_changes_nothing(served):
    for body in ({"stable": 50, "canary": 49}, {"stable": 100, "nobody": 0}, {"stable": "100"},
                 {"stable": 99.95, "canary": 0.05}, {"stable": 110, "canary": -10}, [], {}):
        answer = served.admin.send("PUT", "/v1/services/echo/traffic", body)
        assert answer.status == 422 and answer.json()["errors"], body
    for text in ("{", "", "nonsense", '{"stable": 100, "stable": 100}'):
        answer = served.admin.send("PUT", "/v1/services/echo/traffic", text)
        assert answer.status in (400, 422), text
    huge = '{"stable": 100, "x": "' + "y" * 2_000_000 + '"}'
    try:
        assert served.admin.send("PUT", "/v1/services/echo/traffic", huge).status == 413
    except OSError:
        pass  # Closed on us while we were still sending.
    assert served.admin.service()["traffic"] == {"stable": 90, "canary": 10}


def test_what_does_not_exist_is_404_and_what_cannot_be_done_is_405(served):
    admin = served.admin
    assert admin.send("GET", "/v1/services/nobody").json()["code"] == "SERVICE_NOT_FOUND"
    assert admin.send("PUT", "/v1/services/nobody/traffic", {"a": 100}).status == 404
    assert admin.send("POST", "/v1/services/echo/endpoints/127.0.0.1:1:drain").status == 404
    answer = admin.send("POST", "/v1/services/echo/traffic", {})
    assert answer.status == 405 and "PUT" in answer.headers["allow"]
    assert admin.send("GET", "/v1/services?surplus=1").status == 400


def test_a_web_page_cannot_reach_the_port_by_a_name_of_its_own(served):
    answer = served.admin.send("GET", "/v1/services", headers={"Host": "evil.example"})
    assert answer.status == 421 and answer.json()["code"] == "MISDIRECTED_HOST"


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "0.0.0.0:0"], ids=["here", "everywhere"])
@pytest.mark.parametrize("is_issued", [False, True], ids=["self-signed", "issued"])
def test_the_admin_port_speaks_tls_where_it_has_a_certificate(
        start_origin, start_gateway, folder, listen, is_issued):
    issuer = make(folder, "issuer") if is_issued else None
    files = make(folder, "admin", issuer=issuer)
    gateway = start_gateway(service(start_origin()), more={"admin": {
        "listen": listen, "tls": vars(files)}})
    admin = gateway.admin
    assert admin.send("GET", "/livez", token="").status == 200
    assert admin.send("GET", "/v1/services", token="").status == 401
    assert admin.send("GET", "/v1/services").status == 200
    told = admin.send("GET", "/metrics", token="").status
    assert told == (200 if listen.startswith("127.") else 401)
    with Connection(admin.address) as plain:
        plain.send(compose(target="/livez", host="localhost"))
        assert b"HTTP/" not in until_closed(plain)
    # The program finds port, token and certificate by the file.
    beside = gateway.folder / "beside.yaml"
    port = admin.address.rpartition(":")[2]
    beside.write_text(json.dumps({**gateway.configuration, "admin": {
        "listen": listen.replace(":0", f":{port}"), "tls": vars(files)}}))
    shown = run("services", "--config", beside)
    assert shown.returncode == 0 and "echo" in shown.stdout, shown.stderr
    stranger = make(folder, "stranger")
    beside.write_text(json.dumps({**gateway.configuration, "admin": {
        "listen": listen.replace(":0", f":{port}"), "tls": vars(stranger)}}))
    refused = run("services", "--config", beside)
    assert refused.returncode == 1 and "trusted" in refused.stderr


def until_closed(connection):
    try:
        return connection.rest()
    except ConnectionResetError:
        return b""


def test_a_certificate_of_no_use_keeps_the_gateway_from_starting(start_gateway, folder):
    good, other = make(folder, "good"), make(folder, "other")
    for tls, says in (({"certificate": good.certificate, "key": other.key}, "is not that of"),
                      ({"certificate": str(folder / "none.pem"), "key": good.key}, "none.pem")):
        gateway = start_gateway(launch_only=True, more={"admin": {
            "listen": "127.0.0.1:0", "tls": tls}})
        assert gateway.wait(30) == 1
        assert says in "\n".join(gateway.log.complete())
        checked = run("check", "--config", gateway.file)
        assert checked.returncode == 1 and says in checked.stderr


def test_peers_that_are_not_allowed_are_refused(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()), more={
        "admin": {"listen": "127.0.0.1:0", "allow": ["127.0.0.1/32"]}})
    assert gateway.admin.send("GET", "/v1/services").status == 200
    with Connection(gateway.admin.address, source="127.0.0.9") as stranger:
        # Not a byte, not even why; what it has sent may come back as a reset.
        try:
            stranger.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert stranger.socket.recv(1) == b""
        except ConnectionError:
            pass


def test_a_service_is_told_with_its_endpoints_and_latencies(served):
    for _ in range(20):
        served.get()
    told = served.admin.service()
    assert told["algorithm"] == "round_robin" and told["requests"] == 20
    assert told["traffic"] == {"stable": 90, "canary": 10}
    endpoints = served.admin.endpoints().values()
    assert sum(endpoint["requests"] for endpoint in endpoints) == 20
    assert all(endpoint["in_flight"] == 0 for endpoint in endpoints)
    stats = served.admin.get("/v1/services/echo/stats")
    assert "p99_ms" in str(stats) and stats["service"] == "echo"


def test_what_is_in_flight_is_told_while_it_is(start_origin, start_gateway):
    go = threading.Event()
    replica = start_origin(held(go))
    gateway = start_gateway(service(replica))
    clients = [gateway.connect() for _ in range(3)]
    for client in clients:
        client.send(compose())
    until(lambda: len(replica.requests) == 3, "three are under way")
    assert gateway.admin.endpoints()[replica.address]["in_flight"] == 3
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_requests_in_flight") == 3
    assert metrics.sum("penstock_requests_open") == 3
    assert metrics.sum("penstock_inflight_audit") == 0
    go.set()
    assert [client.response().status for client in clients] == [200] * 3


def test_metrics_count_exactly_what_happened(start_origin, start_gateway):
    replica = start_origin(fixed(b"12345"))
    gateway = start_gateway(service(replica))
    for _ in range(7):
        gateway.post("/", b"abc")
    replica.script = fixed(b"no", 404)
    gateway.get()
    replica.script = fixed(b"no", 500)
    gateway.get()
    metrics = gateway.admin.metrics()
    total = "penstock_service_requests_total"
    assert metrics.sum(total, outcome="success") == 7
    assert metrics.sum(total, outcome="client") == 1
    assert metrics.sum(total, outcome="model") == 1
    assert metrics.sum("penstock_responses_total", **{"class": "2xx"}) == 7
    assert metrics.sum("penstock_request_duration_seconds_count") == 9
    assert metrics.sum("penstock_first_byte_seconds_count") == 9
    assert metrics.sum("penstock_received_bytes_total") == 21
    assert metrics.sum("penstock_sent_bytes_total") == 7 * 5 + 2 + 2
    assert metrics.sum("penstock_connections_accepted_total") == 9


def test_a_token_is_kept_over_restarts_and_made_anew_when_deleted(served):
    token = served.admin.token
    served.settle()
    served.stop()
    served.start()
    assert served.admin.token == token and served.admin.send("GET", "/v1/services").status == 200
    served.settle()
    served.stop()
    (served.state / "admin.token").unlink()
    served.start()
    assert served.admin.token != token
    assert served.admin.send("GET", "/v1/services", token=token).status == 401


def test_every_path_of_the_documentation_answers(served):
    for path in ("/v1/system", "/v1/services", "/v1/services/echo", "/v1/services/echo/stats",
                 "/v1/services/echo/traffic"):
        assert served.admin.send("GET", path).status == 200, path
    system = served.admin.get("/v1/system")
    assert system["process_id"] == served.pid
    assert system["generation"] == system["generation_in_force"] >= 1


def test_malformed_requests_do_not_hurt_the_port(served):
    for data in (b"\x16\x03\x01garbage\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000,
                 b"POST /v1/services HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9" + b"9" * 30
                 + b"\r\n\r\n"):
        with Connection(served.admin.address) as client:
            try:
                client.send(data)
                client.finish_writing()
                client.rest()
            except OSError:
                pass
    assert served.admin.send("GET", "/livez", token="").status == 200
