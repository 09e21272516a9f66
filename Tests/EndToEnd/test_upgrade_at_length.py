# The upgrade in place at full size, on optimised binaries: a hundred thousand requests of every
# kind over five upgrades, a new process that hangs, and how soon a killed gateway is back.

import shutil
import signal
import socket
import statistics
import subprocess
import threading

from harness.configuration import service
from harness.deployments import FLOWER, iris
from harness.http2 import Client
from harness.load import Load, StreamLoad
from harness.messages import LAST_CHUNK, chunk, compose
from harness.origin import fixed
from harness.waiting import SLOWNESS, Stopwatch, until
from harness.wire import Connection
from test_upgrade import Sealed, tls  # noqa: F401 (a fixture)
from test_upgrade_failures import REFUSED, program  # noqa: F401 (a fixture)
from test_upgrades import ASK, shouting

KEPT, FRESH, STREAMS, SEALED = 70_000, 15_000, 10_000, 5_000


class Streaming:
    """Clients in the middle of an answer and of a tunnel, from before the first upgrade."""

    def __init__(self, gateway):
        self.tunnel, self.stream = gateway.connect(), gateway.connect()
        self.tunnel.send(compose("GET", "/chat", ASK))
        assert self.tunnel.response_head().status == 101
        self.stream.send(compose(target="/stream"))
        self.stream.response_head()

    def go_on(self, word):
        self.tunnel.send(word)
        assert self.tunnel.stream.exactly(len(word)) == word.upper()
        assert self.stream.chunk() == b"tick"

    def end(self):
        while self.stream.chunk():
            pass
        self.stream.close()
        self.tunnel.close()


def test_five_upgrades_fail_none_of_a_hundred_thousand_requests(
        start_origin, start_gateway, tls):  # noqa: F811
    h2load = shutil.which("h2load")
    assert h2load, "h2load is missing; `make deps` installs it (package nghttp2-client)"
    over = threading.Event()

    def ticking(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not over.wait(0.05):
            exchange.send(chunk(b"tick"))
        exchange.send(LAST_CHUNK)

    def script(exchange):
        kinds = {"/chat": shouting, "/stream": ticking}
        kinds.get(exchange.request.target, fixed(b"ok"))(exchange)
    listeners, context = tls
    gateway = start_gateway(
        service(*[start_origin(script) for _ in range(4)], upgrades=["websocket"]),
        gateway={**listeners, "workers": 4, "timeouts": {"drain": "120s"}})
    plain, sealed = gateway.addresses

    def shake_hands(address):
        return Sealed(address, context)
    loads = [
        Load(plain, clients=3, per_connection=1, requests_max=FRESH),
        StreamLoad(plain, clients=2, connect=Client, requests_max=STREAMS),
        Load(sealed, clients=1, connect=shake_hands, requests_max=SEALED // 2),
        Load(sealed, clients=1, per_connection=1, connect=shake_hands,
             requests_max=SEALED // 2)]
    streaming = Streaming(gateway)
    kept = subprocess.Popen([h2load, "--h1", "-n", str(KEPT), "-c", "32", f"http://{plain}/"],
                            stdout=subprocess.PIPE, text=True)
    for load in loads:
        load.__enter__()
    for number in range(5):
        for load in loads:
            load.progress(40)
        assert gateway.upgrade()
        streaming.go_on(b"after number %d" % number)
    for load in loads:
        load.finish()
        load.assert_all_ok()
    said = kept.communicate()[0]
    assert f"{KEPT} succeeded, 0 failed, 0 errored, 0 timeout" in said, said
    assert f"{KEPT} 2xx" in said
    assert sum(load.answered for load in loads) + KEPT == 100_000
    over.set()
    streaming.end()
    gateway.await_predecessors(60)


def test_a_new_process_that_hangs_is_ended_after_half_a_minute(
        start_origin, start_gateway, program):  # noqa: F811
    gateway = start_gateway(service(start_origin(fixed(b"ok")), name="echo"),
                            program=program.path)
    program.replace("#!/bin/sh\nexec sleep 1000\n")
    watch = Stopwatch()
    gateway.signal(signal.SIGUSR2)
    until(lambda: gateway.events(REFUSED), "the old process has waited long enough", 60)
    watch.assert_between(29, 40)
    assert "not said that it is prepared" in gateway.events(REFUSED)[0]["cause"]
    assert gateway.get().status == 200
    program.restore()
    assert gateway.upgrade()


def is_refused(address):
    try:
        Connection(address).close()
        return False
    except (ConnectionRefusedError, socket.timeout):
        return True


def test_a_killed_gateway_is_soon_back_with_its_replicas(start_gateway):
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        address = f"127.0.0.1:{chosen.getsockname()[1]}"
    gateway = start_gateway(whole={
        "gateway": {"listeners": [{"address": address}]}, "admin": {"listen": "127.0.0.1:0"},
        "state": "state", "deployments": [iris()]})
    refused, routed = [], []
    for _ in range(10):
        gateway.crash()
        watch = Stopwatch()
        gateway.launch()
        until(lambda: not is_refused(address), "connections are accepted")
        refused.append(watch.seconds)
        until(lambda: Connection(address).post("/iris/v2/models/iris/infer", FLOWER).status == 200,
              "a replica answers")
        routed.append(watch.seconds)
        until(gateway.is_ready_or_dead, "it says so")
    for what, seconds in (("refused", refused), ("no prediction", routed)):
        print(f"{what} for {statistics.median(seconds) * 1000:.0f} ms (median), "
              f"{max(seconds) * 1000:.0f} ms at most")
    # The goals are 0.3 s and 1 s; a machine that does other things besides may take longer.
    assert max(refused) < 3 * SLOWNESS and max(routed) < 5 * SLOWNESS
