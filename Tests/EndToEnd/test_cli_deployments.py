# The command line over a deployment's life: what each verb prints, that it waits, and the exit code
# that scripts branch on.

import json
import pathlib
import re
import subprocess

import pytest

from harness.configuration import configuration
from harness.deployments import CONF, FLOWER
from harness.gateway import run
from harness.waiting import until

pytestmark = pytest.mark.core

QUICK = ["--health-check-interval", "100ms", "--min-healthy-seconds", "0",
         "--progress-deadline-seconds", "3"]
SERVER = ["--", "penstock-model", "--artifact", "{artifact}", "--listen", "{address}"]


@pytest.fixture
def cli(start_gateway):
    """A gateway with nothing to serve, and the verbs run beside it."""
    gateway = start_gateway(whole=configuration())
    server = {"PENSTOCK_SERVER": f"http://{gateway.admin.address}"}

    def verb(*words, code=0, environment=None):
        ended = run(*words, folder=gateway.folder, environment={**server, **(environment or {})})
        assert ended.returncode == code, (words, ended.returncode, ended.stdout, ended.stderr)
        return ended

    verb.gateway = gateway
    verb.json = lambda *words: json.loads(verb(*words, "--json").stdout)
    verb.create = lambda name="iris", replicas=1, *more: verb(
        "create", name, "--model", "iris", "--version", "v1", "--artifact",
        CONF / "artifacts" / "iris-v1.json", "--replicas", replicas, "--cpu", "1", "--memory",
        "512MiB", *QUICK, *more, *SERVER)
    return verb


def test_it_is_created_looked_at_changed_and_deleted(cli):
    made = cli.create(replicas=2)
    assert "✓ iris: create done" in made.stdout and "/iris/" in made.stdout
    assert "iris: create: " in made.stderr, "a line a step where nobody looks"
    assert "\x1b" not in made.stdout + made.stderr, "no colour where nobody looks"
    assert cli.gateway.post("/iris/v2/models/iris/infer", FLOWER).status == 200
    assert re.search(r"iris +healthy +2/2 +iris:v1", cli("list").stdout)
    tree = cli("status", "iris").stdout
    assert "└─ r1" in tree and tree.count(" ready ") == 2, tree
    assert cli("get", "iris", "memory").stdout.strip() == "536870912"
    changed = cli("set", "iris", "env.LOG_LEVEL=debug", "--memory", "600MiB")
    assert "✓ iris: update done" in changed.stdout
    assert "memory: 512 MiB → 600 MiB" in cli("diff", "iris").stdout
    live = cli("set", "iris", "owner=botany")
    assert "no replica had to be replaced" in live.stdout
    same = cli("set", "iris", "owner=botany")
    assert "nothing was changed; owner is so already" in same.stdout
    assert "✓" in cli("delete", "iris", "--confirm", "iris").stdout
    assert cli("list").stdout.startswith("no deployments")


def test_it_is_scaled_stopped_started_restarted_and_rolled_back(cli):
    cli.create()
    assert "3 of 3 replicas ready" in cli("scale", "iris", "3", "--reason", "sale").stdout
    assert len(cli.json("replicas", "iris")["replicas"]) == 3
    assert "3 replicas were set by hand" in cli("why", "iris").stdout
    cli("scale", "iris", "--auto")
    cli("stop", "iris", "--message", "back at noon", "--reason", "disks")
    why = cli("why", "iris").stdout
    assert "disks" in why and "back at noon" in why and "penstock start iris" in why
    cli("start", "iris")
    cli("restart", "iris")
    cli("set", "iris", "args=--concurrency", "args=4")
    cli("rollback", "iris", "--reason", "not better")
    revisions = cli.json("revisions", "iris")["revisions"]
    assert [r["number"] for r in revisions] == [3, 2, 1]
    assert revisions[0]["rollback_of"] == 1 and revisions[0]["reason"] == "not better"
    actions = [o["action"] for o in cli.json("operations", "list", "iris")["operations"]]
    assert actions[0] == "rollback" and actions[-1] == "create"


def test_a_broken_command_ends_with_7_and_tells_why(cli):
    cli.create()
    ended = cli("set", "iris", 'args=["--no-such-option"]', code=7)
    assert "rolled back" in ended.stderr and "Unknown option '--no-such-option'" in ended.stderr
    assert "next: penstock why iris" in ended.stderr
    why = cli("why", "iris").stdout
    for part in ("the last update failed", "exited with code 2", "--no-such-option",
                 "it serves as before", "penstock diff iris 1 2"):
        assert part in why, (part, why)
    findings = cli.json("why", "iris")["findings"]
    assert findings and findings[0]["advice"]


