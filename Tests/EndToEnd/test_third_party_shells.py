# The completion scripts in the shells they are for: fish is asked what it would offer, zsh is typed
# into at a terminal. What is offered comes from the program; here it is the script that counts.

import os
import pty
import select
import shutil
import subprocess
import time

import pytest

from harness.configuration import configuration
from harness.deployments import Deployment, iris
from harness.gateway import binary, run
from harness.waiting import PATIENCE


@pytest.fixture
def place(start_gateway, tmp_path):
    """A folder with files to complete, and what a shell must know to find program and gateway."""
    gateway = start_gateway(whole=configuration())
    Deployment(gateway, "iris").create(iris(replicas=1))
    (tmp_path / "penstock.yaml").write_text("")
    own = os.path.dirname(binary("penstock"))
    token = (gateway.state / "admin.token").read_text().strip()
    return tmp_path, {
        "PATH": f"{own}:/usr/bin:/bin", "HOME": str(tmp_path), "TERM": "dumb", "LANG": "C.UTF-8",
        "PENSTOCK_SERVER": f"http://{gateway.admin.address}", "PENSTOCK_TOKEN": token}


def shell(name):
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed; scripts/deps e2e does it")
    return found


# The word at the end of a line, and what it becomes where there is one way on.
LINES = [
    ("penstock sca", "scale"), ("penstock tokens cr", "create"), ("penstock scale ir", "iris"),
    ("penstock set iris --mem", "--memory"), ("penstock check --con", "--config"),
    ("penstock set iris strategy.type=", "strategy.type=rolling"),
    ("penstock set iris owner=me resources.mem", "resources.memory="),
    ("penstock check --config pen", "penstock.yaml"),
]


def test_fish_offers_what_the_program_says_and_files_else(place):
    fish, (folder, environment) = shell("fish"), place
    script = folder / "words.fish"
    script.write_text(run("completion", "fish").stdout)
    for line, word in LINES:
        ended = subprocess.run(
            [fish, "--no-config", "-c", f"source {script}; complete -C '{line}'"],
            capture_output=True, text=True, timeout=60, cwd=folder, env=environment)
        assert ended.stderr == "", (line, ended.stderr)
        offered = [text.split("\t")[0] for text in ended.stdout.splitlines()]
        assert offered == [word], line


class Terminal:
    """A shell at a terminal of its own: what is typed, and what is shown."""

    def __init__(self, command, folder, environment):
        self.process, self.descriptor = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execve(command[0], command, environment)

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def read_until(self, text):
        shown, deadline = "", time.monotonic() + 2 * PATIENCE
        while text not in shown:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.descriptor], [], [], left)[0], (text, shown)
            shown += os.read(self.descriptor, 65536).decode(errors="replace")

    def close(self):
        os.kill(self.process, 9)
        os.waitpid(self.process, 0)
        os.close(self.descriptor)


@pytest.mark.parametrize("way", ["from fpath", "sourced"])
def test_zsh_completes_what_the_program_says_and_files_else(place, way):
    zsh, (folder, environment) = shell("zsh"), place
    (folder / "_penstock").write_text(run("completion", "zsh").stdout)
    terminal = Terminal([zsh, "-f", "-i"], folder, environment)
    try:
        own = f"fpath=({folder} $fpath)" if way == "from fpath" else "true"
        sourced = "true" if way == "from fpath" else f"source {folder}/_penstock"
        terminal.type(
            f"unset zle_bracketed_paste; {own}; autoload -U compinit; compinit -u -D; {sourced};"
            " stty -echo; PS1=; echo REA''DY\n")
        terminal.read_until("READY")
        for line, word in LINES:
            # The line as it stands is printed, not run.
            terminal.type(line + "\t\x01echo 'LINE:' \x05 ':END'\n")
            terminal.read_until(f"LINE: {line[:line.rindex(' ')]} {word}")
    finally:
        terminal.close()
