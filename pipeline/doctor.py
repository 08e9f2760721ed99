# SPDX-License-Identifier: Apache-2.0
"""What this machine has, and what is missing for which road.

python -m pipeline.doctor
"""

from __future__ import annotations

import os
import platform
import shutil
import sys

from dimmer.errors import DimmerError
from dimmer.pipeline.core.command import console, main_of
from dimmer.pipeline.core.debian import missing_tools
from dimmer.pipeline.core.extras import EXTRAS, missing_distributions, missing_packages
from dimmer.project import project
from dimmer.targets import load_target, target_names
from dimmer.targets.timing.trace import host_compiler
from dimmer.version import dimmer_version


def main() -> None:
    """Say what this machine has and lacks, and what to type."""
    from rich.table import Table

    found = project()
    table = Table("what", "found", "to do", show_lines=False)
    table.add_row("dimmer", dimmer_version(), "")
    table.add_row("Python", f"{platform.python_version()}, {sys.executable}", "")
    host = f"{platform.system()} on {platform.machine()}, {os.cpu_count()} processors"
    known = platform.system() == "Linux" and platform.machine() in ("x86_64", "aarch64")
    table.add_row("host", host, "" if known else "use Linux on x86-64 or aarch64, in a container or WSL")
    table.add_row("project", str(found.folder or "none"), "" if found.folder else "dimmer init")
    place = next(path for path in (found.build, *found.build.parents) if path.exists())
    free = shutil.disk_usage(place).free >> 20
    writable = (
        "" if os.access(place, os.W_OK) else f"cannot be written: give it another with --build-dir, or chmod {place}"
    )
    table.add_row("builds", f"{found.build}, {free:,} MiB free", writable)
    for extra, road in EXTRAS.items():
        missing = missing_distributions(extra)
        advice = f"pip install 'dimmer-nn[{extra}]'" if extra else "pip install dimmer-nn"
        table.add_row(road, "missing: " + ", ".join(missing) if missing else "all packages", advice if missing else "")
    table.add_row("GPU", "an NVIDIA driver" if os.path.exists("/dev/nvidiactl") else "none", "")
    table.add_row(
        "ccache", shutil.which("ccache") or "none", "" if shutil.which("ccache") else "sudo apt-get install ccache"
    )
    compiler = host_compiler()
    advice = "" if compiler else "sudo apt-get install gcc; without it no cycles are modelled"
    table.add_row("own compiler", compiler or "none", advice)
    for name in target_names():
        try:
            target = load_target(name)
        except DimmerError as error:
            table.add_row(name, "broken", str(error))
            continue
        packages = sorted(set(missing_tools(target.tools).values()))
        cores = missing_packages(target.distributions)
        extra = target.extra
        lacking = ", ".join((*packages, *cores))
        advice = "; ".join(filter(None, (_apt(packages), f"pip install 'dimmer-nn[{extra}]'" if cores else "")))
        table.add_row(name, f"missing: {lacking}" if lacking else "all tools", advice)
    console().print(table)


def _apt(packages: list[str]) -> str:
    return f"sudo apt-get install --no-install-recommends {' '.join(packages)}" if packages else ""


if __name__ == "__main__":
    main_of(main)