def test_what_never_ran_is_failed_and_why_says_what_to_do(cli):
    server = SERVER + ["--no-such-option"]
    ended = cli("create", "iris", "--version", "v1", "--artifact",
                CONF / "artifacts" / "iris-v1.json", "--cpu", "1", "--memory", "512MiB", *QUICK,
                *server, code=1)
    assert "exited with code 2" in ended.stderr
    assert "exited with code 2" in cli("why", "iris").stdout
    fixed = cli("set", "iris", "command=" + " ".join(SERVER[1:]))
    assert "✓" in fixed.stdout and "healthy" in cli("status", "iris").stdout


def test_nothing_is_changed_by_a_dry_run(cli):
    cli.create()
    before = cli.json("get", "iris")["metadata"]["generation"]
    for words in (["set", "iris", "memory=1GiB"], ["scale", "iris", "3"], ["stop", "iris"],
                  ["restart", "iris"], ["redeploy", "iris"], ["delete", "iris"],
                  ["update", "iris", "--version", "v1"], ["plan", "iris", "memory=1GiB"]):
        more = [] if words[0] == "plan" else ["--dry-run"]
        assert cli(*words, *more).stdout.strip(), words
    plan = cli("set", "iris", "memory=1GiB", "--dry-run").stdout
    assert "512 MiB → 1 GiB" in plan and "new revision" in plan
    assert cli.json("get", "iris")["metadata"]["generation"] == before


def test_each_way_of_failing_has_its_exit_code(cli, folder):
    cli.create()
    cli("set", "iris", "memry=1GiB", code=2)
    cli("set", "iris", "memory=lots", code=2)
    assert "--version is missing" in cli("create", "other", code=2).stderr
    for words in (["status", "nobody"], ["scale", "nobody", "2"], ["why", "nobody"],
                  ["get", "nobody"], ["operations", "wait", "none"], ["logs", "nobody"],
                  ["models", "versions", "nobody"], ["diff", "iris"]):
        assert cli(*words, code=3).stderr.startswith("penstock: "), words
    taken = cli("create", "iris", "--version", "v1", "--cpu", "1", "--memory", "1GiB", *SERVER,
                code=4)
    assert "there is a 'iris' already" in taken.stderr
    other = folder / "other.json"
    other.write_bytes((CONF / "artifacts" / "iris-v2.json").read_bytes())
    cli("create", "altered", "--model", "iris", "--version", "v1", "--artifact", other, "--cpu",
        "1", "--memory", "512MiB", *SERVER, code=8)
    stale = cli("set", "iris", "owner=a", "--if-version", "x", code=4)
    assert "nothing was done" in stale.stderr and "--force" in stale.stderr
    cli("delete", "iris", code=2)
    cli("delete", "iris", "--confirm", "other", code=2)
    cli("list", code=5, environment={"PENSTOCK_TOKEN": "pst_wrong"})
    late = cli("restart", "iris", "--timeout", "0s", code=6)
    assert "penstock operations wait" in late.stderr
    identifier = late.stderr.split("operations wait ")[1].split()[0]
    assert "✓" in cli("operations", "wait", identifier).stdout
    model = cli("set", "iris", "version=v2", code=2)
    assert "hint: penstock update iris --version" in model.stderr
    gate = cli("set", "iris", "gpu=64", code=8)
    assert "no room" in gate.stderr or "GPU" in gate.stderr


def test_another_change_at_work_is_told_with_the_way_out(cli):
    cli.create()
    cli("set", "iris", "lifecycle.smoke_paths=/no-such-path", "progress_deadline_seconds=60")
    begun = cli("restart", "iris", "--no-wait")
    identifier = begun.stdout.split("operations wait ")[1].split()[0]
    refused = cli("scale", "iris", "2", code=4)
    assert identifier in refused.stderr and "--on-conflict" in refused.stderr
    assert "running" in cli("status", "iris").stdout
    assert "at work" in cli("why", "iris").stdout
    cli("operations", "cancel", identifier)
    cli("set", "iris", "--unset", "lifecycle.smoke_paths")
    cli("scale", "iris", "2")


