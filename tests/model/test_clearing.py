import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.clearing import TOLERANCE, Clearing
from model.sums import incidence

CLASSES = 3


def picard(network, cash, due, rounds=4000):
    """The definition, one world, party by party, from "everything is paid" down; without production code."""
    payer, payee, seniority, parties, always = network
    paid = due.copy()
    for _ in range(rounds):
        after = due.copy()
        for party in range(parties):
            own = payer == party
            left = cash[party] + paid[payee == party].sum()
            if always[party] or left >= due[own].sum() - TOLERANCE * max(1.0, due[own].sum()):
                continue
            for rank in range(CLASSES):
                edges = own & (seniority == rank)
                owed = due[edges].sum()
                if owed > 0:
                    after[edges] = due[edges] * min(max(left / owed, 0.0), 1.0)
                left -= owed
        if np.array_equal(after, paid):
            return paid, True
        paid = after
    return paid, False


def random_network(rng, parties, edges, kind="any"):
    payer = rng.integers(0, parties, edges)
    payee = (payer + 1 + rng.integers(0, parties - 1, edges)) % parties
    if kind == "dag":
        payer, payee = np.minimum(payer, payee), np.maximum(payer, payee)
    if kind == "ring":
        ring = np.arange(parties)
        payer, payee = np.concatenate((payer, ring)), np.concatenate((payee, (ring + 1) % parties))
    always = rng.random(parties) < 0.15
    return payer, payee, rng.integers(0, CLASSES, payer.size), parties, always


def random_case(seed, worlds=6):
    """A network with cash that is short in most worlds, ample in some, and negative here and there."""
    rng = np.random.default_rng(seed)
    network = random_network(
        rng, int(rng.integers(2, 9)), int(rng.integers(1, 25)), rng.choice(["any", "dag", "ring"])
    )
    edges, parties = network[0].size, network[3]
    due = rng.exponential(1.0, (edges, worlds)) * (rng.random((edges, worlds)) < 0.8)
    cash = rng.exponential(0.5, (parties, worlds)) * (rng.random((parties, worlds)) < 0.7)
    cash[:, 0] = 100.0
    if seed % 3 == 0:
        cash[:, 1:] -= rng.exponential(0.3, (parties, worlds - 1))
    return network, cash, due


seeds = st.integers(0, 100_000)


@given(seeds)
def test_payments_are_the_greatest_fixed_point_of_the_definition(seed):
    network, cash, due = random_case(seed)
    paid = Clearing(*network).clear(cash, due)
    for world in range(cash.shape[1]):
        reference, at_rest = picard(network, cash[:, world], due[:, world])
        assert (paid[:, world] <= reference + 2e-9).all()
        # In a circle that hardly leaks the plain rounds are still above the solution when they are given up.
        if at_rest:
            np.testing.assert_allclose(paid[:, world], reference, atol=2e-9)


@given(seeds)
def test_invariants_of_a_clearing(seed):
    network, cash, due = random_case(seed)
    payer, payee, seniority, parties, always = network
    clearing = Clearing(*network)
    paid = clearing.clear(cash, due)
    rank_owed = np.array(
        [incidence(payer, parties) @ (due * (seniority == r)[:, None]) for r in range(CLASSES)]
    )
    rank_paid = np.array(
        [incidence(payer, parties) @ (paid * (seniority == r)[:, None]) for r in range(CLASSES)]
    )
    owed, out = rank_owed.sum(0), rank_paid.sum(0)
    after = cash + incidence(payee, parties) @ paid - out
    short = owed - out > TOLERANCE * np.maximum(owed, 1.0)

    assert (paid >= 0).all() and (paid <= due).all()
    assert np.array_equal(paid[:, 0], due[:, 0])
    assert not short[always].any()
    # A class is paid anything only when the classes above it are paid in full, to the last bit.
    for rank in range(1, CLASSES):
        anything = rank_paid[rank] > 0
        assert np.array_equal(rank_paid[:rank, anything], rank_owed[:rank, anything])
    # Creditors of one class get the same share.
    share = paid / np.where(due > 0, due, 1.0)
    for party in range(parties):
        for rank in range(CLASSES):
            group = (payer == party) & (seniority == rank)
            for world in range(cash.shape[1]):
                shares = share[group & (due[:, world] > 0), world]
                assert shares.size == 0 or np.ptp(shares) <= 1e-15
    # Who is short keeps nothing; who pays nothing may be under water by its own cash.
    np.testing.assert_allclose(after[short & (out > 0)], 0.0, atol=3e-9)
    assert (after[short] <= 3e-9).all()
    np.testing.assert_allclose(after.sum(0), cash.sum(0), atol=1e-9)
    np.testing.assert_allclose(clearing.response(cash, due, paid), paid, atol=3e-9)


