# SIGHUP reloads the file, whole or not at all, and no request notices.

import json
import pathlib
import shutil
import signal
import socket
import threading

import pytest

from harness.configuration import configuration, service
from harness.deployments import iris
from harness.gateway import binary
from harness.load import Load
from harness.messages import LAST_CHUNK, chunk, compose
from harness.origin import fixed, held
from harness.processes import descriptors, resident_bytes
from harness.waiting import LARGENESS, until
from harness.wire import Connection

pytestmark = pytest.mark.core


def changed(gateway, change):
    """The gateway's configuration, deeply copied and changed."""
    value = json.loads(json.dumps(gateway.configuration))
    change(value)
    return value


def test_a_reload_changes_what_is_served(start_origin, start_gateway):
    old, new = start_origin(name="old"), start_origin(name="new")
    gateway = start_gateway(service(old))
    with gateway.connect() as client:
        assert client.get().json()["origin"] == "old"
        assert gateway.reload(changed(gateway, lambda c: c.update(services=[service(new)])))
        assert client.get().json()["origin"] == "new"


def test_a_second_service_on_a_known_host_name_is_reached(start_origin, start_gateway):
    replicas = [start_origin(name=name) for name in ("first", "second")]
    first, second = (service(
        replica.address.replace("127.0.0.1", "localhost"), name=replica.name,
        routes=[{"path": f"/{replica.name}"}], ejection={"failures": 0}) for replica in replicas)
    gateway = start_gateway(first)
    # The name may stand for an address where nobody listens as well.
    until(lambda: gateway.get("/first").status == 200, "the name is resolved")
    assert gateway.reload(changed(gateway, lambda c: c["services"].append(second)))
    until(lambda: gateway.get("/second").status == 200, "the second one is reached")


@pytest.mark.parametrize("text,says", [
    ("services: [", "YAML"),
    ("", "empty"),
    ("servces: []", "did you mean 'services'"),
    ("services: [{ name: echo, routes: [{ path: / }], revisions: "
     "[{ name: a, endpoints: [nonsense] }] }]", "nonsense"),
])
def test_a_wrong_file_changes_nothing_and_is_told_in_one_line(
        start_origin, start_gateway, text, says):
    gateway = start_gateway(service(start_origin()))
    with gateway.connect() as client:
        assert client.get().status == 200
        assert gateway.reload(text) is False
        assert client.get().status == 200, "also on connections that were open"
    assert gateway.get().status == 200
    event = gateway.events("not reloaded; everything stays as it was")[-1]
    assert says in str(event) and event["level"] == "error"


def test_a_file_that_is_gone_changes_nothing(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()))
    gateway.file.unlink()
    assert gateway.reload() is False
    assert gateway.get().status == 200


def test_a_listener_that_cannot_be_opened_changes_nothing(start_origin, start_gateway):
    old, new = start_origin(name="old"), start_origin(name="new")
    gateway = start_gateway(service(old))
    taken = socket.create_server(("127.0.0.1", 0))

    def change(value):
        value["services"] = [service(new)]
        value["gateway"]["listeners"].append(
            {"address": f"127.0.0.1:{taken.getsockname()[1]}"})
    assert gateway.reload(changed(gateway, change)) is False
    assert gateway.get().json()["origin"] == "old"
    taken.close()


def test_listeners_come_and_go_and_unchanged_ones_stay(start_origin, start_gateway, folder):
    gateway = start_gateway(service(start_origin()))
    path = f"unix:{folder}/second.sock"
    stays = gateway.connect()
    assert stays.get().status == 200
    assert gateway.reload(changed(
        gateway, lambda c: c["gateway"]["listeners"].append({"address": path})))
    second = Connection(path)
    assert second.get().status == 200 and gateway.get().status == 200
    assert gateway.reload(changed(gateway, lambda c: c["gateway"]["listeners"].pop()))
    assert stays.get().status == 200 and gateway.get().status == 200

    def is_gone():
        try:
            Connection(path).close()
            return False
        except (ConnectionRefusedError, FileNotFoundError):
            return True
    until(is_gone, "the removed listener is closed")
    second.close()
    stays.close()


def test_connections_in_the_backlog_of_a_removed_listener_are_served(
        start_origin, start_gateway, folder):
    path = f"unix:{folder}/second.sock"
    gateway = start_gateway(service(start_origin(fixed(b"ok"))), gateway={
        "listeners": [{"address": "127.0.0.1:0"}, {"address": path}]})
    gateway.write(changed(gateway, lambda c: c["gateway"]["listeners"].pop()))
    gateway.signal(signal.SIGSTOP)
    clients = [Connection(path) for _ in range(200)]
    for client in clients:
        client.send(compose())
    gateway.signal(signal.SIGHUP)
    gateway.signal(signal.SIGCONT)
    assert [client.response().status for client in clients] == [200] * 200


def is_elsewhere(port):
    """Whether a socket with this port has another address than the gateway's own listeners."""
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    wanted = f"{int(port):04X}"
    return any(local.endswith(f":{wanted}") and (local, state) != (f"0100007F:{wanted}", "0A")
               for _, local, _, state, *_ in rows)


