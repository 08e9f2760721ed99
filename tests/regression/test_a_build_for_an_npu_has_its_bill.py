# SPDX-License-Identifier: Apache-2.0
"""A build for an NPU ended with an error at its bill of materials, which looked for the firmware in another folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.npu import npu_folder
from dimmer.pipeline.artifacts.verification import verify_folder
from dimmer.pipeline.reporting.materials.gather import gather
from dimmer.targets import load_target
from tests.pipeline.artifact_examples import verified
from tests.pipeline.reporting.materials.test_gather import built

__all__ = ["built"]


def test_of_an_npu_s_firmware_they_are_found_where_it_lies(built: BuildContext) -> None:
    target = load_target("ethos-u55-128")
    npu, build = npu_folder(built.build_dir, target.name), built.build_dir
    npu.mkdir(parents=True)
    (npu / "firmware.elf").write_text("stream")
    (npu / "manifest.json").write_text(json.dumps({"key": {"contents": {"ethos-u-vela": "5.2.0"}}, "outputs": {}}))
    verified().save(verify_folder(build, "host"))
    found = gather(replace(built, target=target))
    assert [file.sha256 for file in found.subject] == [hashlib.sha256(b"stream").hexdigest()]
    assert found.tools["ethos-u-vela"] == "5.2.0"
    assert found.test_images == verified().test_images