@given(seeds, st.floats(0.0, 2.0))
def test_payments_do_not_fall_when_somebody_has_more_cash(seed, more):
    network, cash, due = random_case(seed)
    clearing = Clearing(*network)
    richer = cash.copy()
    richer[seed % network[3]] += more
    assert (clearing.clear(richer, due) >= clearing.clear(cash, due) - 3e-9).all()


@given(seeds)
def test_names_do_not_matter(seed):
    network, cash, due = random_case(seed)
    payer, payee, seniority, parties, always = network
    rng = np.random.default_rng(seed)
    name, order = rng.permutation(parties), rng.permutation(payer.size)
    renamed_cash, renamed_always = np.empty_like(cash), np.empty_like(always)
    renamed_cash[name], renamed_always[name] = cash, always
    renamed = Clearing(name[payer][order], name[payee][order], seniority[order], parties, renamed_always)
    paid = Clearing(*network).clear(cash, due)
    np.testing.assert_allclose(renamed.clear(renamed_cash, due[order]), paid[order], atol=3e-9)


@pytest.mark.parametrize("kind", ["any", "dag", "ring"])
@pytest.mark.parametrize("parties, edges", [(6, 14), (45, 160)])
def test_a_world_has_the_same_bits_alone_and_in_any_batch(kind, parties, edges):
    rng = np.random.default_rng(parties)
    network = random_network(rng, parties, edges, kind)
    worlds, edges = 256, network[0].size
    due = rng.exponential(1.0, (edges, worlds))
    cash = rng.exponential(1.0, (parties, worlds)) * (rng.random((parties, worlds)) < 0.6)
    cash -= 0.5 * (rng.random((parties, worlds)) < 0.1)
    cash[:, ::5] += 100.0
    clearing = Clearing(*network)
    everyone = clearing.clear(cash, due)
    assert ((everyone < due).any(axis=0)).sum() > 100
    for width in (1, 7, 64):
        for first in (0, 3, 101, 192):
            cut = slice(first, first + width)
            assert np.array_equal(clearing.clear(cash[:, cut], due[:, cut]), everyone[:, cut])
    shuffled = rng.permutation(worlds)
    fortran = clearing.clear(cash[:, shuffled], due[:, shuffled])
    assert np.array_equal(fortran, everyone[:, shuffled])


@pytest.mark.parametrize("leak", [1e-5, 1e-3, 1.0, 1000.0])
def test_a_circle_that_hardly_leaks_is_solved_exactly(leak):
    """Two parties owe each other 1,000 and outsiders `leak` each; leak / 2 of cash is in the circle."""
    clearing = Clearing([0, 0, 1, 1], [1, 2, 0, 2], [0] * 4, 3)
    due = np.array([[1000.0], [leak], [1000.0], [leak]])
    paid = clearing.clear(np.array([[leak / 2], [0.0], [0.0]]), due)
    # With kept = 1000 / (1000 + leak): p0 = leak / 2 + kept * p1 and p1 = kept * p0.
    kept = 1000.0 / (1000.0 + leak)
    first = leak / 2 / (leak / (1000.0 + leak) * (1.0 + kept))
    # Rounding of the receipts, 1e-16, is magnified by the circle as any cash is: 1000 / leak times.
    tolerance = 1e-13 * max(1000.0 / leak, 10.0)
    np.testing.assert_allclose([paid[:2].sum(), paid[2:].sum()], [first, kept * first], rtol=tolerance)
    assert paid[[1, 3]].sum() == pytest.approx(leak / 2, rel=tolerance)


def test_a_closed_circle_without_cash_pays_in_full_and_one_under_water_does_not():
    clearing = Clearing([0, 1], [1, 0], [0, 0], 2)
    due = np.ones((2, 3)) * 1000.0
    cash = np.array([[0.0, -1e-4, 500.0], [0.0, 0.0, -600.0]])
    paid = clearing.clear(cash, due)
    assert np.array_equal(paid[:, 0], due[:, 0])
    # Plain rounds would take ten million to find that a circle short of 0.0001 is short of everything.
    np.testing.assert_allclose(paid[:, 1], 0.0, atol=2e-9)
    np.testing.assert_allclose(paid[:, 2], [500.0, 0.0], atol=2e-9)


