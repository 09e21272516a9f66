# What keeps a gateway from starting, and what it says then; and what a start leaves behind.

import os
import resource
import socket
import stat

import pytest

from harness.configuration import configuration, service
from harness.gateway import run
from harness.waiting import until

pytestmark = pytest.mark.core


def refusal(gateway):
    """The exit code and everything it said."""
    code = gateway.wait(30)
    return code, "\n".join(gateway.log.complete() + gateway.output.complete())


def test_a_start_tells_where_everything_is(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(), routes=[{"path": "/echo"}]))
    text = "\n".join(gateway.output.all)
    assert f"gateway    http://{gateway.address}" in text
    assert f"admin      http://{gateway.admin.address}" in text and "admin.token" in text
    example = next(line for line in gateway.output.all if line.startswith("curl "))
    assert example.endswith(f"http://{gateway.address}/echo")
    assert (gateway.state / "penstock.pid").read_text().strip() == str(gateway.pid)


def test_a_state_directory_is_private(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()))

    def mode(path):
        return stat.S_IMODE(os.stat(path).st_mode)
    assert mode(gateway.state) == 0o700
    for name in ("admin.token", "sticky.key"):
        assert mode(gateway.state / name) == 0o600, name


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "sharing"])
def test_a_port_that_another_process_holds_is_an_error(start_origin, start_gateway, shared):
    holder = socket.socket()
    if shared:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind(("127.0.0.1", 0))
    holder.listen()
    address = "127.0.0.1:%d" % holder.getsockname()[1]
    gateway = start_gateway(service(start_origin()), launch_only=True,
                            gateway={"listeners": [{"address": address}]})
    code, said = refusal(gateway)
    assert code == 1 and address in said and "in use" in said
    holder.close()


def test_two_gateways_cannot_share_a_port(start_origin, start_gateway):
    first = start_gateway(service(start_origin()))
    second = start_gateway(service(start_origin()), launch_only=True,
                           gateway={"listeners": [{"address": first.address}]})
    code, said = refusal(second)
    assert code == 1 and first.address in said
    assert first.get().status == 200


def test_a_unix_listener_replaces_a_stale_socket_but_not_a_live_one(
        start_origin, start_gateway, folder):
    path = folder / "l.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    listeners = {"listeners": [{"address": f"unix:{path}"}]}
    first = start_gateway(service(start_origin()), gateway=listeners)
    assert first.get().status == 200
    second = start_gateway(service(start_origin()), launch_only=True, gateway=listeners)
    assert refusal(second)[0] == 1
    assert first.get().status == 200


def test_a_state_directory_has_one_gateway(start_origin, start_gateway):
    first = start_gateway(service(start_origin()))
    second = start_gateway(whole={**configuration(service(start_origin())),
                                  "state": str(first.state)}, launch_only=True)
    code, said = refusal(second)
    assert code == 1 and str(first.pid) in said and "another Penstock" in said
    assert first.get().status == 200


def test_a_crash_leaves_nothing_that_hinders_the_next_start(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()))
    gateway.admin.drain("echo", next(iter(gateway.admin.endpoints())))
    gateway.kill()
    gateway.start()
    assert next(iter(gateway.admin.endpoints().values()))["drained"] is True


def test_a_damaged_database_is_named(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()))
    gateway.settle()
    gateway.stop()
    for name in ("penstock.db-wal", "penstock.db-shm"):
        (gateway.state / name).unlink(missing_ok=True)
    (gateway.state / "penstock.db").write_bytes(b"not a database at all" * 1000)
    gateway.launch()
    code, said = refusal(gateway)
    assert code == 1 and "penstock.db" in said and "damaged" in said


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0"])
def test_an_admin_port_beyond_loopback_needs_tls(start_origin, start_gateway, listen):
    gateway = start_gateway(service(start_origin()), launch_only=True,
                            more={"admin": {"listen": listen}})
    code, said = refusal(gateway)
    assert code == 1 and "tls" in said.lower() and "admin" in said


def test_an_admin_port_in_use_is_an_error_and_nothing_is_left(start_origin, start_gateway):
    holder = socket.create_server(("127.0.0.1", 0))
    gateway = start_gateway(service(start_origin()), launch_only=True, more={
        "admin": {"listen": "127.0.0.1:%d" % holder.getsockname()[1]}})
    code, said = refusal(gateway)
    assert code == 1 and "in use" in said.lower()
    assert not (gateway.state / "penstock.pid").exists()
    holder.close()


@pytest.mark.parametrize("text,says", [
    ("", "empty"), ("# nothing\n", "empty"), ("hello", "map"), ("a: b: c", "YAML"),
    ("\ttabs: true", "tab"), ("services: 7", "services"), ("gateway: { workers: 0 }", "1 to 256")])
def test_a_file_that_is_no_configuration_is_refused(start_gateway, text, says):
    gateway = start_gateway(whole=text, launch_only=True)
    code, said = refusal(gateway)
    assert code == 1 and says in said, said


def test_a_configuration_without_services_answers_no_route(start_gateway):
    gateway = start_gateway()
    assert gateway.get().error == "no_route"


def test_a_low_descriptor_limit_lowers_connections_with_a_warning(start_origin, start_gateway):
    gateway = start_gateway(
        service(start_origin()),
        preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400)))
    assert gateway.events("gateway.limits.connections lowered to what the descriptor limit allows")
    assert gateway.get().status == 200


def test_the_soft_descriptor_limit_is_raised(start_origin, start_gateway):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    gateway = start_gateway(
        service(start_origin()),
        preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard)))
    with open(f"/proc/{gateway.pid}/limits") as limits:
        line = next(line for line in limits if line.startswith("Max open files"))
    soft = line.split()[3]
    assert soft == line.split()[4] and soft != "256"


def test_a_missing_configuration_says_what_to_do(folder):
    ended = run("serve", folder=folder)
    assert ended.returncode == 1 and "--config" in ended.stderr
    ended = run("serve", "--config", "nowhere.yaml", folder=folder)
    assert ended.returncode == 1 and "nowhere.yaml" in ended.stderr


def test_a_state_whose_path_is_long_leaves_nothing_elsewhere(start_origin, start_gateway, folder):
    deep = folder / ("x" * 100)
    gateway = start_gateway(
        service(start_origin()), arguments=["--state", str(deep)],
        environment={"TMPDIR": str(folder)})
    gateway.state = deep
    [door] = folder.glob("penstock-????????/.proof.sock")
    gateway.stop()
    assert not door.parent.exists()


def test_the_state_option_overrides_the_file(start_origin, start_gateway, folder):
    other = folder / "elsewhere"
    gateway = start_gateway(service(start_origin()), arguments=["--state", str(other)])
    until(lambda: (other / "penstock.pid").exists(), "the state is elsewhere")
    assert not gateway.state.exists()
    gateway.state = other
