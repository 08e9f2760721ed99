# SPDX-License-Identifier: Apache-2.0
"""Wheels that are fetched for what is in them, and not installed: pip fetches one, and its sha256 is compared with the
one that stands here before it is opened.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from dimmer import children
from dimmer.errors import DimmerError

SHA256 = {
    "apache_tvm-0.27.0.post1-py3-none-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl": (
        "f503fc903b6e16fda5daacac6698ecb8bc38937f57da7aa29f6c7ab169d08657"
    ),
    "apache_tvm-0.27.0.post1-py3-none-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl": (
        "4acfdb7653e4e1ba7a707bdf2833db72eb8fda7d04d99141f2a4e1da43171fb7"
    ),
    "apache_tvm_ffi-0.1.14.post1-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl": (
        "4b01a5a3fa07ed3315d5ef1e05d3542dae57a119ef7e77c54bc062414e242f65"
    ),
    "apache_tvm_ffi-0.1.14.post1-cp311-cp311-manylinux_2_24_aarch64.manylinux_2_28_aarch64.whl": (
        "c7a759781d4fbf2b99fa12f2741f250b882b06acc2747bb02831d491d1ac7d3c"
    ),
    "apache_tvm_ffi-0.1.14.post1-cp312-cp312-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl": (
        "eb759c039866b541ec2cb07d498082f8ba6ded74d58d9196180a5932f365c077"
    ),
    "apache_tvm_ffi-0.1.14.post1-cp312-cp312-manylinux_2_24_aarch64.manylinux_2_28_aarch64.whl": (
        "3fd2255a2e363a40c51ec1eeedb1110a2c74e443f95ae351ee5a81b5ff6808cf"
    ),
    "apache_tvm_ffi-0.1.14.post1-cp313-cp313-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl": (
        "e59657d99d52f83c32ce60db4fdca95f5ca5b73425e33653862d06f7b1feffdc"
    ),
    "apache_tvm_ffi-0.1.14.post1-cp313-cp313-manylinux_2_24_aarch64.manylinux_2_28_aarch64.whl": (
        "d6aebe30f21dcbd9e76c5aab56afe0fe228804a4ad73e413b067ae3d27e02f93"
    ),
    "nvidia_cuda_nvrtc-13.5.37-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl": (
        "86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc"
    ),
    "nvidia_cuda_nvrtc-13.5.37-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl": (
        "36e4fa2a8ada293f5693d308e531c196ab6f91cf7a0ff479bf96a537d43a6096"
    ),
}
"""File name -> sha256 of PyPI's wheels of the versions that requirements.txt pins, for every Python and machine that
Dimmer supports. pip takes the one for the Python that runs it, whatever the machine it is asked for.
"""


def fetch(package: str, version: str, folder: Path, platforms: Sequence[str] = ()) -> Path:
    """The wheel of a package in ``folder``, compared with its sha256.

    Args:
        platforms: for another machine, such as "manylinux_2_28_aarch64"; empty for this one.

    Raises:
        DimmerError: it cannot be had, or is not the one whose sha256 is known.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    for name in platforms:
        command += ["--platform", name]
    command += ["--dest", str(folder), f"{package}=={version}"]
    before = set(folder.glob("*.whl"))
    done = children.run(command)
    fetched = sorted(set(folder.glob("*.whl")) - before)
    if "No module named pip" in done.stderr:
        raise DimmerError(
            f"the wheel of {package} {version} cannot be had, since this Python has no pip: type "
            f"'{sys.executable} -m ensurepip', or install python3-venv or python3-pip"
        )
    if done.returncode or len(fetched) != 1:
        said = [line for line in done.stderr.splitlines() if "error" in line.lower()] or [
            f"pip {children.how_it_ended(done.returncode)}"
        ]
        raise DimmerError(
            f"the wheel of {package} {version} cannot be had ({said[0].strip()}): connect to PyPI once; it is kept"
        )
    check(fetched[0])
    return fetched[0]


def check(wheel: Path) -> None:
    """Compare a wheel with its known sha256.

    Raises:
        DimmerError: it is another one, or none is known.
    """
    with wheel.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    wanted = SHA256.get(wheel.name)
    if wanted is None:
        raise DimmerError(
            f"no sha256 is known of {wheel.name}: install the versions of 'dimmer-nn[tvm]', "
            "or add the file's to pipeline/tvm/wheels.py"
        )
    if digest != wanted:
        raise DimmerError(
            f"{wheel.name} is not the wheel that is known (sha256 {digest}, not {wanted}): "
            "see where pip has it from with 'pip config list'"
        )
