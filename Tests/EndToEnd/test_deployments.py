# Replicas that Penstock runs: as a new user meets them, and what happens when they die.

import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest

from harness.configuration import configuration
from harness.load import Load
from harness.messages import compose
from harness.processes import children, is_alive, processor_seconds
from harness.waiting import SLOWNESS, Stopwatch, until

pytestmark = pytest.mark.core

CONF = pathlib.Path(__file__).parents[2] / "conf"
INFER = "/iris/v2/models/iris/infer"
FLOWER = {"inputs": [{"name": "features", "shape": [1, 4], "datatype": "FP32",
                      "data": [5.1, 3.5, 1.4, 0.2]}]}


def iris(replicas=2, **more):
    return {
        "name": "iris", "model": "iris", "version": "v1", "replicas": replicas,
        "command": ["penstock-model", "--artifact", "{artifact}", "--listen", "{address}"],
        "artifact": str(CONF / "artifacts" / "iris-v1.json"),
        "resources": {"cpu": 0.5, "memory": "512MiB"},
        "load_balancer": {"health_check_interval": "100ms"},
        "strategy": {"type": "rolling", "min_healthy_seconds": 0}, **more}


def with_deployments(*deployments, **more):
    return configuration(deployments=list(deployments), **more)


def label(answer):
    assert answer.status == 200, answer.text
    return next(o for o in answer.json()["outputs"] if o["name"] == "label")["data"]


def usable(gateway, name="iris"):
    return [e for e in gateway.admin.endpoints(name).values() if e["health"] != "down"]


def test_the_quick_start_answers_a_prediction_when_its_line_is_pasted(start_gateway, folder):
    text = (CONF / "quickstart.yaml").read_text()
    for old, new in (("127.0.0.1:8080", "127.0.0.1:0"), ("127.0.0.1:9090", "127.0.0.1:0"),
                     ("../var/penstock", "state")):
        assert old in text
        text = text.replace(old, new)
    shutil.copytree(CONF / "artifacts", folder / "artifacts")
    gateway = start_gateway(whole=text)
    assert any("2 of 2 replicas ready" in line for line in gateway.output.all)
    line = next(line for line in gateway.output.all if line.startswith("curl "))
    ended = subprocess.run(shlex.split(line), capture_output=True, timeout=30, text=True)
    assert ended.returncode == 0 and "setosa" in ended.stdout, ended
    assert len(children(gateway.pid)) == 2


def test_started_again_it_serves_once_it_says_so(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris()))
    for _ in range(2):
        gateway.stop()
        gateway.start()
        assert label(gateway.post(INFER, FLOWER)) == ["setosa"]
        line = next(line for line in gateway.output.all if line.startswith("curl "))
        assert "/infer" in line, "it is an example of a prediction"


def test_a_deployment_answers_by_path_header_and_model(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris()))
    assert label(gateway.post(INFER, FLOWER)) == ["setosa"]
    assert label(gateway.post("/v2/models/iris/infer", FLOWER)) == ["setosa"]
    answer = gateway.get("/v2/models/iris", {"X-Penstock-Deployment": "iris"})
    assert answer.status == 200 and answer.json()["name"] == "iris"
    bad = gateway.post(INFER, {"inputs": [{**FLOWER["inputs"][0], "shape": [1, 5]}]})
    assert bad.status == 400 and "shape" in bad.text


def test_a_killed_replica_costs_no_prediction_and_comes_back(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris()))
    body = json.dumps(FLOWER)
    headers = {"Content-Type": "application/json"}
    before = set(children(gateway.pid))
    with Load(gateway.address, clients=3,
              request=lambda number: ("POST", INFER, headers, body)) as load:
        load.progress(60)
        os.kill(min(before), signal.SIGKILL)
        load.progress(60)
        until(lambda: len(set(children(gateway.pid)) - {min(before)}) == 2, "a new one is started")
        until(lambda: len(usable(gateway)) == 2, "it is in the rotation again")
        load.progress(60)
    load.assert_all_ok()


def test_a_replica_that_never_gets_ready_gets_no_request(start_gateway):
    gateway = start_gateway(
        whole=with_deployments(iris(replicas=1, command=[
            "penstock-model", "--artifact", "{artifact}", "--listen", "{address}",
            "--startup-delay", "600s"])), launch_only=True)
    until(lambda: any(line.startswith("{") for line in gateway.log.all), "it says something")
    until(lambda: children(gateway.pid), "the replica is started")
    gateway.signal(signal.SIGTERM)
    assert gateway.wait(30) == 0
    assert not children(gateway.pid)


