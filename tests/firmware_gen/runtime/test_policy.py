# SPDX-License-Identifier: Apache-2.0
"""The battery policy, as promises that hold for every curve."""

import ctypes
from collections.abc import Callable, Iterable
from itertools import chain, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dimmer.pipeline.energy.policy import Battery
from dimmer.pipeline.energy.policy import State as PolicyState
from tests.firmware_gen.runtime.c_library import Policy, Tier

Next = Callable[[Policy, PolicyState, Battery], PolicyState]


@pytest.fixture(scope="session")
def policy_next(library: ctypes.CDLL) -> Next:
    function = library.dimmer_policy_next
    function.argtypes = (ctypes.POINTER(Policy), PolicyState, ctypes.POINTER(Battery))
    function.restype = PolicyState
    return lambda policy, state, battery: function(ctypes.byref(policy), state, ctypes.byref(battery))


def make_policy(thresholds: list[tuple[int, int]], hysteresis: int, millivolts: int, dwell: int) -> Policy:
    policy = Policy(
        dwell_s=dwell, hysteresis_permille=hysteresis, hysteresis_millivolts=millivolts, tier_count=len(thresholds)
    )
    for number, (charge, voltage) in enumerate(thresholds):
        policy.tiers[number] = Tier(min_charge_permille=charge, min_millivolts=voltage, mode=number)
    return policy


EXTERNAL_POWER, UNKNOWN = 1, 65535

thresholds = st.lists(st.tuples(st.integers(0, 1000), st.integers(2500, 3600)), min_size=1, max_size=8).map(
    lambda tiers: list(zip(*(sorted(column, reverse=True) for column in zip(*tiers, strict=True)), strict=True))
)
policies = st.builds(make_policy, thresholds, st.integers(0, 200), st.integers(0, 200), st.integers(0, 1000))
batteries = st.builds(
    lambda charge, voltage, flags: Battery(charge_permille=charge, millivolts=voltage, flags=flags),
    st.integers(0, 1000) | st.sampled_from([0, UNKNOWN]),
    st.integers(2000, 4200) | st.sampled_from([0, UNKNOWN]),
    st.sampled_from([0, 0, 0, EXTERNAL_POWER]),
)
pauses = st.integers(0, 500) | st.sampled_from([3600, 10**6, 2**32 - 30])
curves = st.lists(st.tuples(batteries, pauses), min_size=1, max_size=30)


def holds(tier: Tier, charge: int, millivolts: int) -> bool:
    known = millivolts not in (0, UNKNOWN)
    charged = charge >= tier.min_charge_permille if charge != UNKNOWN else known and tier.min_millivolts > 0
    return bool(charged and (not known or millivolts >= tier.min_millivolts))


@given(policy=policies, curve=curves)
@settings(max_examples=100, deadline=None)
def test_promises(policy_next: Next, policy: Policy, curve: list[tuple[Battery, int]]) -> None:
    state, time = PolicyState(), 0
    lowest, held = policy.tier_count - 1, 0
    for first, (battery, pause) in zip(chain([True], repeat(False)), curve, strict=False):
        time = (time + pause) % 2**32
        battery.time_s = time
        before = state
        state = policy_next(policy, before, battery)
        charge, tier = state.charge.believed - 1 if state.charge.believed else UNKNOWN, policy.tiers[state.tier]
        assert state.tier <= lowest
        passed = pause if pause <= 604_800 else 0
        held = held + passed if before.candidate else 0
        if battery.flags:
            assert state.tier == 0
            continue
        # Never brighter than the battery allows, and so dimmer at once.
        assert state.tier == lowest or holds(tier, charge, battery.millivolts)
        if first:
            assert all(not holds(policy.tiers[n], charge, battery.millivolts) for n in range(state.tier))
        elif state.tier < before.tier:
            # Brighter only after a whole dwell of reports that allow it, however the clock was set.
            assert held >= policy.dwell_s
            if charge != UNKNOWN:
                assert charge >= min(tier.min_charge_permille + policy.hysteresis_permille, 1000)
        elif state.tier > before.tier:
            # No dimmer than it takes.
            between = range(before.tier, state.tier)
            assert all(not holds(policy.tiers[n], charge, battery.millivolts) for n in between)