def test_an_editor_changes_what_is_changed_in_it(cli):
    cli.create()
    editor = {"EDITOR": "sed -i 's/memory: 512MiB/memory: 640MiB/'"}
    assert "✓" in cli("edit", "iris", environment=editor).stdout
    assert cli("get", "iris", "memory").stdout.strip() == str(640 << 20)
    assert "nothing was changed" in cli("edit", "iris", environment={"EDITOR": "true"}).stdout
    broken = cli("edit", "iris", environment={"EDITOR": "sed -i 's/640MiB/lots/'"}, code=2)
    assert "resources.memory" in broken.stderr
    kept = pathlib.Path(broken.stderr.partition("your text is kept in ")[2].strip())
    assert "memory: lots" in kept.read_text() and kept.stat().st_mode & 0o777 == 0o600
    kept.unlink()
    given_up = cli("edit", "iris", environment={"EDITOR": "false"}, code=1)
    assert "nothing was changed" in given_up.stderr
    pathlib.Path(given_up.stderr.partition("your text is kept in ")[2].strip()).unlink()


def test_logs_of_all_replicas_of_one_and_of_a_run_that_is_over(cli):
    cli.create(replicas=2)
    every = cli("logs", "iris").stdout
    assert every.count("ready on") == 2 and "iris-0 " in every and "iris-1 " in every
    one = cli("logs", "iris", "--replica", "iris-0", "--tail", "1", "--timestamps").stdout
    assert len(one.splitlines()) == 1 and re.match(r"\d\d:\d\d:\d\d\.\d{3}  ", one)
    line = json.loads(cli("logs", "iris", "--since", "1h", "--json").stdout.splitlines()[0])
    assert line["replica"].startswith("iris-") and line["text"]
    assert cli("logs", "iris", "--until", "2020-01-01T00:00:00Z").stdout == ""
    cli("logs", "iris", "--replica", "iris-0", "--previous", code=3)
    cli("logs", "iris", "--tail", "5", "--since", "1h", code=2)
    cli("set", "iris", 'args=["--no-such-option"]', code=7)
    gone = cli.json("why", "iris")["findings"][1]["advice"][-1].split("penstock ")[1].split()
    assert "--no-such-option" in cli(*gone).stdout


def test_models_are_registered_verified_deployed_and_forgotten(cli):
    artifact = cli.gateway.folder / "model.json"
    artifact.write_bytes((CONF / "artifacts" / "iris-v1.json").read_bytes())
    said = cli("models", "register", "iris", "v1", "--artifact", "model.json",
               "--default", "instance_type=cpu.small")
    assert "registered, sha256" in said.stdout
    assert "as registered" in cli("models", "verify", "iris", "v1").stdout
    deployed = cli("models", "deploy", "iris", "v1", "--to", "staging", *QUICK, *SERVER)
    assert "✓ iris-staging: create done" in deployed.stdout
    assert "iris" in cli("models").stdout and "v1" in cli("models", "versions", "iris").stdout
    cli("models", "delete", "iris", "v1", code=4)
    artifact.write_text("{}")
    cli("models", "verify", "iris", "v1", code=8)
    cli("delete", "iris-staging", "--confirm", "iris-staging")
    cli("models", "delete", "iris", "v1")


def test_a_token_may_what_its_role_may(cli):
    made = cli("tokens", "create", "--role", "operator@staging", "--note", "on call")
    secret = {"PENSTOCK_TOKEN": made.stdout.strip()}
    assert "operator@staging" in cli("whoami", environment=secret).stdout
    cli.create()
    cli("scale", "iris", "2", environment=secret, code=5)
    identifier = made.stderr.split("token ")[1].split(":")[0]
    cli("tokens", "revoke", identifier)
    cli("whoami", environment=secret, code=5)
    assert "revoked" in cli("tokens").stdout


def test_everything_that_reads_speaks_json_and_tells_people(cli):
    cli.create()
    for words in (["list"], ["status", "iris"], ["status"], ["get", "iris"], ["get", "nodes"],
                  ["replicas", "iris"], ["revisions", "iris"], ["revisions", "iris", "1"],
                  ["operations"], ["events"], ["events", "iris"], ["models"], ["tokens"],
                  ["audit", "list"], ["nodes"], ["nodes", "--types"], ["whoami"], ["why", "iris"],
                  ["plan", "iris", "cpu=2"], ["services"], ["get", "services"]):
        assert cli.json(*words), words
        assert cli(*words).stdout.strip(), words
    assert "resources.memory" in cli("explain").stdout
    memory, = cli.json("explain", "memory")["fields"]
    assert memory["name"] == "resources.memory" and "--memory" in memory["flags"]
    assert len(cli.json("explain")["fields"]) > 30
    assert "live" in cli("explain", "max_replicas").stdout