def test_what_is_paid_in_full_is_paid_to_the_last_bit():
    rng = np.random.default_rng(0)
    due = rng.exponential(1.0, (5, 500))
    cash = np.zeros((7, 500))
    # Enough for the three senior creditors of party 0 and half of the juniors.
    cash[0] = due[:3].sum(0) + 0.5 * due[3:].sum(0)
    paid = Clearing([0] * 5, [1, 2, 3, 4, 5], [0, 0, 0, 1, 1], 7).clear(cash, due)
    assert np.array_equal(paid[:3], due[:3])
    np.testing.assert_allclose(paid[3:], 0.5 * due[3:], rtol=1e-12)


def test_a_rounding_error_is_not_a_default():
    clearing = Clearing([0, 0], [1, 1], [0, 1], 2)
    due = np.array([[100.0, 100.0], [50.0, 50.0]])
    paid = clearing.clear(np.array([[150.0 - 1e-8, 150.0 - 1e-6], [0.0, 0.0]]), due)
    assert np.array_equal(paid[:, 0], due[:, 0])
    assert paid[0, 1] == 100.0 and paid[1, 1] == pytest.approx(50.0 - 1e-6, abs=1e-12)


def test_who_always_pays_pays_without_cash_and_breaks_circles():
    clearing = Clearing([0, 1], [1, 0], [0, 0], 2, always_pays=[True, False])
    paid = clearing.clear(np.array([[-5.0], [0.0]]), np.array([[3.0], [4.0]]))
    assert paid[:, 0].tolist() == [3.0, 3.0]


def test_nothing_owed_nothing_paid():
    assert Clearing([], [], [], 2).clear(np.ones((2, 3)), np.zeros((0, 3))).shape == (0, 3)
    assert Clearing([0], [1], [0], 2).clear(np.ones((2, 0)), np.zeros((1, 0))).shape == (1, 0)
    broke = Clearing([0, 1], [1, 0], [0, 0], 2).clear(np.full((2, 1), -1.0), np.zeros((2, 1)))
    assert broke.tolist() == [[0.0], [0.0]]


def test_payments_are_read_only_and_the_arguments_are_left_alone():
    clearing = Clearing([0], [1], [0], 2)
    cash, due = np.array([[5.0, 1.0], [0.0, 0.0]]), np.array([[3.0, 3.0]])
    for worlds in (slice(0, 1), slice(0, 2), slice(1, 2)):
        mine = due[:, worlds].copy()
        paid = clearing.clear(cash[:, worlds], mine)
        assert not paid.flags.writeable and mine.flags.writeable
    assert paid.tolist() == [[1.0]]


@pytest.mark.parametrize(
    "cash, due, message",
    [
        (np.ones((2, 1)), np.full((1, 1), -1.0), "negative"),
        (np.ones((2, 1)), np.full((1, 1), np.nan), "not a number"),
        (np.full((2, 1), np.nan), np.ones((1, 1)), "not a number"),
        (np.ones((3, 1)), np.ones((1, 1)), "worlds"),
        (np.ones((2, 2)), np.ones((1, 1)), "worlds"),
        (np.ones((2, 1)), np.ones((2, 1)), "worlds"),
    ],
)
def test_impossible_months_are_refused(cash, due, message):
    with pytest.raises(ValueError, match=message):
        Clearing([0], [1], [0], 2).clear(cash, due)


@pytest.mark.parametrize(
    "network",
    [
        ([0], [0], [0], 2),
        ([0], [2], [0], 2),
        ([-1], [1], [0], 2),
        ([0, 1], [1], [0], 2),
        ([0], [1], [0], 2, [True]),
    ],
)
def test_impossible_networks_are_refused(network):
    with pytest.raises(ValueError, match=r"itself|group numbers|one entry|one flag"):
        Clearing(*network)


def test_gross_payments_may_rise_by_more_than_the_cash_that_came_in():
    """The often quoted l1 bound does not hold for gross payments: they are passed on along a chain."""
    clearing = Clearing([0, 1], [1, 2], [0, 0], 3)
    due = np.full((2, 2), 10.0)
    paid = clearing.clear(np.array([[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]]), due)
    assert (paid[:, 1] - paid[:, 0]).sum() == pytest.approx(2.0)