@given(policy=policies, middle=st.integers(0, 1000), wiggles=st.lists(st.integers(0, 100), min_size=2, max_size=50))
@settings(max_examples=100, deadline=None)
def test_noise_below_the_hysteresis_changes_the_tier_once(
    policy_next: Next, policy: Policy, middle: int, wiggles: list[int]
) -> None:
    # A threshold at the top of the scale cannot have its whole hysteresis above it.
    policy.hysteresis_permille = 101
    middle = min(middle, 899)
    state, changes = PolicyState(), 0
    tiers: list[int] = []
    for number, wiggle in enumerate(wiggles):
        battery = Battery(time_s=number * 10_000, charge_permille=max(middle + wiggle, 1), millivolts=4200)
        state = policy_next(policy, state, battery)
        changes += bool(tiers) and tiers[-1] != state.tier
        tiers.append(state.tier)
    assert tiers == sorted(tiers), "brighter again although the charge rose by less than the hysteresis"
    assert changes <= policy.tier_count - 1


def tiers_of(policy_next: Next, policy: Policy, reports: Iterable[tuple[int, int, int]]) -> list[int]:
    """The tier after each report of time, charge and millivolts."""
    state, tiers = PolicyState(), []
    for time, charge, millivolts in reports:
        battery = Battery(time_s=time % 2**32, charge_permille=charge, millivolts=millivolts)
        state = policy_next(policy, state, battery)
        tiers.append(int(state.tier))
    return tiers


def test_a_full_battery_reaches_the_brightest_tier(policy_next: Next) -> None:
    policy = make_policy([(950, 3000), (0, 0)], hysteresis=100, millivolts=0, dwell=0)
    reports = [(0, 10, 3300), (4000, 999, 3300), (8000, 1000, 3300)]
    assert tiers_of(policy_next, policy, reports) == [1, 1, 0]


def test_dwell_counts_across_a_clock_that_wraps(policy_next: Next) -> None:
    policy = make_policy([(500, 0), (0, 0)], hysteresis=0, millivolts=0, dwell=60)
    reports = [(2**32 - 30, 450, 3300), (2**32 - 20, 520, 3300), (2**32 + 39, 520, 3300), (2**32 + 40, 520, 3300)]
    assert tiers_of(policy_next, policy, reports) == [1, 1, 1, 0]


def test_a_sagging_voltage_dims_although_the_charge_is_high(policy_next: Next) -> None:
    policy = make_policy([(500, 3300), (0, 0)], hysteresis=0, millivolts=50, dwell=0)
    reports = [(0, 900, 3500), (1, 900, 3299), (2, 900, 3349), (3, 900, 3350)]
    assert tiers_of(policy_next, policy, reports) == [0, 1, 1, 0]


def test_without_a_gauge_the_voltage_decides(policy_next: Next) -> None:
    policy = make_policy([(500, 3300), (200, 3000), (0, 0)], hysteresis=0, millivolts=0, dwell=0)
    reports = [(0, UNKNOWN, 3500), (1, UNKNOWN, 3100), (2, UNKNOWN, 2900), (3, UNKNOWN, 0), (4, UNKNOWN, 3400)]
    assert tiers_of(policy_next, policy, reports) == [0, 1, 2, 2, 0]


def test_a_charge_that_is_not_known_any_more_leads_to_the_safe_tier(policy_next: Next) -> None:
    policy = make_policy([(500, 0), (0, 0)], hysteresis=0, millivolts=0, dwell=0)
    reports = [(0, 900, 0), (100, UNKNOWN, 0), (599, UNKNOWN, 0), (600, UNKNOWN, 0), (700, 880, 0)]
    policy.stale_s = 600
    assert tiers_of(policy_next, policy, reports) == [0, 0, 0, 1, 0]
    policy.stale_s = 0
    assert tiers_of(policy_next, policy, reports) == [0] * 5


def test_the_charger_carries_the_best_tier(policy_next: Next) -> None:
    policy = make_policy([(500, 3300), (0, 0)], hysteresis=100, millivolts=100, dwell=1000)
    low = {"charge_permille": 100, "millivolts": 3000}
    dim = policy_next(policy, PolicyState(), Battery(time_s=0, **low))
    plugged = policy_next(policy, dim, Battery(time_s=1, flags=EXTERNAL_POWER, **low))
    assert (dim.tier, plugged.tier) == (1, 0)
    assert policy_next(policy, plugged, Battery(time_s=2, **low)).tier == 1


def test_a_policy_that_cannot_be_is_refused(library: ctypes.CDLL) -> None:
    def check(policy: Policy) -> int:
        return int(library.dimmer_policy_check(ctypes.byref(policy)))

    good = [(900, 3600), (500, 3300), (0, 0)]
    assert check(make_policy(good, 0, 0, 0)) == 0
    for bad in ([], [(1001, 0), (0, 0)], [(500, 0), (501, 0)], [(500, 3000), (400, 3001)]):
        assert check(make_policy(bad, 0, 0, 0)) == -10, bad
    policy = make_policy(good, 0, 0, 0)
    policy.full_millivolts = 3599
    assert check(policy) == -10
    assert library.dimmer_policy_check(None) == -1
