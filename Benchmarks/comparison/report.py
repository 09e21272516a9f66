# What the modules answer with, and how it is written down: goals with their verdicts first, then a
# section for each question; the same as JSON.

import json
import os
import pathlib
import platform
import re


class Goal:
    """A ratio with its limit. Without a measured value the note says why."""

    def __init__(self, scenario, subject, limit, measured, at_least=False, unit="", note=""):
        self.scenario, self.subject, self.limit = scenario, subject, limit
        self.measured, self.at_least, self.unit = measured, at_least, unit
        self.note = note

    @property
    def verdict(self):
        if self.measured is None:
            return self.note or "not measured"
        is_met = (self.measured >= self.limit if self.at_least else self.measured <= self.limit)
        return "met" if is_met else "MISSED"

    def row(self):
        sign = ">=" if self.at_least else "<="
        shown = "-" if self.measured is None else f"{self.measured:.2f}{self.unit}"
        return (f"| {self.scenario} | {self.subject} | {sign} {self.limit:.2f}{self.unit} "
                f"| {shown} | {self.verdict} |")

    def data(self):
        return {"scenario": self.scenario, "subject": self.subject, "limit": self.limit,
                "at_least": self.at_least, "measured": self.measured, "verdict": self.verdict}


class Section:
    def __init__(self, title, lines, data, goals=()):
        self.title, self.lines, self.data, self.goals = title, lines, data, list(goals)


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|---" * len(head) + "|",
            *("| " + " | ".join(row) + " |" for row in rows)]


def machine():
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.+)", cpuinfo)
    kind = "virtual machine" if "hypervisor" in cpuinfo else "physical machine"
    return (f"{kind}, {os.cpu_count()} cores ({model.group(1) if model else platform.machine()}), "
            f"{int(memory.group(1)) // 2**20 + 1} GiB, Linux {os.uname().release.split('-')[0]}")


def as_markdown(sections, rig, options, busy):
    lines = [f"Machine: {machine()}.",
             f"Rounds: {options.rounds} of {options.seconds} s each, interleaved; medians, and "
             "ratios as medians of the rounds' ratios.",
             f"Others kept {busy:.1f} cores of the machine busy before the run began"
             + (", but had to give way to it." if options.has_priority else "."), ""]
    lines += table(["scenario", "what", "goal", "measured", ""], [])
    for section in sections.values():
        lines += [goal.row() for goal in section.goals]
    if rig.voided:
        lines += ["", "No figure, since answers were wrong:"]
        lines += [f"- {reason}" for reason in rig.voided]
    for section in sections.values():
        lines += ["", f"## {section.title}", "", *section.lines]
    return "\n".join(lines) + "\n"


def as_json(sections, rig, options, busy):
    return json.dumps({
        "machine": machine(), "rounds": options.rounds, "seconds": options.seconds,
        "busy_cores_before": round(busy, 1),
        "goals": [goal.data() for section in sections.values() for goal in section.goals],
        "voided": rig.voided,
        "results": {name: section.data for name, section in sections.items()},
    }, indent=2) + "\n"