def test_one_replica_is_drained_restarted_and_ejected(cli):
    cli.create(replicas=2)
    cli("replicas", "drain", "iris", "iris-0")
    assert re.search(r"iris-0 +drained", cli("replicas", "iris").stdout)
    cli("replicas", "undrain", "iris", "iris-0")
    cli("replicas", "restart", "iris", "iris-0")
    cli("replicas", "eject", "iris", "iris-1")
    cli("replicas", "drain", "iris", "iris-99", code=3)
    until(lambda: "2/2" in cli("list").stdout, "both replicas are back")


def test_gpus_that_the_file_declares_are_told_as_declared(start_gateway):
    gateway = start_gateway(whole=configuration(
        machine={"gpus": [{"type": "NVIDIA T4", "count": 2, "memory": "16GiB"}]}))
    [node] = gateway.admin.get("/v1/nodes")["nodes"]
    assert node["gpu_source"] == "declared" and len(node["gpus"]) == 2
    told = run("nodes", folder=gateway.folder,
               environment={"PENSTOCK_SERVER": f"http://{gateway.admin.address}"})
    assert "declared" in told.stdout, told.stdout


def test_every_change_can_be_tried_first(cli):
    cli.create()
    made = cli("tokens", "create", "--role", "viewer", "--dry-run")
    assert "would be made" in made.stdout and "keep this" not in made.stderr
    [own] = cli.json("tokens")["tokens"]
    cli("models", "register", "iris", "v9", "--dry-run")
    cli("models", "delete", "iris", "v1", "--dry-run", code=4)
    assert len(cli.json("models", "versions", "iris")["versions"]) == 1
    cli("configs", "set", "eu", "--environment", "staging", "A=b")
    assert "would be removed" in cli("configs", "delete", "eu", "--dry-run").stdout
    assert "eu" in cli("configs").stdout
    cli("tokens", "revoke", own["id"], "--dry-run", code=4)
    cli("tokens", "revoke", "nobody", "--dry-run", code=3)
    [service] = cli.json("services")["services"]
    [replica] = cli.json("replicas", "iris")["replicas"]
    address = replica["address"]
    assert "would be drained" in cli("drain", "iris", address, "--dry-run").stdout
    assert "would take" in cli("undrain", "iris", address, "--dry-run").stdout
    assert "would be r1=100" in cli("traffic", "iris", "r1=100", "--dry-run").stdout
    assert "would be back" in cli("traffic", "iris", "--clear", "--dry-run").stdout
    [done] = cli.json("operations")["operations"]
    assert "had ended" in cli("operations", "cancel", done["id"], "--dry-run").stdout
    [after] = cli.json("services")["services"]
    assert after["name"] == service["name"] and after.get("traffic") == service.get("traffic")
    assert [entry["action"] for entry in cli.json("audit", "list")["entries"]].count(
        "traffic.set") == 0


@pytest.mark.parametrize("name,more", [
    ("iris", []), ("flowers", []),
    # A server that has a name of its own, and no such model: something else can be tried.
    ("other", ["--", "penstock-model", "--name", "own", "--artifact", "{artifact}", "--listen",
               "{address}"])])
def test_the_example_that_is_printed_works_when_pasted(cli, name, more):
    made = cli("create", name, "--version", "v1", "--artifact",
               CONF / "artifacts" / "iris-v1.json", "--cpu", "1", "--memory", "512MiB", *QUICK,
               *(more or SERVER))
    [line] = [line for line in made.stdout.splitlines() if line.startswith("try ")]
    ended = paste(line.split(None, 1)[1])
    assert ended.returncode == 0, ended.stderr
    assert '"outputs"' in ended.stdout or (more and " 200 " in ended.stdout), ended.stdout
    told = cli.gateway.admin.get(f"/v1/deployments/{name}")["status"]["endpoint"]["curl"]
    assert " 200 " in paste(told).stdout


def paste(line):
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=30)


def test_a_type_of_gpu_is_the_same_in_the_plan_and_at_the_start(start_gateway):
    machine = {"gpus": [{"type": "NVIDIA T4", "count": 2, "memory": "16GiB"}]}
    gateway = start_gateway(whole=configuration(machine=machine))
    server = {"PENSTOCK_SERVER": f"http://{gateway.admin.address}"}
    made = run("create", "iris", "--version", "v1", "--artifact",
               CONF / "artifacts" / "iris-v1.json", "--replicas", "2", "--cpu", "1", "--memory",
               "512MiB", "--gpu", "1", "--gpu-type", "T4", *QUICK, *SERVER,
               folder=gateway.folder, environment=server)
    assert made.returncode == 0, made.stderr
    again = run("scale", "iris", "3", folder=gateway.folder, environment=server)
    assert again.returncode in (2, 8) and "0 of that kind free" in again.stderr, again.stderr
