# SPDX-License-Identifier: Apache-2.0
"""Packages that several tests look at, made once."""

from __future__ import annotations

import pytest

from dimmer.pipeline.bundles.packaging.package import Package
from tests.pipeline.bundles.packaging.made import modes_package, resnet_package


@pytest.fixture(scope="session")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Three modes, for every kind of core."""
    return modes_package(tmp_path_factory.mktemp("blocks"))


@pytest.fixture(scope="session")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """One mode from a `.tflite` alone."""
    return resnet_package(tmp_path_factory.mktemp("resnet"), ["cortex-m4", "portable"])
