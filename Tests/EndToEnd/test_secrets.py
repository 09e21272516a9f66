# Secrets and configs reach the replicas that name them, and nobody else: no answer, no file of the
# state holds them.

import os
import pathlib
import signal

import pytest

from harness.configuration import configuration
from harness.deployments import Deployment, iris
from harness.gateway import binary, run
from harness.waiting import until

pytestmark = pytest.mark.core

SECRET = "correct-horse-battery-staple"


def environment(process):
    raw = pathlib.Path(f"/proc/{process}/environ").read_bytes().decode()
    return dict(entry.split("=", 1) for entry in raw.split("\0") if "=" in entry)


def put(gateway, path, **body):
    answer = gateway.admin.send("PUT", path, {"environment": "development", **body})
    assert answer.status in (200, 201), answer.text
    return answer.json()


def processes(deployment):
    return [replica.get("process_id") for replica in deployment.replicas]


def test_a_replica_gets_what_it_names_and_a_redeployment_takes_up_the_newest(start_gateway):
    gateway = start_gateway(whole=configuration())
    put(gateway, "/v1/secrets/hf-token", value=SECRET)
    put(gateway, "/v1/configs/eu", values={"REGION": "eu", "LOG_LEVEL": "info"})
    deployment = Deployment(gateway, "iris")
    deployment.create(iris(
        replicas=1, secrets={"HF_TOKEN": "hf-token"}, configs=["eu"],
        env={"LOG_LEVEL": "debug"}))
    found = environment(processes(deployment)[0])
    assert (found["HF_TOKEN"], found["REGION"], found["LOG_LEVEL"]) == (SECRET, "eu", "debug")
    put(gateway, "/v1/secrets/hf-token", value=SECRET + "-2")
    deployment.act("restart")
    assert environment(processes(deployment)[0])["HF_TOKEN"] == SECRET
    deployment.act("redeploy")
    assert environment(processes(deployment)[0])["HF_TOKEN"] == SECRET + "-2"
    deployment.act("rollback", {"to": 1})
    assert environment(processes(deployment)[0])["HF_TOKEN"] == SECRET
    told = [gateway.admin.send("GET", path).text for path in (
        "/v1/deployments/iris", "/v1/deployments/iris/revisions", "/v1/secrets/hf-token",
        "/v1/deployments/iris/replicas", "/v1/audit", "/v1/events")]
    assert not [text for text in told if SECRET in text]
    holders = [path for path in pathlib.Path(gateway.state).rglob("*")
               if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert holders == []


def test_a_pinned_secret_outlives_a_hundred_newer_ones_and_is_hidden_in_logs(start_gateway):
    gateway = start_gateway(whole=configuration())
    put(gateway, "/v1/secrets/hf-token", value=SECRET)
    deployment = Deployment(gateway, "iris")
    talks = ["sh", "-c", 'echo "my token is $HF_TOKEN"; exec "$@"', "-",
             str(binary("penstock-model")), "--artifact", "{artifact}", "--listen", "{address}"]
    deployment.create(iris(replicas=1, command=talks, secrets={"HF_TOKEN": "hf-token"}))
    for number in range(101):
        put(gateway, "/v1/secrets/hf-token", value=f"{SECRET}-{number}")
    first = processes(deployment)[0]
    os.kill(first, signal.SIGKILL)
    until(lambda: processes(deployment) not in ([None], [first]) and deployment.ready == 1,
          "it is back", 60)
    assert environment(processes(deployment)[0])["HF_TOKEN"] == SECRET
    logs = "/v1/deployments/iris/replicas/iris-0/logs"
    said = [line["text"] for line in gateway.admin.get(logs)["lines"]]
    assert "my token is ***" in said
    assert SECRET not in gateway.admin.send("GET", "/v1/deployments/iris/dossiers").text
    assert SECRET not in gateway.admin.send("GET", f"{logs}?run=previous").text


def test_a_removed_secret_never_comes_back_as_another(start_gateway):
    gateway = start_gateway(whole=configuration())
    put(gateway, "/v1/secrets/two", value="ORIGINAL-A")
    deployment = Deployment(gateway, "iris")
    deployment.create(iris(replicas=1, secrets={"TWO": "two"}))
    deployment.patch({"secrets": None})
    refused = gateway.admin.send("DELETE", "/v1/secrets/two")
    assert refused.status == 409 and "iris revision 1" in refused.json()["detail"], refused.text
    put(gateway, "/v1/secrets/other", value="A")
    assert gateway.admin.send("DELETE", "/v1/secrets/other").status == 204
    assert put(gateway, "/v1/secrets/other", value="B")["version"] == 2
    deployment.act("rollback", {"to": 1})
    assert environment(processes(deployment)[0])["TWO"] == "ORIGINAL-A"


def test_a_reference_that_leads_nowhere_is_refused_at_its_place(start_gateway):
    gateway = start_gateway(whole=configuration())
    answer = gateway.admin.send(
        "POST", "/v1/deployments", iris(secrets={"HF_TOKEN": "hf-tokn"}))
    assert answer.status == 422
    error = answer.json()["errors"][0]
    assert error["pointer"] == "/secrets/HF_TOKEN"
    assert "there is no secret 'hf-tokn'" in error["message"]
    assert gateway.admin.send("GET", "/v1/deployments/iris").status == 404


def test_the_command_line_takes_secrets_from_files_only(start_gateway):
    gateway = start_gateway(whole=configuration())
    server = {"PENSTOCK_SERVER": f"http://{gateway.admin.address}"}

    def verb(*words, code=0):
        ended = run(*words, folder=gateway.folder, environment=server)
        assert ended.returncode == code, (words, ended.stdout, ended.stderr)
        return ended.stdout

    assert verb("secrets").startswith("no secrets")
    (pathlib.Path(gateway.folder) / "token.txt").write_text(SECRET + "\n")
    words = ["secrets", "set", "hf-token", "--environment", "development", "--file", "token.txt"]
    assert verb(*words, "--dry-run") == "hf-token: would be at version 1\n"
    assert verb(*words) == "hf-token: version 1\n"
    assert verb(*words) == "hf-token: version 1\n", "the same again is nothing new"
    assert SECRET not in verb("secrets", "show", "hf-token")
    verb("configs", "set", "eu", "--environment", "development", "REGION=eu", "EMPTY=")
    assert "REGION: eu" in verb("configs", "show", "eu")
    deployment = Deployment(gateway, "iris")
    deployment.create(iris(replicas=1))
    verb("set", "iris", "secrets.HF_TOKEN=hf-token")
    assert environment(processes(deployment)[0])["HF_TOKEN"] == SECRET
    verb("secrets", "delete", "hf-token", code=4)
    verb("secrets", "delete", "none", code=3)
    verb("configs", "set", "eu", "--environment", "production", "A=b", code=4)
    verb("configs", "delete", "eu")
