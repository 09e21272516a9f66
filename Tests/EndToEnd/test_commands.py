# The command line: what each verb prints, and the exit code it ends with.

import json
import shlex
import subprocess

import pytest

from harness.configuration import revision, service
from harness.gateway import run

pytestmark = pytest.mark.core


@pytest.fixture
def served(start_origin, start_gateway):
    """A gateway with a split service, and a function that runs verbs beside it."""
    replicas = [start_origin(name="stable"), start_origin(name="canary")]
    gateway = start_gateway(service(revisions=[
        revision("stable", 95, replicas[0]), revision("canary", 5, replicas[1])]))
    gateway.replicas = replicas

    def verb(*arguments, environment=None):
        where = {"PENSTOCK_SERVER": f"http://{gateway.admin.address}", **(environment or {})}
        return run(*arguments, folder=gateway.folder, environment=where)
    gateway.verb = verb
    return gateway


def test_services_and_status_show_what_is_served(served):
    ended = served.verb("services")
    assert ended.returncode == 0 and "echo" in ended.stdout and "stable=95" in ended.stdout
    ended = served.verb("status", "echo")
    assert ended.returncode == 0
    for text in ("echo", "stable", "canary", served.replicas[0].address, "IN FLIGHT"):
        assert text in ended.stdout, text


def test_json_is_json(served):
    listed = json.loads(served.verb("services", "--json").stdout)
    assert listed["services"][0]["name"] == "echo"
    shown = json.loads(served.verb("status", "echo", "--json").stdout)
    assert shown["name"] == "echo"
    shifted = json.loads(served.verb("traffic", "echo", "stable=50", "canary=50", "--json").stdout)
    assert shifted["traffic"] == {"stable": 50, "canary": 50}


def test_traffic_shifts_and_returns_when_it_is_in_force(served):
    ended = served.verb("traffic", "echo", "stable=0", "canary=100")
    assert ended.returncode == 0, ended.stderr
    assert {served.get().json()["origin"] for _ in range(10)} == {"canary"}
    assert served.verb("traffic", "echo", "--clear").returncode == 0
    assert served.admin.service()["traffic"] == {"stable": 95, "canary": 5}


@pytest.mark.parametrize("words,code", [
    (["echo", "stable=50", "canary=51"], 2), (["echo", "stable=100.05", "canary=-0.05"], 2),
    (["echo", "stable=99.95", "canary=0.05"], 2), (["echo", "stable=all"], 2),
    (["echo", "stable"], 2), (["nobody", "stable=100"], 3)])
def test_traffic_that_makes_no_sense_is_refused(served, words, code):
    ended = served.verb("traffic", *words)
    assert ended.returncode == code and ended.stderr.strip(), ended.stderr
    assert served.admin.service()["traffic"] == {"stable": 95, "canary": 5}


def test_drain_and_undrain(served):
    address = served.replicas[0].address
    assert served.verb("drain", "echo", address).returncode == 0
    assert served.admin.endpoints()[address]["drained"] is True
    assert "drained" in served.verb("status", "echo").stdout
    assert served.verb("undrain", "echo", address).returncode == 0
    assert served.admin.endpoints()[address]["drained"] is False
    assert served.verb("drain", "echo", "127.0.0.1:1").returncode == 3
    assert served.verb("drain", "nobody", address).returncode == 3


def test_a_token_that_is_wrong_or_missing_is_denied(served, folder):
    wrong = served.verb("services", environment={"PENSTOCK_TOKEN": "pst_wrong"})
    assert wrong.returncode == 5 and "token" in wrong.stderr
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    missing = run("services", "--server", served.admin.address, folder=elsewhere)
    assert missing.returncode == 5 and "PENSTOCK_TOKEN" in missing.stderr
    given = run("services", "--server", served.admin.address, folder=elsewhere,
                environment={"PENSTOCK_TOKEN": served.admin.token})
    assert given.returncode == 0


def test_no_gateway_is_an_error_that_says_so(folder):
    ended = run("services", "--server", "http://127.0.0.1:1", folder=folder)
    assert ended.returncode == 1 and "is penstock running" in ended.stderr


def test_what_is_not_the_admin_port_is_told_by_what_it_is(served, folder):
    client = run("get", "iris", "--server", served.address, folder=folder)
    assert client.returncode == 1 and "not its admin port" in client.stderr, client
    sealed = run("list", "--server", f"https://{served.admin.address}", folder=folder)
    assert sealed.returncode == 1, sealed
    assert f"speaks no TLS; write http://{served.admin.address}" in sealed.stderr, sealed
    nobody = run("list", "--server", "http://no-such-name.invalid:1", folder=folder)
    assert nobody.returncode == 1 and "no address is known" in nobody.stderr, nobody


