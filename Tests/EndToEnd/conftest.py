# Fixtures of all stories. Each makes things and takes them away again: at the end of a story no
# process, no thread that listens, and no count in flight is left.

import pathlib
import shutil
import signal
import tempfile

import pytest

from harness.certificates import make_authority, make_certificate
from harness.configuration import configuration
from harness.deployments import Deployment, iris
from harness.gateway import Gateway, binary, run
from harness.http2 import StreamOrigin
from harness.origin import Origin


def pytest_sessionstart(session):
    # A shell ignores it for jobs in the background, and programs would inherit that.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Without binaries every story would fail; say it once, clearly.
    if not session.config.option.collectonly:
        for name in ("penstock", "penstock-model"):
            try:
                binary(name)
            except RuntimeError as fault:
                raise pytest.UsageError(str(fault)) from None


@pytest.fixture
def folder():
    """A folder with a short path: unix sockets have 108 bytes."""
    made = pathlib.Path(tempfile.mkdtemp(prefix="penstock-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def start_origin():
    """Starts scripted origins; at the end, whatever went wrong inside one fails the story."""
    started = []

    def start(script=None, **options):
        options.setdefault("name", f"origin-{len(started)}")
        kind = StreamOrigin if options.pop("http2", False) else Origin
        origin = kind(**options, **({"script": script} if script else {}))
        started.append(origin)
        return origin

    yield start
    for origin in started:
        origin.stop()
    faults = [fault for origin in started for fault in origin.faults]
    assert not faults, faults


@pytest.fixture
def authority(folder):
    return make_authority(folder, "authority")


@pytest.fixture
def server(folder, authority):
    return make_certificate(folder, "test.local", authority)


@pytest.fixture
def start_gateway(folder):
    """Starts gateways from services or from a whole configuration."""
    started = []

    def start(*services, whole=None, launch_only=False, gateway=None, more=None, **options):
        number = len(started)
        place = folder / f"gateway-{number}" if number else folder
        place.mkdir(exist_ok=True)
        value = whole if whole is not None else configuration(
            *services, gateway=gateway, **(more or {}))
        made = Gateway(place, value, **options)
        started.append(made)
        return made.launch() if launch_only else made.start()

    yield start
    problems = []
    for made in reversed(started):
        try:
            made.finish()
        except AssertionError as problem:
            problems.append(problem)
    if problems:
        raise problems[0]


@pytest.fixture
def served(start_gateway):
    """A gateway with a deployment of one replica, and the verbs that talk to it."""
    gateway = start_gateway(whole=configuration())
    gateway.deployment = Deployment(gateway, "iris")
    gateway.deployment.create(iris(replicas=1))
    gateway.server = {"PENSTOCK_SERVER": f"http://{gateway.admin.address}"}
    gateway.verb = lambda *words: run(
        *words, folder=gateway.folder, environment=gateway.server)
    return gateway
