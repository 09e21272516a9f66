# `penstock apply` and the shell's completion: files made so, and words offered at the cursor.

import json
import os
import re
import subprocess

import pytest

from harness.configuration import configuration
from harness.deployments import Deployment, iris
from harness.gateway import binary, run

pytestmark = pytest.mark.core


@pytest.fixture
def cli(start_gateway):
    gateway = start_gateway(whole=configuration())
    server = {"PENSTOCK_SERVER": f"http://{gateway.admin.address}"}

    def verb(*words, code=0):
        ended = run(*words, folder=gateway.folder, environment=server)
        assert ended.returncode == code, (words, ended.returncode, ended.stdout, ended.stderr)
        return ended

    verb.gateway = gateway
    verb.environment = server
    return verb


def write(folder, name, *documents):
    file = folder / name
    file.write_text("\n---\n".join(json.dumps(document) for document in documents))
    return file


def test_files_are_made_so_and_again_nothing_happens(cli, folder):
    file = write(folder, "two.yaml", iris(replicas=1), iris("rose", replicas=1, model="rose"))
    dry = cli("apply", "-f", file, "--dry-run").stdout
    assert "iris: create" in dry and "rose: create" in dry
    assert cli("list").stdout.startswith("no deployments")
    done = cli("apply", "-f", file).stdout
    assert done.count("✓") == 2
    again = cli("apply", "-f", file).stdout
    assert again.splitlines() == ["iris: unchanged", "rose: unchanged"]


def test_it_works_three_ways(cli, folder):
    file = write(folder, "iris.yaml", iris(replicas=1, description="of the file"))
    cli("apply", "-f", file)
    cli("set", "iris", "owner=by hand", "description=by hand")
    write(folder, "iris.yaml", iris(replicas=2, description="of the file"))
    dry = cli("apply", "-f", file, "--dry-run").stdout
    assert "min_replicas: 1 → 2" in dry and "owner" not in dry and "description" not in dry
    cli("apply", "-f", file)
    assert cli("get", "iris", "owner").stdout.strip() == "by hand"
    assert cli("get", "iris", "description").stdout.strip() == "by hand"
    assert Deployment(cli.gateway, "iris").ready == 2


def test_nothing_is_done_unless_all_can_be_done(cli, folder):
    file = write(folder, "two.yaml", iris(replicas=1),
                 iris("rose", model="rose", command=["no-such-program", "{address}"]))
    ended = cli("apply", "-f", file, code=2)
    assert "rose: " in ended.stderr and "nothing was applied" in ended.stderr
    assert cli("list").stdout.startswith("no deployments")
    file.write_text("name: iris\nverison: v1\n")
    ended = cli("apply", "-f", file, code=2)
    assert "two.yaml:2:1" in ended.stderr and "did you mean 'version'?" in ended.stderr
    cli("apply", "-f", folder / "none.yaml", code=3)


def test_what_has_room_one_by_one_only_is_refused_as_a_whole(start_gateway, folder):
    host = {"gpus": [{"type": "NVIDIA T4", "count": 2}]}
    gateway = start_gateway(whole=configuration(machine=host))
    wants = {"cpu": 0.1, "memory": "64MiB", "gpu": 2, "gpu_type": "T4"}
    file = write(folder, "two.yaml", iris(replicas=1, resources=wants),
                 iris("rose", replicas=1, model="rose", resources=wants))
    ended = run("apply", "-f", file, folder=gateway.folder,
                environment={"PENSTOCK_SERVER": f"http://{gateway.admin.address}"})
    assert ended.returncode == 8, ended
    assert "together they want 4 × T4; 2 are free" in ended.stderr
    assert "nothing was applied" in ended.stderr


def test_prune_deletes_what_this_source_names_no_more(cli, folder):
    place = folder / "deployments"
    place.mkdir()
    write(place, "a.yaml", iris(replicas=1))
    write(place, "b.yaml", iris("rose", replicas=1, model="rose"))
    cli("apply", "-f", place)
    other = write(folder, "other.yaml", iris("lily", replicas=1, model="lily"))
    cli("apply", "-f", other, "--source", "other")
    refused = cli("apply", "-f", other, code=4)
    assert "applied from 'other'" in refused.stderr and "--take-over" in refused.stderr
    (place / "b.yaml").unlink()
    assert "rose: delete" in cli("apply", "-f", place, "--prune", "--dry-run").stdout
    cli("apply", "-f", place, "--prune")
    names = re.findall(r"^(\w+) +healthy", cli("list").stdout, re.M)
    assert names == ["iris", "lily"]


def test_files_that_name_nothing_prune_only_when_it_is_meant(cli, folder):
    place = folder / "deployments"
    place.mkdir()
    write(place, "a.yaml", iris(replicas=1))
    cli("apply", "-f", place)
    (place / "a.yaml").unlink()
    refused = cli("apply", "-f", place, "--prune", code=2)
    assert "delete all" in refused.stderr and "--confirm apply" in refused.stderr
    assert "iris: delete" in cli("apply", "-f", place, "--prune", "--dry-run").stdout
    assert "iris" in cli("list").stdout
    cli("apply", "-f", place, "--prune", "--confirm", "apply")
    assert cli("list").stdout.startswith("no deployments")


def test_what_the_configuration_drops_is_pruned_by_it(cli, folder):
    gateway = cli.gateway
    assert gateway.reload({**gateway.configuration, "deployments": [iris(replicas=1)]})
    refused = cli("apply", "-f", write(folder, "iris.yaml", iris(replicas=1)), code=4)
    assert "gateway's configuration" in refused.stderr
    assert gateway.reload({**gateway.configuration, "deployments": []})
    said = cli("apply", "-f", gateway.file, "--prune")
    assert "✓ iris: delete done" in said.stdout and "gateway" in said.stderr


def test_what_is_shown_can_be_applied(cli, folder):
    cli("apply", "-f", write(folder, "iris.yaml", iris(replicas=1, env={"A": "1"})))
    shown = cli("get", "iris").stdout
    ended = subprocess.run(
        [binary("penstock"), "apply", "-f", "-", "--dry-run"], input=shown, text=True,
        capture_output=True, timeout=30, cwd=cli.gateway.folder,
        env={**os.environ, **cli.environment})
    assert ended.returncode == 0 and ended.stdout.strip() == "iris: unchanged", ended


def test_the_shell_is_offered_words_fields_and_names(cli, folder):
    cli("apply", "-f", write(folder, "iris.yaml", iris(replicas=1)))
    script = folder / "completion.bash"
    script.write_text(cli("completion", "bash").stdout)
    for shell in ("zsh", "fish"):
        assert "complete-words" in cli("completion", shell).stdout

    def offered(line):
        asked = f"""
            source {script}
            COMP_LINE={json.dumps(line)}; COMP_POINT=${{#COMP_LINE}}
            compopt() {{ :; }}
            _penstock
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        place = binary("penstock").rsplit("/", 1)[0]
        ended = subprocess.run(
            ["bash", "-c", asked], capture_output=True, text=True, timeout=30,
            cwd=cli.gateway.folder, env={"PATH": f"{place}:/usr/bin:/bin", **cli.environment})
        return ended.stdout.split()

    assert offered("penstock sca") == ["scale"]
    assert offered("penstock scale ") == ["iris"]
    assert offered("penstock scale iris --on-conflict s") == ["supersede"]
    assert offered("penstock set iris --mem") == ["--memory"]
    assert offered("penstock set iris resources.mem") == ["resources.memory="]
    assert offered("penstock set iris strategy.type=") == ["rolling"]
    assert "wait" in offered("penstock operations ")
