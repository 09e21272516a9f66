# The contract of the admin port, held against it by tools that nobody here wrote.

import json
import pathlib
import re
import subprocess
import sys

import pytest

from harness.configuration import configuration

CONF = pathlib.Path(__file__).parents[2] / "conf"
BIN = pathlib.Path(sys.executable).parent
VERSION = {
    "version": "v1", "artifact": str(CONF / "artifacts" / "iris-v1.json"),
    "defaults": {"instance_type": "cpu.small", "command": [
        "penstock-model", "--artifact", "{artifact}", "--listen", "{address}"]}}

# Beyond what schemas can say there are rules between fields, signed page tokens, versions that must
# exist and capacity that must be free: a request may be valid and refused all the same.
SETTINGS = """\
[parameters]
"path.name" = "iris"
"path.model" = "iris"
"path.version" = "v1"
"path.replica" = "iris-0"
"path.number" = "1"
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 409, 410, 412, 422]
negative_data_rejection.expected-statuses = [
  400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 421, 422, 428]
missing_required_header.expected-statuses = [400, 401, 403, 404, 428]
"""


@pytest.fixture
def served(start_gateway):
    gateway = start_gateway(whole=configuration())
    made = gateway.admin.send("POST", "/v1/models/iris/versions", VERSION)
    assert made.status == 201, made.text
    begun = gateway.admin.send("POST", "/v1/deployments", {
        "name": "iris", "model": "iris", "version": "v1", **VERSION["defaults"]})
    assert begun.status == 202, begun.text
    return gateway


def test_the_document_is_openapi(served, folder):
    document = folder / "openapi.json"
    document.write_text(json.dumps(served.admin.get("/openapi.json")))
    ended = subprocess.run([BIN / "openapi-spec-validator", document], capture_output=True,
                           text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_no_request_breaks_the_contract_or_the_gateway(served, folder):
    (folder / "schemathesis.toml").write_text(SETTINGS)
    ended = subprocess.run([
        BIN / "schemathesis", "--config-file", folder / "schemathesis.toml", "run",
        f"http://{served.admin.address}/openapi.json",
        "--header", f"Authorization: Bearer {served.admin.token}",
        "--exclude-path", "/v1/watch", "--max-examples", "15", "--continue-on-failure",
        "--seed", "7", "--no-color"], capture_output=True, text=True, timeout=900, cwd=folder)
    assert ended.returncode == 0, ended.stdout[-8000:]
    counts = re.search(r"Selected: +(\d+)/(\d+)\s+Tested: +(\d+)", ended.stdout)
    assert counts, ended.stdout[-2000:]
    selected, whole, tested = map(int, counts.groups())
    # All but the watch, which never ends.
    assert tested == selected == whole - 1, counts[0]
