# The access log: one JSON object a line for each request, by a writer that never makes one wait.

import fcntl
import json
import os

import pytest

from harness.configuration import fast_health, service
from harness.load import Load
from harness.messages import compose
from harness.origin import fixed, resetting
from harness.waiting import until

pytestmark = pytest.mark.core


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def logging(sample=None, path="access.log"):
    return {"access_log": {"path": path, **({"sample": sample} if sample is not None else {})}}


def test_a_request_is_a_line_with_what_is_known_of_it(start_origin, start_gateway, folder):
    replica = start_origin(fixed(b"twelve bytes"))
    gateway = start_gateway(service(replica), gateway=logging())
    gateway.fetch("POST", "/a?b=c&d=%22", {"X-Request-ID": "find-\"me\\"}, b"12345")
    log = folder / "access.log"
    until(lambda: log.exists() and lines(log), "the line is written")
    line = lines(log)[0]
    expected = {"method": "POST", "path": "/a?b=c&d=%22", "status": 200, "service": "echo",
                "revision": "stable", "endpoint": replica.address, "client": "127.0.0.1",
                "request_id": "find-\"me\\", "bytes_in": 5, "bytes_out": 12, "retries": 0,
                "outcome": "success", "error": ""}
    assert {key: line.get(key) for key in expected} == expected
    assert line["duration_ms"] >= line["first_byte_ms"] >= 0
    assert line["time"].endswith("Z") and line["time"][10] == "T"


def test_refusals_retries_and_departures_are_lines_too(start_origin, start_gateway, folder):
    bad, good = start_origin(resetting), start_origin(fixed(b"ok"))
    gateway = start_gateway(
        service(bad, good, routes=[{"path": "/x"}], ejection={"failures": 0}),
        gateway={**logging(), "workers": 1})
    assert gateway.get("/nowhere").status == 404
    for _ in range(4):
        assert gateway.get("/x").status == 200
    with gateway.connect() as client:
        good.script = lambda exchange: exchange.client_left()
        bad.script = good.script
        client.send(compose(target="/x/leaving"))
        until(lambda: any(r.target == "/x/leaving" for r in bad.requests + good.requests), "sent")
    log = folder / "access.log"
    until(lambda: len(lines(log)) == 6, "six lines are written")
    seen = {line["path"]: line for line in lines(log)}
    assert seen["/nowhere"]["error"] == "no_route" and seen["/nowhere"]["outcome"] == "client"
    assert sum(line["retries"] for line in lines(log)) == 2
    assert seen["/x/leaving"]["outcome"] == "cancelled"


def test_a_moved_log_is_reopened_on_sighup(start_origin, start_gateway, folder):
    gateway = start_gateway(service(start_origin()), gateway=logging())
    log, old = folder / "access.log", folder / "access.log.1"
    gateway.get("/before")
    until(lambda: log.exists() and lines(log), "the first line")
    os.rename(log, old)
    gateway.get("/between")
    until(lambda: len(lines(old)) == 2, "the open file is written on")
    assert gateway.reload()
    gateway.get("/after")
    until(lambda: log.exists() and lines(log), "a new file is begun")
    assert [line["path"] for line in lines(log)] == ["/after"]
    assert [line["path"] for line in lines(old)] == ["/before", "/between"]


def test_every_request_of_a_load_is_one_whole_line(start_origin, start_gateway, folder):
    gateway = start_gateway(
        service(start_origin(fixed(b"ok"))), gateway={**logging(), "workers": 4})
    Load(gateway.address, clients=6, requests_max=2000, per_connection=50).run().assert_all_ok()
    log = folder / "access.log"
    until(lambda: log.read_bytes().count(b"\n") == 2000, "2000 lines")
    assert len({line["request_id"] for line in lines(log)}) == 2000
    assert gateway.admin.metrics().sum("penstock_access_log_dropped_total") == 0


def test_a_sample_of_zero_logs_failures_only(start_origin, start_gateway, folder):
    replica = start_origin(fixed(b"ok"))
    gateway = start_gateway(service(replica, ejection={"failures": 0}), gateway=logging(0))
    for _ in range(20):
        gateway.get("/fine")
    replica.script = fixed(b"broken", 500)
    gateway.get("/broken")
    log = folder / "access.log"
    until(lambda: log.exists() and lines(log), "the failure is logged")
    assert [line["path"] for line in lines(log)] == ["/broken"]


def test_a_dash_is_standard_output(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()), gateway=logging(path="-"))
    gateway.get("/out")
    until(lambda: any('"path":"/out"' in line for line in gateway.output.all), "on the output")


def test_what_is_buffered_is_written_before_the_end(start_origin, start_gateway, folder):
    gateway = start_gateway(service(start_origin(fixed(b"ok"))), gateway=logging())
    for number in range(50):
        gateway.get(f"/{number}")
    gateway.settle()
    gateway.stop()
    assert len(lines(folder / "access.log")) == 50


def test_a_log_that_cannot_be_written_costs_no_request(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(fixed(b"ok"))), gateway=logging(path="/dev/full"))
    assert [gateway.get().status for _ in range(200)] == [200] * 200
    until(lambda: gateway.admin.metrics().sum("penstock_access_log_dropped_total") > 0,
          "what was lost is counted")


def test_a_program_log_that_nobody_reads_costs_no_request(start_origin, start_gateway):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    dead = [f"127.0.0.1:{port}" for port in range(1, 61)]
    gateway = start_gateway(
        service(start_origin(fixed(b"ok"))),
        service(*dead, name="dead", routes=[{"path": "/dead"}],
                health=fast_health("tcp", fall=1)),
        preexec=lambda: os.dup2(writer, 2))
    os.close(writer)
    until(lambda: all(e["health"] == "down" for e in gateway.admin.endpoints("dead").values()),
          "more has happened than the pipe holds")
    with Load(gateway.address, clients=2) as load:
        load.progress(200)
    load.assert_all_ok()
    gateway.admin.drain("echo", next(iter(gateway.admin.endpoints())))
    gateway.settle()
    gateway.stop()
    os.close(reader)


def test_a_log_that_nobody_reads_costs_no_request(start_origin, start_gateway, folder):
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    gateway = start_gateway(
        service(start_origin(fixed(b"ok"))), gateway=logging(path=str(pipe)))
    Load(gateway.address, clients=4, requests_max=1500).run().assert_all_ok()
    os.close(reader)