def test_a_program_that_does_not_exist_is_named(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris(
        replicas=1, command=["no-such-program", "{address}"])), launch_only=True)
    assert gateway.wait(30) == 1
    assert any("no-such-program" in line for line in gateway.log.complete())


def test_a_replica_may_be_any_program(start_gateway, folder):
    script = folder / "server.py"
    script.write_text(textwrap.dedent("""\
        import http.server, os, socketserver, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def do_GET(self):
                body = (self.path + " " + os.environ["GREETING"]).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def address_string(self):
                return "unix"
        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True
        Server(sys.argv[1].removeprefix("unix:"), Handler).serve_forever()
        """))
    gateway = start_gateway(whole=with_deployments({
        "name": "mine", "model": "mine", "version": "1", "instance_type": "cpu.small",
        "command": [sys.executable, str(script), "{address}"], "replicas": 2,
        "env": {"GREETING": "hello"},
        "load_balancer": {"health_check_path": "/ready", "health_check_interval": "100ms"}}))
    assert gateway.get("/mine/some/path").text == "/some/path hello"


def test_a_reload_with_another_version_switches_without_a_failed_request(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris()))
    old = set(children(gateway.pid))
    with Load(gateway.address, clients=3,
              request=lambda number: ("GET", "/iris/v2/models/iris", (), None)) as load:
        load.progress(50)
        assert gateway.reload(with_deployments(iris(
            version="v2", artifact=str(CONF / "artifacts" / "iris-v2.json"))))
        until(lambda: not any(is_alive(pid) for pid in old), "the old ones are gone", 40)
        load.progress(50)
    load.assert_all_ok()
    assert gateway.get("/iris/v2/models/iris").json()["versions"] == ["v2"]
    assert len(children(gateway.pid)) == 2


def test_a_reload_changes_the_number_of_replicas(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris(replicas=1)))
    assert gateway.reload(with_deployments(iris(replicas=3)))
    until(lambda: len(usable(gateway)) == 3, "three are in the rotation", 40)
    assert gateway.reload(with_deployments(iris(replicas=1)))
    until(lambda: len(children(gateway.pid)) == 1, "two are stopped", 40)
    assert label(gateway.post(INFER, FLOWER)) == ["setosa"]


def test_what_a_crash_leaves_behind_is_told_with_its_number_and_reason(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris(replicas=1)))
    [shim] = children(gateway.pid)
    [replica] = children(shim)
    os.kill(replica, signal.SIGKILL)
    told = until(lambda: gateway.events("replica ended; it is started again"), "the log tells it")
    assert told[0]["pid"] == str(replica)
    assert told[0]["reason"].startswith("killed by SIGKILL")


def test_stopping_finishes_predictions_before_the_replicas_end(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris(command=[
        "penstock-model", "--artifact", "{artifact}", "--listen", "{address}",
        "--latency", "700ms"])))
    clients = [gateway.connect() for _ in range(6)]
    for client in clients:
        client.send(compose("POST", INFER, {"Content-Type": "application/json"},
                            json.dumps(FLOWER)))
    until(lambda: gateway.admin.metrics().sum("penstock_requests_in_flight") == 6,
          "all are under way")
    replicas = children(gateway.pid)
    gateway.signal(signal.SIGTERM)
    assert [label(client.response()) for client in clients] == [["setosa"]] * 6
    assert gateway.wait() == 0
    assert not any(map(is_alive, replicas))


def test_replicas_leave_their_output_in_the_state_directory(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris(replicas=1)))
    logs = [path for path in (gateway.state / "logs").rglob("*") if path.is_file()]
    assert logs and any(path.read_text() for path in logs)


def test_at_rest_nothing_is_done(start_gateway):
    gateway = start_gateway(whole=with_deployments(iris()))
    until(lambda: len(usable(gateway)) == 2, "both replicas are there")
    # One that dies and is replaced leaves waits behind, which must not wake each other for ever.
    os.kill(children(gateway.pid)[0], signal.SIGKILL)
    until(lambda: len(usable(gateway)) == 2, "it is replaced")
    before, watch = processor_seconds(gateway.pid), Stopwatch()
    until(lambda: watch.seconds > 3, "three seconds pass")
    spent = processor_seconds(gateway.pid) - before
    assert spent < 0.25 * watch.seconds * SLOWNESS, f"{spent:.2f} s of {watch.seconds:.1f}"
