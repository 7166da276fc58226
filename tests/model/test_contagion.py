"""Invariants of DebtRank: losses are shares, they only grow, and a world stands for itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from model.contagion import debtrank, debtranks, spectral_radius

PARTIES, WORLDS = 5, 3
amounts = st.floats(0.0, 10.0).map(lambda x: round(x, 3))


@st.composite
def networks(draw, acyclic=False):
    """Lender, debtor, claims, equity, shock: everybody may have lent to everybody else."""
    pairs = [(i, j) for i in range(PARTIES) for j in range(PARTIES) if (i < j if acyclic else i != j)]
    lender, debtor = np.array(pairs).T
    claim = draw(npst.arrays(float, (len(pairs), WORLDS), elements=amounts))
    equity = draw(npst.arrays(float, (PARTIES, WORLDS), elements=amounts.map(lambda x: x + 0.5)))
    shock = draw(npst.arrays(float, (PARTIES, WORLDS), elements=amounts))
    return lender, debtor, claim, equity, shock


@given(networks())
def test_losses_are_shares_and_at_least_the_shock(network):
    found = debtrank(*network)
    assert (found.loss >= found.first - 1e-15).all()
    assert (found.loss <= 1.0).all()
    assert (found.first >= 0.0).all()


@given(networks())
def test_the_result_is_a_fixed_point(network):
    lender, debtor, claim, equity, _ = network
    found = debtrank(*network)
    again = found.first.copy()
    np.add.at(again, lender, claim / equity[lender] * found.loss[debtor])
    error = np.abs(np.minimum(again, 1.0) - found.loss).max(axis=0)
    assert (error[found.settled] <= 1e-9).all()


@given(networks(), st.floats(1.0, 3.0))
def test_a_larger_shock_does_not_lose_less(network, factor):
    *others, shock = network
    assert (debtrank(*others, shock * factor).loss >= debtrank(*others, shock).loss - 1e-9).all()


@given(networks(), st.floats(0.0, 1.0))
def test_recovery_does_not_raise_a_loss(network, recovery):
    assert (debtrank(*network, recovery).loss <= debtrank(*network).loss + 1e-9).all()


@given(networks())
def test_each_further_loss_passed_on_is_at_least_the_first_alone(network):
    """Battiston et al. (2012), who let a party pass on its loss once, find no more than Bardoscia et al. (2015)."""
    lender, debtor, claim, equity, shock = network
    first = np.minimum(shock / equity, 1.0)
    loss, step, spent = first.copy(), first.copy(), np.zeros(first.shape, dtype=bool)
    for _ in range(PARTIES + 1):
        sending = np.where(spent, 0.0, step)
        spent |= step > 0.0
        arrived = np.zeros_like(loss)
        np.add.at(arrived, lender, claim / equity[lender] * sending[debtor])
        reached = np.minimum(loss + arrived, 1.0)
        loss, step = reached, reached - loss
    assert (loss <= debtrank(*network).loss + 1e-9).all()


@given(networks(acyclic=True))
def test_without_cycles_it_ends_within_the_depth(network):
    found = debtrank(*network)
    assert found.settled.all()


@given(networks())
def test_small_losses_follow_the_closed_form(network):
    lender, debtor, claim, equity, shock = network
    shock = shock * 1e-4
    found = debtrank(lender, debtor, claim, equity, shock)
    radius = spectral_radius(lender, debtor, claim, equity)
    for world in np.flatnonzero((radius < 0.95) & (found.loss.max(axis=0) < 1.0)):
        leverage = np.zeros((PARTIES, PARTIES))
        leverage[lender, debtor] = claim[:, world] / equity[lender, world]
        exact = np.linalg.solve(np.eye(PARTIES) - leverage, shock[:, world] / equity[:, world])
        assert found.loss[:, world] == pytest.approx(exact, abs=1e-10)


@given(networks())
def test_a_world_has_the_same_bits_alone(network):
    lender, debtor, *blocks = network
    whole = debtrank(lender, debtor, *blocks).loss
    for world in range(WORLDS):
        alone = debtrank(lender, debtor, *(block[:, [world]] for block in blocks)).loss
        assert np.array_equal(alone[:, 0], whole[:, world])


def test_published_difference_between_once_and_all_rounds():
    """Two parties that each lent half the other's equity, 20% shock: 0.26667 and 0.13333 (0.25 and 0.10 once)."""
    lender, debtor, equity = np.array([0, 1]), np.array([1, 0]), np.ones((2, 1))
    found = debtrank(lender, debtor, np.full((2, 1), 0.5), equity, np.array([[0.2], [0.0]]))
    assert found.loss[:, 0] == pytest.approx([0.8 / 3, 0.4 / 3], abs=1e-12)


def test_a_party_without_equity_is_lost_from_the_start_and_flagged():
    equity = np.array([[1.0], [-3.0]])
    found = debtrank(np.array([0]), np.array([1]), np.array([[0.25]]), equity, np.zeros((2, 1)))
    assert found.loss[:, 0] == pytest.approx([0.25, 1.0])
    assert found.floored[:, 0].tolist() == [False, True]
    assert found.share_lost(equity)[0] == pytest.approx(0.25)


@given(networks())
def test_seeds_side_by_side_are_the_seeds_one_by_one(network):
    lender, debtor, claim, equity, _ = network
    ranks = debtranks(lender, debtor, claim, equity, [0, 3])
    for row, seed in enumerate((0, 3)):
        shock = np.where(np.arange(PARTIES)[:, None] == seed, equity, 0.0)
        alone = debtrank(lender, debtor, claim, equity, shock).share_passed_on(equity)
        assert np.array_equal(ranks[row], alone)
