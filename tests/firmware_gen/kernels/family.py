# SPDX-License-Identifier: Apache-2.0
"""What the tests of every instruction set's kernels ask."""

from __future__ import annotations

from types import ModuleType

from dimmer.firmware_gen.kernels import portable
from dimmer.firmware_gen.kernels.record import Kernel
from dimmer.firmware_gen.variants import VARIANTS


def described(module: ModuleType) -> set[Kernel]:
    """The kernels that a module describes, those that it imports left out."""
    found = {value for value in vars(module).values() if isinstance(value, Kernel)}
    return found if module is portable else found - set(portable.KERNELS)


def settings(kernel: Kernel) -> set[str]:
    """Fields that a variant sets by itself, as the kernel that it replaces does not have them.

    A QUANTIZE that is not there is one of zeros.
    """
    uses = [variant for variant in VARIANTS if variant.kernel is kernel]
    assert uses, f"no variant runs {kernel.name}"
    own = {item.name for item in kernel.fields if not item.reserved and not item.name.startswith("entry_")}
    return set().union(*(own - {item.name for item in use.replaces.fields} for use in uses))
