"""The compiled kernels: machine code and the same loops in Python agree to the last bit, at every width."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core.dispatcher import Dispatcher

from agents import kernels as kernels_of_agents
from model import kernels, kernels_credit, kernels_power, kernels_solvency

KERNELS = {
    f"{module.__name__.split('.')[1]}.{name}": kernel
    for module in (kernels, kernels_credit, kernels_power, kernels_solvency)
    for name, kernel in vars(module).items()
    if isinstance(kernel, Dispatcher)
}


class Case:
    """Arguments of each kernel of the books, drawn at random: amounts of all sizes, zeros and exact ties among them."""

    def __init__(self, seed, worlds):
        self.rng, self.worlds = np.random.default_rng(seed), worlds
        self.parties, self.legs, self.claims = self.rng.integers(2, 9), self.rng.integers(1, 12), 7

    def block(self, rows, least=-1.0):
        sizes = 10.0 ** self.rng.integers(-6, 6, (rows, self.worlds))
        return sizes * self.rng.uniform(least, 1.0, sizes.shape) * self.rng.integers(0, 2, sizes.shape)

    def rows(self, count, size):
        return self.rng.integers(0, size, size=count)

    def flags(self, *shape):
        return self.rng.random(shape) < 0.7

    def entries(self, rows):
        chosen = self.rows(2 * self.legs, rows)
        return chosen, np.repeat(np.arange(self.legs), 2), self.rng.choice([-1.0, 1.0], 2 * self.legs)

    def parties_of_legs(self):
        return self.rows(self.legs, self.parties), self.rows(self.legs, self.parties)

    def arguments(self, name):
        return getattr(self, name)()

    def add_up(self):
        lengths = self.rng.integers(0, 4, 5)
        starts = np.concatenate([[0], np.cumsum(lengths)])
        columns = self.rows(starts[-1], self.legs)
        return starts, columns, self.rng.uniform(-2.0, 2.0, starts[-1]), self.block(self.legs), self.block(5)

    def add_rows(self):
        return self.block(self.legs), np.ones(self.worlds)

    def spread_default(self):
        borrowers, worlds = self.parties, self.rng.choice([1, self.worlds])
        return self.rng.random((borrowers, borrowers, worlds)) < 0.2, self.flags(borrowers, self.worlds)

    def months(self, rows, most=6):
        return self.rng.integers(0, most, (rows, self.worlds))

    def clauses(self):
        """Some parties, and whose loans of these refer to whose."""
        bound = self.rng.permutation(self.parties)[:2]
        return bound, self.rng.random((2, 2, 1)) < 0.5, self.block(self.parties, 0.0)

    def add_referring(self):
        flags = self.flags(self.parties, self.worlds)
        return ~flags, *self.clauses(), flags

    def find_defaults(self):
        closed, sites = ~self.flags(self.parties, self.worlds), (self.parties - 1, self.worlds)
        site_flags = ~self.flags(*sites), ~self.flags(*sites)
        months = self.months(self.parties), self.months(1), self.months(1)
        return months[0], closed, 1, *site_flags, *months[1:], *self.clauses(), closed.copy(), closed.copy()

    def declare_defaults(self):
        own, closed = (~self.flags(self.parties, self.worlds) for _ in range(2))
        may_fail, before, never = self.flags(self.parties), self.months(self.parties), 5
        how = self.flags(1, self.worlds), closed, may_fail
        made = own.copy(), before.copy(), own.copy(), own.copy()
        return 3, own, before, never, *self.clauses(), *how, ~own, *made

    def find_trapped(self):
        firms, sites = (
            [self.block(self.parties) for _ in range(4)],
            [self.block(self.parties - 1) for _ in range(4)],
        )
        lab, flags = (
            [self.block(1) for _ in range(5)],
            [self.flags(self.parties, self.worlds) for _ in range(3)],
        )
        horizon, complete = self.months(1) + 1, self.months(self.parties - 1)
        of_firms, of_sites = (*firms, horizon, self.flags(self.parties), flags[0], 1), (complete, *sites)
        return *of_firms, *of_sites, 0, *lab[:4], 0.2, lab[4], *flags[1:]

    def owed_and_lent(self):
        debtor, lender = self.rows(self.claims, self.parties), self.rows(self.claims, self.parties)
        payer, _ = self.parties_of_legs()
        blocks = [self.block(self.parties) for _ in range(4)]
        loans = debtor, lender, self.flags(self.claims), self.block(self.claims)
        return *loans, payer, self.block(self.legs), *blocks

    def count_missed(self):
        flags = self.flags(self.parties), ~self.flags(self.parties, self.worlds)
        amounts = self.block(self.parties), self.block(self.parties)
        months = [self.months(self.parties) for _ in range(4)]
        return 3, *amounts, *flags, *months[:2], 5, *months[2:], self.flags(self.parties, self.worlds)

    def may_renegotiate(self):
        flags = ~self.flags(self.parties, self.worlds), self.flags(1, self.worlds)
        months = self.months(self.parties, 3), self.months(1, 2)
        return 1, *months, *flags, self.block(1), self.months(1, 3), self.flags(1, self.worlds)

    def price_estates(self):
        firm, blocks = self.rows(3, self.parties), [self.block(self.parties) for _ in range(3)]
        return self.flags(self.parties, self.worlds), *blocks, firm, self.block(3)

    def grant_cuts(self):
        contracts, world = self.legs, [self.block(1, 0.0) for _ in range(5)]
        sellers = self.block(self.parties, 0.0), self.rows(contracts, self.parties), self.flags(contracts)
        before, owed = self.block(self.parties, 0.0), self.block(contracts, 0.0)
        given = (
            self.flags(contracts, self.worlds),
            self.block(contracts),
            self.block(contracts),
            before.copy(),
        )
        return self.flags(1, self.worlds), world[0], owed, *sellers, *world[1:], before, *given

    def left_after_default(self):
        firm = self.rows(3, self.parties)
        return self.block(self.parties), self.flags(self.parties, self.worlds), firm, self.block(3)

    def ask(self):
        live, wanted = self.flags(self.legs + 3, self.worlds), self.block(self.legs)
        return live, bool(self.rng.integers(2)), 2, wanted, self.block(self.legs)

    def anything(self):
        return (self.block(1)[0] if self.rng.random() < 0.5 else np.zeros(self.worlds),)

    def fall_due(self):
        wide, booked = self.block(self.legs + 3), self.block(self.legs + 3)
        *asked, amount, due = self.ask()
        return *asked, bool(self.rng.integers(2)), amount, wide, booked, due

    def pay_from_cash(self):
        payer, _ = self.parties_of_legs()
        # A negative amount in any world ends the matter for all, so only a narrow block has one.
        least = self.rng.choice([0.0, -1.0], p=[0.9, 0.1]) if self.worlds < 10 else 0.0
        entries, rows = self.entries(self.claims), self.parties + self.claims
        touched, used = np.unique(entries[0]), self.flags(self.legs + 3)
        blocks = self.block(rows), used, self.block(self.legs + 3), self.block(rows)
        return (
            *self.ask()[:3],
            payer,
            self.flags(self.parties),
            *entries,
            touched,
            self.block(self.legs, least),
            *blocks,
            self.block(self.legs),
        )

    def foresee(self):
        (payer, payee), outgoing, incoming = self.parties_of_legs(), *(self.block(self.parties) for _ in "ab")
        return self.block(self.legs), self.block(self.parties), payer, payee, outgoing, incoming

    def write_down(self):
        return self.flags(self.parties, self.worlds), self.block(self.parties), self.block(self.parties)

    def shut_legs(self):
        closed, ends = ~self.flags(self.parties, self.worlds), self.parties_of_legs()
        return closed, *ends, self.flags(self.legs, self.worlds)

    def share_paid(self):
        payer, _ = self.parties_of_legs()
        due, share = self.block(self.parties, 0.0), self.block(self.parties, 0.0)
        return due, self.block(self.legs, 0.0), payer, share

    def write_off(self):
        payer, payee = self.parties_of_legs()
        blocks = self.block(self.legs, 0.0), self.block(self.legs), self.block(self.parties)
        return (
            self.flags(self.parties, self.worlds),
            payer,
            payee,
            self.rng.choice([0.0, 1.0], self.legs),
            *blocks,
        )

    def post(self):
        rows, legs, signs = self.entries(self.claims)
        used, blocks = self.flags(self.legs + 3), (self.block(self.legs + 3), self.block(self.claims))
        paid = self.block(self.legs)
        paid[-1] = 0.0
        return paid, 2, rows, legs, signs, np.unique(rows), self.block(self.claims), used, *blocks

    def clear_flow(self):
        return self.flags(self.legs), self.block(self.legs)

    def find_short(self):
        payer, payee = self.parties_of_legs()
        obliged, debtor = np.unique(payer, return_inverse=True)
        ordered = np.argsort(payer, kind="stable")
        due, cash = self.block(self.legs, 0.0), self.block(self.parties)
        if self.rng.random() < 0.2:
            cash[0, 0] = np.nan
        owed, full = self.block(len(obliged)), self.block(self.parties)
        short = self.flags(self.worlds)
        return cash, due, payee, obliged, ordered, debtor[ordered], 1e-9, owed, full, short

    def settle_payers(self):
        due, obliged, ordered = self.block(9, 0.0), np.array([1, 0, 3]), self.rng.permutation(9)[:8]
        claims, edges = np.array([0, 2, 3, 4]), np.array([0, 2, 3, 5, 8])
        starts, arriving = np.array([0, 0, 2, 3]), ordered[[0, 2, 4]]
        runs, short = (obliged, ordered, claims, edges, starts, arriving), self.flags(self.worlds)
        return 0, 3, self.block(4), due, *runs, 1e-9, short, due.copy()

    def keep_largest(self):
        sizes = self.block(1)[0]
        sizes[0] = np.nan if self.rng.random() < 0.5 else sizes[0]
        return sizes, self.block(1, 0.0)[0]

    def replay(self):
        flow = self.block(self.legs)
        flow[0] = 0.0
        entries, (parties, legs, shares) = self.entries(self.claims), self.entries(self.parties)
        change, earned = self.block(self.claims), self.block(self.parties)
        return flow, *entries, parties, legs, shares, change, earned, self.block(1)[0]

    def compare(self):
        blocks = [self.block(2 * self.parties + self.claims) for _ in range(4)]
        blocks[0][-1, 0] = np.nan if self.rng.random() < 0.3 else 1.0
        first_rows = self.parties, self.parties + self.claims
        ends = self.rows(self.claims, self.parties), self.rows(self.claims, self.parties)
        flow, worst, scale = self.block(3)
        return (
            *blocks,
            self.block(self.parties),
            *first_rows,
            *ends,
            flow,
            self.block(self.parties),
            worst,
            scale,
        )

    def gain_by_bills(self):
        payer, payee = self.parties_of_legs()
        blocks = [self.block(self.legs) for _ in range(3)]
        return np.arange(0, self.legs, 2), payee, payer, *blocks, self.block(self.parties)

    def misfits(self):
        gap, balances = self.block(self.parties), self.block(self.parties + self.claims)
        if self.rng.random() < 0.3:
            balances[0, -1] = np.nan
        cash, worst = self.block(1)[0], self.block(1, 0.0)[0]
        return gap, balances, self.flags(self.parties), cash, worst

    def sort_by_party(self):
        payer, payee = self.parties_of_legs()
        kinds, out = self.rows(self.legs, 3), np.zeros((3, self.parties))
        return self.block(self.legs), self.worlds - 1, kinds, payee, payer, out


OF_THE_BOOKS = {
    name.split(".")[1]: kernel
    for name, kernel in KERNELS.items()
    if name.startswith(("kernels.", "kernels_solvency."))
}


def run(function, arguments):
    """Call with copies; give what comes back and all arrays as they are then."""
    taken = [each.copy() if isinstance(each, np.ndarray) else each for each in arguments]
    with np.errstate(all="ignore"):
        return function(*taken), [each for each in taken if isinstance(each, np.ndarray)]


def same_bits(one, other):
    given, arrays = one
    again, others = other
    assert given == again
    for this, that in zip(arrays, others, strict=True):
        assert np.array_equal(this, that, equal_nan=this.dtype == float)


def one_world(arguments, worlds, world):
    """The arguments of one world of several."""
    return [
        np.ascontiguousarray(each[..., world : world + 1])
        if isinstance(each, np.ndarray)
        and each.shape[-1:] == (worlds,)
        and (each.ndim == 2 or each.dtype != int)
        else each
        for each in arguments
    ]


@pytest.mark.parametrize("name", OF_THE_BOOKS)
@given(seed=st.integers(0, 2**32 - 1))
def test_machine_code_has_the_bits_of_the_loops_in_python(name, seed):
    kernel, arguments = OF_THE_BOOKS[name], Case(seed, worlds=5).arguments(name)
    same_bits(run(kernel, arguments), run(kernel.py_func, arguments))


@pytest.mark.parametrize("name", [name for name in OF_THE_BOOKS if name != "sort_by_party"])
@given(seed=st.integers(0, 2**32 - 1))
def test_a_world_alone_has_the_bits_it_has_among_others(name, seed):
    worlds = 37  # so many that the compiler takes several worlds at once, and some are left over
    kernel, arguments = OF_THE_BOOKS[name], Case(seed, worlds).arguments(name)
    words = inspect.signature(kernel.py_func).parameters
    arguments = [
        np.zeros_like(each) if word == "scratch" else each
        for word, each in zip(words, arguments, strict=True)
    ]  # a scratch that stays untouched where nothing is wanted
    of_arrays = [word for word, each in zip(words, arguments, strict=True) if isinstance(each, np.ndarray)]
    _, together = run(kernel, arguments)
    for world in (0, 17, worlds - 1):
        _, alone = run(kernel, one_world(arguments, worlds, world))
        for word, this, that in zip(of_arrays, one_world(together, worlds, world), alone, strict=True):
            if word == "used":  # in any of the worlds
                assert (this >= that).all()
            else:
                assert np.array_equal(this, that, equal_nan=this.dtype == float)


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_is_compiled_once_for_one_signature(name):
    assert len(KERNELS[name].signatures) == 1
    assert not KERNELS[name].targetoptions.get("fastmath")
    assert not KERNELS[name].targetoptions.get("parallel")


def test_amounts_of_other_types_are_refused():
    with pytest.raises(TypeError):
        kernels.add_rows(np.ones((2, 3), dtype=np.float32), np.ones(3))


def test_without_a_place_for_machine_code_a_kernel_is_compiled_all_the_same(monkeypatch):
    def no_place(*_, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function")
        return lambda function: ("compiled", function, options)

    monkeypatch.setattr(kernels_of_agents, "njit", no_place)
    word, function, _ = kernels_of_agents.kernel(kernels.void, kernels.BLOCK)(len)
    assert (word, function) == ("compiled", len)


def test_every_kernel_of_the_books_is_tested_here():
    assert all(hasattr(Case, name) for name in OF_THE_BOOKS)
    assert all(inspect.getdoc(kernel.py_func) for kernel in KERNELS.values())
