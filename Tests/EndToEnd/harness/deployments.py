# One deployment behind the admin port: what is done to it, and what is told of it. Each change is
# waited for, as `Prefer: wait` does.

import pathlib

from harness.waiting import until

CONF = pathlib.Path(__file__).parents[3] / "conf"
FLOWER = {"inputs": [{"name": "features", "shape": [1, 4], "datatype": "FP32",
                      "data": [5.1, 3.5, 1.4, 0.2]}]}


def iris(name="iris", replicas=2, **more):
    """The reference model, quick to replace."""
    return {
        "name": name, "model": "iris", "version": "v1", "replicas": replicas,
        "command": ["penstock-model", "--artifact", "{artifact}", "--listen", "{address}"],
        "artifact": str(CONF / "artifacts" / "iris-v1.json"),
        "resources": {"cpu": 1, "memory": "512MiB"},
        "load_balancer": {"health_check_interval": "100ms"},
        "strategy": {"type": "rolling", "min_healthy_seconds": 0}, **more}


class Deployment:
    def __init__(self, gateway, name):
        self.gateway = gateway
        self.name = name
        self.path = f"/v1/deployments/{name}"

    # --- telling ----------------------------------------------------------------------------

    @property
    def view(self):
        return self.gateway.admin.get(self.path)

    @property
    def ready(self):
        return self.view["status"]["replicas"]["ready"]

    @property
    def replicas(self):
        found = self.gateway.admin.get(f"{self.path}/replicas")["replicas"]
        return [replica for replica in found if replica["state"] != "exited"]

    @property
    def replica_names(self):
        return [replica["name"] for replica in self.replicas]

    # --- changing ---------------------------------------------------------------------------

    def create(self, document, succeeds=True):
        return self._change("POST", "/v1/deployments", document, succeeds)

    def patch(self, document, succeeds=True):
        return self._change("PATCH", self.path, document, succeeds)

    def act(self, verb, document=None, succeeds=True):
        return self._change("POST", f"{self.path}:{verb}", document or {}, succeeds)

    def delete(self, succeeds=True):
        return self._change("DELETE", self.path, None, succeeds)

    def _change(self, method, path, document, succeeds):
        """The operation once it is done; None when there was nothing to wait for."""
        answer = self.gateway.admin.send(
            method, path, document, headers={
                "Content-Type": "application/json", "Prefer": "wait=30", "If-Match": "*"})
        assert answer.status in (200, 201, 202), f"{method} {path}: {answer.status} {answer.text}"
        if answer.json().get("kind") != "operation":
            return None
        operation = answer.json()
        if not operation["done"]:
            identifier = operation["id"]
            operation = until(lambda: self._done(identifier), f"{identifier} ends", 60)
        if succeeds is not None:
            assert (operation["state"] == "succeeded") == succeeds, operation
        return operation

    def _done(self, identifier):
        operation = self.gateway.admin.get(f"/v1/operations/{identifier}")
        return operation if operation["done"] else None
