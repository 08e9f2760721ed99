# SPDX-License-Identifier: Apache-2.0
"""The battery policy, as promises that hold for every curve."""

import ctypes
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.firmware_gen.runtime.c_library import Battery, Policy, PolicyState, Tier

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


thresholds = st.lists(st.tuples(st.integers(0, 1000), st.integers(2500, 3600)), min_size=1, max_size=8).map(
    lambda tiers: list(zip(*(sorted(column, reverse=True) for column in zip(*tiers, strict=True)), strict=True))
)
policies = st.builds(make_policy, thresholds, st.integers(0, 200), st.integers(0, 200), st.integers(0, 1000))
batteries = st.builds(
    lambda charge, voltage: Battery(charge_permille=charge, millivolts=voltage),
    st.integers(0, 1000),
    st.integers(2000, 4200),
)
curves = st.lists(st.tuples(batteries, st.integers(0, 500)), min_size=1, max_size=30)


def holds(tier: Tier, battery: Battery) -> bool:
    return bool(battery.charge_permille >= tier.min_charge_permille and battery.millivolts >= tier.min_millivolts)


@given(policy=policies, curve=curves)
@settings(max_examples=100, deadline=None)
def test_promises(policy_next: Next, policy: Policy, curve: list[tuple[Battery, int]]) -> None:
    state, time = PolicyState(), 0
    for battery, pause in curve:
        time += pause
        battery.time_s = time
        before = state
        state = policy_next(policy, before, battery)
        lowest = policy.tier_count - 1
        assert state.tier <= lowest
        # Never brighter than the battery allows, and so dimmer at once.
        assert state.tier == lowest or holds(policy.tiers[state.tier], battery)
        if not before.started:
            assert state.changed_s == time
            assert all(not holds(policy.tiers[tier], battery) for tier in range(state.tier))
        elif state.tier < before.tier:
            assert time - before.changed_s >= policy.dwell_s
            tier = policy.tiers[state.tier]
            assert battery.charge_permille >= min(tier.min_charge_permille + policy.hysteresis_permille, 1000)
            assert battery.millivolts >= tier.min_millivolts + policy.hysteresis_millivolts
        elif state.tier > before.tier:
            # No dimmer than it takes.
            assert all(not holds(policy.tiers[tier], battery) for tier in range(before.tier, state.tier))
        if before.started:
            assert (state.changed_s == time) if state.tier != before.tier else (state.changed_s == before.changed_s)


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
        battery = Battery(time_s=number * 10_000, charge_permille=middle + wiggle, millivolts=4200)
        state = policy_next(policy, state, battery)
        changes += bool(tiers) and tiers[-1] != state.tier
        tiers.append(state.tier)
    assert tiers == sorted(tiers), "brighter again although the charge rose by less than the hysteresis"
    assert changes <= policy.tier_count - 1


def test_a_full_battery_reaches_the_brightest_tier(policy_next: Next) -> None:
    policy = make_policy([(950, 3000), (0, 0)], hysteresis=100, millivolts=0, dwell=0)
    state = policy_next(policy, PolicyState(), Battery(charge_permille=10, millivolts=3300))
    assert state.tier == 1
    assert policy_next(policy, state, Battery(charge_permille=999, millivolts=3300)).tier == 1
    assert policy_next(policy, state, Battery(charge_permille=1000, millivolts=3300)).tier == 0


def test_dwell_counts_across_a_clock_that_wraps(policy_next: Next) -> None:
    policy = make_policy([(500, 0), (0, 0)], hysteresis=0, millivolts=0, dwell=60)
    dim = policy_next(policy, PolicyState(), Battery(time_s=2**32 - 30, charge_permille=100, millivolts=3300))
    full = Battery(charge_permille=900, millivolts=3300)
    full.time_s = 29
    assert policy_next(policy, dim, full).tier == 1
    full.time_s = 30
    assert policy_next(policy, dim, full).tier == 0


def test_a_sagging_voltage_dims_although_the_charge_is_high(policy_next: Next) -> None:
    policy = make_policy([(500, 3300), (0, 0)], hysteresis=0, millivolts=50, dwell=0)
    bright = policy_next(policy, PolicyState(), Battery(charge_permille=900, millivolts=3500))
    assert bright.tier == 0
    dim = policy_next(policy, bright, Battery(charge_permille=900, millivolts=3299))
    assert dim.tier == 1
    assert policy_next(policy, dim, Battery(charge_permille=900, millivolts=3349)).tier == 1
    assert policy_next(policy, dim, Battery(charge_permille=900, millivolts=3350)).tier == 0
