# Where Penstock's own time goes under load: the share of the Swift runtime, which careful code does
# not call for a request. Samples of perf by library; without perf nothing can be told.

import re
import shutil
import subprocess
import time

from .closed_loop import SCENARIOS, drive
from .process import pinned
from .report import Goal, Section, table

GOAL = 1.0


def shares(rig, peer, seconds):
    """Per cent of the CPU samples by library; None where perf does not work."""
    data = rig.folder / "perf.data"
    recorder = subprocess.Popen(
        pinned(["perf", "record", "-q", "-e", "cpu-clock", "-F", "1999", "-o", str(data),
                "-p", str(peer.process.pid)], None),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    drive(rig, SCENARIOS["small"], peer, seconds, rig.load_cores)
    recorder.terminate()
    recorder.wait()
    report = subprocess.run(["perf", "report", "-i", str(data), "--sort", "dso", "--stdio", "-q"],
                            capture_output=True, text=True)
    found = re.findall(r"^\s*([\d.]+)%\s+(\S+)", report.stdout, re.MULTILINE)
    return {library: float(share) for share, library in found} or None


def run(rig, options, name):
    found = shares(rig, rig.peer("penstock"), options.seconds) if shutil.which("perf") else None
    if not found:
        note = "not measurable here: perf takes no samples"
        return Section("hot-path: where the time goes", [note], {},
                       [Goal(name, "samples in libswiftCore", GOAL, None, unit=" %", note=note)])
    core = sum(share for library, share in found.items() if "libswiftCore" in library)
    rows = [[library, f"{share:.2f} %"] for library, share in found.items() if share >= 0.01]
    lines = ["Small requests; CPU samples by library.", "", *table(["library", "share"], rows)]
    return Section("hot-path: where the time goes", lines, found,
                   [Goal(name, "samples in libswiftCore", GOAL, core, unit=" %")])
