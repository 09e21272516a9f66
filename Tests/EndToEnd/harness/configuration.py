# Configurations as plain maps. JSON is YAML, so they are written as JSON; stories about the
# spelling of YAML bring text of their own.

import json


def endpoint_of(thing):
    """An origin, an address, or the map of an endpoint."""
    if isinstance(thing, (str, dict)):
        return thing
    return thing.address


def revision(name, weight, *endpoints):
    return {"name": name, "weight": weight, "endpoints": [endpoint_of(e) for e in endpoints]}


def service(*endpoints, name="echo", routes=None, revisions=None, **more):
    """A service at / with one revision over the given origins, unless said otherwise."""
    return {
        "name": name,
        "routes": routes or [{"path": "/"}],
        "revisions": revisions or [
            {"name": "stable", "endpoints": [endpoint_of(e) for e in endpoints]}],
        **more,
    }


def configuration(*services, gateway=None, **more):
    """Ephemeral ports, two workers and short graces, unless said otherwise."""
    merged = {"listeners": [{"address": "127.0.0.1:0"}], "workers": 2, **(gateway or {})}
    merged["timeouts"] = {"drain": "5s", **merged.get("timeouts", {})}
    return {"gateway": merged, "admin": {"listen": "127.0.0.1:0"}, "state": "state",
            "log": {"level": "info", "format": "json"}, "services": list(services), **more}


def as_text(value):
    return value if isinstance(value, str) else json.dumps(value, indent=1)


def fast_health(kind="http", **more):
    """Checks quick enough to wait for."""
    return {"type": kind, "interval": "50ms", "timeout": "1s", "rise": 2, "fall": 3, **more}
