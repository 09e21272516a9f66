# The figures of the threat model at their full size, on optimised binaries: a hundred thousand
# requests over reloads, ten thousand idle connections, real processes killed and frozen, clients
# that drip for as long as they may, a disk without a byte left.

import contextlib
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import threading

import pytest

from harness.configuration import revision, service
from harness.gateway import binary
from harness.load import Load
from harness.messages import compose
from harness.origin import fixed
from harness.processes import resident_bytes
from harness.waiting import LARGENESS, Stopwatch, until

ARTIFACTS = pathlib.Path(__file__).parents[2] / "conf" / "artifacts"
FLOWER = json.dumps({"inputs": [{"name": "features", "shape": [1, 4], "datatype": "FP32",
                                 "data": [5.1, 3.5, 1.4, 0.2]}]})
INFER = "/v2/models/iris/infer"


@pytest.fixture
def model_servers(folder):
    """Two reference model servers as processes of their own."""
    started = []
    for number in range(2):
        address = f"unix:{folder}/model-{number}.sock"
        process = subprocess.Popen(
            [binary("penstock-model"), "--artifact", str(ARTIFACTS / "iris-v1.json"),
             "--listen", address, "--log-level", "error"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        process.address = address
        started.append(process)
    until(lambda: all(os.path.exists(p.address.removeprefix("unix:")) for p in started),
          "both listen")
    yield started
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def inferences(number):
    """Half of them reads, half of them predictions that may be repeated."""
    if number % 2:
        return "GET", "/v2/models/iris", (), None
    return "POST", INFER, {"Content-Type": "application/json"}, FLOWER


def model_service(model_servers, **more):
    return service(*[server.address for server in model_servers], retry={"idempotent": True},
                   **more)


def test_twenty_reloads_fail_none_of_a_hundred_thousand_requests(start_origin, start_gateway):
    h2load = shutil.which("h2load")
    assert h2load, "h2load is missing; `make deps` installs it (package nghttp2-client)"
    replicas = [start_origin(fixed(b"ok")) for _ in range(4)]
    gateway = start_gateway(service(*replicas[:2]), gateway={"workers": 4})
    load = subprocess.Popen(
        [h2load, "--h1", "-n", "100000", "-c", "32", f"http://{gateway.address}/"],
        stdout=subprocess.PIPE, text=True)
    reloads = 0
    while load.poll() is None or reloads < 20:
        value = json.loads(json.dumps(gateway.configuration))
        value["services"] = [service(*(replicas[2:] if reloads % 2 == 0 else replicas[:2]))]
        before = sum(len(replica.requests) for replica in replicas)
        assert gateway.reload(value)
        reloads += 1
        until(lambda: load.poll() is not None
              or sum(len(replica.requests) for replica in replicas) > before + 1000,
              "a thousand further requests", 60)
        for replica in replicas:
            del replica.requests[:-1]
    said = load.communicate()[0]
    assert "100000 succeeded, 0 failed, 0 errored, 0 timeout" in said, said
    assert "100000 2xx" in said and reloads >= 20


def test_a_killed_process_costs_no_request(model_servers, start_gateway):
    gateway = start_gateway(model_service(model_servers))
    with Load(gateway.address, clients=6, request=inferences) as load:
        load.progress(1000)
        model_servers[0].kill()
        load.progress(2000)
    load.assert_all_ok()


def test_a_frozen_process_costs_no_request_and_at_most_two_seconds(model_servers, start_gateway):
    gateway = start_gateway(model_service(model_servers, health={
        "type": "open_inference", "interval": "500ms", "timeout": "500ms", "fall": 2}))
    with Load(gateway.address, clients=6, request=inferences) as load:
        load.progress(500)
        model_servers[0].send_signal(signal.SIGSTOP)
        until(lambda: gateway.admin.endpoints()[model_servers[0].address]["health"] == "down",
              "the checks notice")
        load.progress(1000)
        model_servers[0].send_signal(signal.SIGCONT)
        until(lambda: gateway.admin.endpoints()[model_servers[0].address]["health"] == "up",
              "the checks notice that it is back")
        load.progress(500)
    load.assert_all_ok()
    assert load.slowest <= 2.0


def test_a_body_that_drips_is_evicted_although_it_never_pauses(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(fixed(b"ok"))))
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Content-Length": "1000000"}))
        watch = Stopwatch()
        client.drip(b"d", 0.2)  # Five bytes a second; a hundred are due.
        watch.assert_between(9.5, 21)
        assert client.response().error == "request_timeout"


def test_a_body_that_drips_while_its_model_is_sought_is_evicted(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(fixed(b"ok")), routes=[{"model": "iris"}]))
    with gateway.connect() as client:
        client.send(compose("POST", "/v1/chat/completions", {
            "Content-Length": "1000000", "Content-Type": "application/json"}) + b'{"prompt": "')
        watch = Stopwatch()
        client.drip(b"d", 0.2)
        watch.assert_between(9.5, 21)
        assert client.response().error == "request_timeout"


