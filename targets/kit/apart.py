# SPDX-License-Identifier: Apache-2.0
"""Where a target's files may lie: what is in their folders is part of every key, so no builds may be there."""

from __future__ import annotations

from pathlib import Path

from dimmer.project import FILE as PROJECT
from dimmer.project import project
from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.toolchain import Toolchain


def check_apart(file: Path, toolchain: Toolchain) -> None:
    """That neither a target's folder nor one of its sources' holds a whole project, or builds.

    Raises:
        TargetError: one does.
    """
    builds = project().build.resolve()
    script = () if toolchain.linker_script is None else (toolchain.linker_script,)
    for named in (file, *toolchain.sources, *script):
        place = named.parent
        if (place / PROJECT).is_file() or builds.is_relative_to(place):
            raise TargetError(
                f"{named} lies in {place} beside a project or its builds, and all that lies beside it is the target's: "
                "move it into a folder of its own, such as targets/<name>"
            )
