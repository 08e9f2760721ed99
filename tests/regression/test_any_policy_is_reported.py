# SPDX-License-Identifier: Apache-2.0
"""The policy of a build with gates, and that of several files, was refused by report.json's schema."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier, even_policy
from dimmer.firmware_gen.gates import MODE_GATED
from dimmer.pipeline.image.figures import policy_tiers
from dimmer.pipeline.reporting.page import check_document
from tests.pipeline.reporting.report_example import PUBLISHED, example


def test_a_tier_of_the_gates() -> None:
    tiers = policy_tiers(PolicyConfig((Tier(500, 0, MODE_GATED, 200), Tier(0, 0, 1))), list(PUBLISHED))
    assert tiers[0].mode == "gated"
    check_document(replace(example(), policy=tiers).document())


def test_tiers_of_files() -> None:
    tiers = policy_tiers(even_policy(2), ["kws large", "kws_small"])
    check_document(replace(example(), policy=tiers).document())
    with pytest.raises(DimmerError, match=r"policy\[0\]\.mode"):
        check_document(replace(example(), policy=(replace(tiers[0], mode=""),)).document())