def test_a_listener_moves_to_every_address_and_back_on_its_port(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(fixed(b"ok"))))
    port = gateway.address.rpartition(":")[2]
    while is_elsewhere(port):
        # Someone beside has it at another address: every address is not to be had.
        gateway = start_gateway(service(start_origin(fixed(b"ok"))))
        port = gateway.address.rpartition(":")[2]
    with Load(gateway.address, clients=2) as load, gateway.connect() as stays:
        assert stays.get().status == 200
        for host in ("0.0.0.0", "127.0.0.1"):
            assert gateway.reload(changed(gateway, lambda c: c["gateway"].update(
                listeners=[{"address": f"{host}:{port}"}])))
            load.progress(50)
            assert gateway.get().status == 200 and stays.get().status == 200
    load.assert_all_ok()


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_listener_learns_the_proxy_protocol_without_closing(
        start_origin, start_gateway, folder, kind):
    address = "127.0.0.1:0" if kind == "tcp" else f"unix:{folder}/front.sock"
    gateway = start_gateway(service(start_origin()), gateway={"listeners": [{"address": address}]})
    for requires in (True, False, True):
        assert gateway.reload(changed(gateway, lambda c: c["gateway"].update(
            listeners=[{"address": address, "proxy_protocol": requires}])))
        with gateway.connect() as client:
            client.send(b"PROXY UNKNOWN\r\n" if requires else b"").send(compose())
            assert client.response().status == 200
    with gateway.connect() as client:
        client.send(compose())
        assert client.response().error == "proxy_header"


def test_twenty_reloads_under_load_fail_nothing(start_origin, start_gateway):
    replicas = [start_origin(fixed(b"ok")) for _ in range(4)]
    gateway = start_gateway(service(*replicas[:2]), gateway={"workers": 4})
    with Load(gateway.address, clients=4) as kept, \
            Load(gateway.address, clients=2, per_connection=1) as fresh:
        for turn in range(20):
            endpoints = replicas[:2] if turn % 2 else replicas[2:]
            assert gateway.reload(changed(
                gateway, lambda c: c.update(services=[service(*endpoints)])))
            kept.progress(20)
    kept.assert_all_ok()
    fresh.assert_all_ok()
    assert len(gateway.events("reloaded")) == 20


def test_requests_under_way_end_on_the_plan_they_began_with(start_origin, start_gateway):
    go, events = threading.Event(), threading.Semaphore(0)

    def stream(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"0"))
        assert events.acquire(timeout=20)
        exchange.send(chunk(b"1") + LAST_CHUNK)

    def script(exchange):
        stream(exchange) if exchange.request.target == "/stream" else held(go)(exchange)
    old, new = start_origin(script, name="old"), start_origin(name="new")
    gateway = start_gateway(service(old))
    waiting, streaming = gateway.connect(), gateway.connect()
    waiting.send(compose())
    streaming.send(compose(target="/stream"))
    streaming.response_head()
    assert streaming.chunk() == b"0"
    until(lambda: len(old.requests) == 2, "both are under way")
    assert gateway.reload(changed(gateway, lambda c: c.update(services=[
        service(new, name="other")])))
    assert gateway.get().json()["origin"] == "new"
    events.release()
    assert streaming.chunk() == b"1" and streaming.chunk() == b""
    go.set()
    assert waiting.response().json()["origin"] == "old"
    assert waiting.get().json()["origin"] == "new"
    waiting.close()
    streaming.close()
    until(lambda: old.open_connections == 0, "connections to the old replica are closed")


def test_counts_of_an_unchanged_service_go_on(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()))
    for _ in range(5):
        gateway.get()
    assert gateway.reload(changed(gateway, lambda c: c["gateway"].update(
        limits={"headers": 64})))
    gateway.get()
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_service_requests_total", service="echo", outcome="success") == 6


def test_what_needs_a_restart_is_said_and_ignored(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()))
    assert gateway.reload(changed(gateway, lambda c: c["gateway"].update(workers=3)))
    assert gateway.events("gateway.workers changes with a restart only")
    assert gateway.get().status == 200


def test_reloads_leak_neither_memory_nor_descriptors(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()))

    def reload_often(times):
        for _ in range(times):
            assert gateway.reload()
        gateway.get()
        gateway.settle()
    reload_often(10)
    before = resident_bytes(gateway.pid), descriptors(gateway.pid)
    reload_often(40)
    assert resident_bytes(gateway.pid) - before[0] < 6 * 1024 * 1024 * LARGENESS
    assert descriptors(gateway.pid) <= before[1] + 2


def test_programs_are_found_beside_a_gateway_whose_file_was_replaced(start_gateway, folder):
    place = folder / "bin"
    place.mkdir()
    for name in ("penstock", "penstock-model"):
        shutil.copy(binary(name), place / name)
    gateway = start_gateway(
        whole=configuration(deployments=[iris(replicas=1)]), program=place / "penstock")
    assert gateway.get("/iris/v2/health/ready").status == 200
    # As a package manager does it: another file under the same name.
    shutil.copy(binary("penstock"), place / "next")
    (place / "next").rename(place / "penstock")
    second = iris(name="second", model="second", replicas=1)
    assert gateway.reload(changed(gateway, lambda c: c["deployments"].append(second)))
    until(lambda: gateway.get("/second/v2/health/ready").status == 200, "the second one serves")
    # Nor is its new place asked for, if the old file lives on elsewhere.
    (place / "penstock").rename(folder / "penstock")
    third = iris(name="third", model="third", replicas=1)
    assert gateway.reload(changed(gateway, lambda c: c["deployments"].append(third)))