def test_check_says_that_a_good_file_is_good(served):
    ended = run("check", "--config", served.file)
    assert ended.returncode == 0 and "good" in ended.stdout
    verdict = json.loads(run("check", "--config", served.file, "--json").stdout)
    assert verdict["is_valid"] is True and verdict["problems"] == []


def test_check_tells_every_problem_with_its_place(folder):
    file = folder / "penstock.yaml"
    file.write_text("""\
gateway: { workers: many }
services:
  - name: echo
    routes: [{ path: /echo }]
    retry: { attemps: 2 }
    revisions: [{ name: stable, endpoints: [nowhere] }]
replicas_on_exit: perhaps
""")
    ended = run("check", folder=folder)
    assert ended.returncode == 1
    lines = ended.stderr.strip().splitlines()
    for text in (":1:", "gateway.workers", ":5:", "'attemps'; did you mean 'attempts'?",
                 ":6:", "nowhere", ":7:", "allowed: stop, keep"):
        assert any(text in line for line in lines), (text, lines)
    verdict = json.loads(run("check", "--json", folder=folder).stdout)
    assert verdict["is_valid"] is False and len(verdict["problems"]) == 4
    assert {"line", "column", "field", "message"} <= set(verdict["problems"][0])


@pytest.mark.parametrize("key,text", [
    ("retry", "deployments: [{ name: a, model: a, version: v1, command: ['x', '{address}'], "
              "instance_type: cpu.small, retry: {} }]"),
])
def test_what_is_not_supported_yet_is_refused_and_never_ignored(folder, key, text):
    (folder / "penstock.yaml").write_text(text)
    ended = run("check", folder=folder)
    assert ended.returncode == 1 and "not supported yet" in ended.stderr, (key, ended.stderr)


def test_check_looks_for_the_files_and_programs_that_are_named(folder):
    (folder / "a-folder").mkdir()
    (folder / "penstock.yaml").write_text("""\
gateway:
  access_log: { path: a-folder }
admin: { listen: "127.0.0.1:0", tls: { certificate: none.pem, key: none.key } }
deployments:
  - name: iris
    artifact: ../none.json
    command: [no-such-program, "{artifact}", "{address}"]
    model: iris
    version: v1
    instance_type: cpu.small
""")
    ended = run("check", folder=folder)
    lines = ended.stderr.strip().splitlines()
    assert ended.returncode == 1 and len(lines) == 5, lines
    for place, text in ((":2:23", "is a directory"), (":3:", "none.pem' does not exist"),
                        (":3:", "none.key'"), (":6:", f"'{folder.parent}/none.json'"),
                        (":7:", "'no-such-program' is not found")):
        assert any(place in line and text in line for line in lines), (text, lines)


def test_camel_case_is_accepted(folder):
    (folder / "penstock.yaml").write_text("""\
gateway:
  accessLog: { path: a.log }
  trustedProxies: [10.0.0.0/8]
  timeouts: { firstByte: 5s, keepAlive: 1m }
services:
  - name: echo
    routes: [{ path: / }]
    balancing: { algorithm: "Least Connections", slowStart: 5s }
    revisions: [{ name: stable, endpoints: ["127.0.0.1:9001"] }]
replicasOnExit: stop
""")
    ended = run("check", folder=folder)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("words", [
    ["serve", "--confg", "x"], ["nonsense"], ["drain", "echo"], ["traffic"],
    ["serve", "--config"],
    ["check", "surplus"]])
def test_wrong_usage_ends_with_2(words, folder):
    ended = run(*words, folder=folder)
    assert ended.returncode == 2 and ended.stderr.strip() and not ended.stdout.strip()


def test_help_and_version(folder):
    ended = run("--help", folder=folder)
    assert ended.returncode == 0 and "penstock serve" in ended.stdout
    for verb in ("serve", "check", "services", "status", "traffic", "drain", "undrain"):
        shown = run("help", verb, folder=folder)
        assert shown.returncode == 0 and f"penstock {verb}" in shown.stdout, verb
    ended = run("version", folder=folder)
    assert ended.returncode == 0 and ended.stdout.strip()
    assert "penstock" in run("--generate-completion-script", "bash", folder=folder).stdout


def test_the_command_that_is_printed_works_when_pasted(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(), routes=[{"path": "/echo"}]))
    line = next(line for line in gateway.output.all if line.startswith("curl "))
    ended = subprocess.run(shlex.split(line), capture_output=True, timeout=30, text=True)
    assert ended.returncode == 0 and " 200 " in ended.stdout.splitlines()[0] + " "


def test_the_admin_port_and_token_are_found_by_the_configuration(served):
    # The running gateway chose its admin port; a file that names it is what an operator has.
    beside = served.folder / "beside.yaml"
    beside.write_text(json.dumps({
        **served.configuration, "admin": {"listen": served.admin.address}}))
    ended = run("services", "--config", beside, folder="/")
    assert ended.returncode == 0 and "echo" in ended.stdout, ended.stderr