def test_a_client_that_takes_its_answer_by_drips_is_evicted(start_origin, start_gateway):
    ended = threading.Event()

    def endless(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (1 << 30))
        try:
            while True:
                exchange.send(b"s" * 65536)
        except OSError:
            ended.set()
            raise
    gateway = start_gateway(service(start_origin(endless)))
    # Small segments and a small window: the kernels then tell soon what was taken.
    with gateway.connect(receive_buffer=2048, segment=88) as client:
        client.send(compose())
        watch, taken = Stopwatch(), [0]

        def is_evicted():
            if watch.seconds > taken[0] * 0.2:  # Fifty bytes a second; a hundred are due.
                taken[0] += 1
                client.socket.recv(10)
            return ended.is_set()
        until(is_evicted, "the gateway has had enough", 60)
        assert watch.seconds >= 9.5


def test_ten_thousand_idle_connections_cost_four_kibibytes_each_at_most(
        start_origin, start_gateway, many_descriptors):
    count = min(10_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 1000)
    assert count >= 5_000, "this machine's descriptor limit is too low for the story"
    # All ask at once, and the origin is slow to accept: that is not what is measured.
    patient = service(start_origin(fixed(b"ok")), timeouts={"connect": "30s"})
    gateway = start_gateway(patient)
    for _ in range(200):
        gateway.get()
    gateway.settle()
    before = resident_bytes(gateway.pid)
    clients = [gateway.connect() for _ in range(count)]
    for client in clients:
        client.send(compose())
    assert {client.response().status for client in clients} == {200}
    gateway.settle()
    grown = resident_bytes(gateway.pid) - before
    for client in clients:
        client.close()
    assert grown / count <= 4096 * LARGENESS, f"{grown / count:.0f} bytes each"


def test_a_thousand_stalled_connections_cost_thirty_two_kibibytes_each_at_most(
        start_origin, start_gateway, many_descriptors):
    def endless(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (1 << 30))
        while True:
            exchange.send(b"s" * 65536)
    count = 1000
    gateway = start_gateway(service(start_origin(endless)))
    before = resident_bytes(gateway.pid)
    clients = [gateway.connect(receive_buffer=4096) for _ in range(count)]
    for client in clients:
        client.send(compose())
    for client in clients:
        client.response_head()
    sent = [-1, 0]

    def is_still():
        now = gateway.admin.metrics().sum("penstock_upstream_connections_open"), \
            resident_bytes(gateway.pid) >> 20
        sent[1] = sent[1] + 1 if now == sent[0] else 0
        sent[0] = now
        return sent[1] > 100
    until(is_still, "nothing moves any more", 60)
    grown = resident_bytes(gateway.pid) - before
    for client in clients:
        client.reset()
    assert grown / count <= 32 * 1024 * LARGENESS, f"{grown / count:.0f} bytes each"


@pytest.fixture
def small_disk(folder):
    """A file system of two megabytes for the state directory, and a way to fill it."""
    place = folder / "state"
    place.mkdir(mode=0o700)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", str(place)],
        capture_output=True, text=True)
    if mounted.returncode:
        assert os.geteuid() != 0, f"root may not mount here: {mounted.stderr}"
        pytest.fail("only root can mount the disk of this story: run the stories as root, or "
                    "leave it out with --deselect; a core story limits the size of files instead")
    yield place
    until(lambda: subprocess.run(["umount", str(place)]).returncode == 0, "it is unmounted")


def fill(place):
    """Takes every byte that is left, in files that can be removed again."""
    ballast = place / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(b"b" * 4096)
        with contextlib.suppress(OSError):
            while True:
                file.write(b"b")
    return ballast


def test_a_disk_without_a_byte_left_loses_nothing_and_traffic_flows(
        small_disk, start_origin, start_gateway):
    gateway = start_gateway(
        service(revisions=[revision("stable", 90, start_origin(fixed(b"ok"))),
                           revision("canary", 10, start_origin(fixed(b"ok")))]),
        gateway={"access_log": {"path": str(small_disk / "access.log")}})
    gateway.admin.shift("echo", stable=50, canary=50)
    ballast = fill(small_disk)
    with Load(gateway.address, clients=2) as load:
        for share in (10, 20, 30):
            refused = gateway.admin.send(
                "PUT", "/v1/services/echo/traffic", {"stable": 100 - share, "canary": share})
            assert refused.status == 503 and refused.json()["code"] == "STATE_UNAVAILABLE"
        # What the world demands is done all the same, stored or not.
        assert gateway.reload()
        load.progress(2000)
    load.assert_all_ok()
    split = gateway.admin.service()["traffic"]
    assert split == {"stable": 50, "canary": 50}
    until(lambda: gateway.admin.metrics().sum("penstock_access_log_dropped_total") > 0,
          "lines that found no room are counted")
    ballast.unlink()
    gateway.admin.shift("echo", stable=40, canary=60)
    gateway.settle()
    gateway.stop()
    gateway.start()
    assert gateway.admin.service()["traffic"] == {"stable": 40, "canary": 60}
