"""The Ledger: every party's money and every claim of one party on another, in every world.

Nothing moves cash but a *leg*: a fixed channel with a payer, a payee and a kind (rent, interest, draw, ...).
A *family* is a group of legs of one kind. A *claim* is a balance that one party owes another (a loan, paid-in
equity, a share of a fund): one number, an asset of its holder and a liability of its issuer.

The journal of a month is three arrays: what flowed through each leg, what was accrued on each leg, and what
changed without cash (write-offs, revaluations, depreciation). From them follow the transaction-flow matrix and
the balance-sheet matrix (Godley and Lavoie 2007), and the proof, each month and in each world, that

* what a party has is what it had plus what it received less what it paid,
* what each claim is worth is what it was plus the cash and the stated non-cash changes,
* the change of each party's net worth is its income plus revaluations less depreciation,
* all cash adds up to zero, and all net worth to the real assets,
* nobody's cash is negative except the rest of the world's.
"""

import functools
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from model import kernels
from model.clearing import Clearing
from model.sums import Adder, incidence

INCOME, CLAIM, ASSET, ASSET_SALE = "income", "claim", "asset", "asset sale"


class Entries(NamedTuple):
    """How payments change balances: `signs` times what each of `legs` pays goes to each of `rows`.

    One entry after the other, ordered by leg; `touched` are the rows, each once.
    """

    rows: np.ndarray
    legs: np.ndarray
    signs: np.ndarray
    touched: np.ndarray

    @classmethod
    def of(cls, sides):
        """Join sides ``(rows, legs, sign)``."""
        rows = np.concatenate([np.asarray(rows, dtype=np.int64) for rows, _, _ in sides] or [_NO_ROWS])
        legs = np.concatenate([np.asarray(legs, dtype=np.int64) for _, legs, _ in sides] or [_NO_ROWS])
        signs = np.concatenate([np.full(len(rows), float(sign)) for rows, _, sign in sides] or [_NO_ROWS])
        order = np.argsort(legs, kind="stable")
        return cls(rows[order], legs[order], signs[order].astype(float), np.unique(rows))

    def within(self, run):
        """Give the entries of a run of legs, which are then counted from its first."""
        here = (self.legs >= run.start) & (self.legs < run.stop)
        rows = self.rows[here]
        return Entries(rows, self.legs[here] - run.start, self.signs[here], np.unique(rows))


_NO_ROWS, _FLOAT = np.zeros(0, dtype=np.int64), np.dtype(float)


@dataclass(eq=False)
class Family:
    """A group of legs of one kind.

    nature: what a payment means. ``income``: an expense of the payer and an income of the payee, booked when
    billed, so that an unpaid bill is a payable. ``claim``: cash against a claim (a draw raises it, a repayment
    lowers it; where a claim is sold, the buyer's rises and the one `given_up` falls). ``asset``: the payer buys a
    real asset, the payee earns its price. ``asset sale``: a real asset changes hands.
    """

    kind: str
    payer: np.ndarray
    payee: np.ndarray
    seniority: np.ndarray
    nature: str
    cleared: bool
    claims: np.ndarray | None = None
    sign: int = 0
    given_up: np.ndarray | None = None
    legs: slice = field(default=slice(0, 0))
    shape: tuple = ()  # of its blocks, once the worlds are allocated
    posting: tuple = ()  # its first leg, its payers, who always pays, and its entries: for `kernels.pay_from_cash`

    def __len__(self):
        """Give the number of legs."""
        return len(self.payer)

    def said(self):
        """Give what was declared, to be compared."""
        arrays = self.payer, self.payee, self.seniority, self.claims, self.given_up
        numbers = (None if each is None else np.asarray(each, dtype=np.int64).tobytes() for each in arrays)
        return self.kind, self.nature, self.cleared, self.sign, *numbers


class Declared:
    """What has been declared to a Ledger; two that say the same are equal.

    `always_pays` ``(parties,)`` flags; `families` in the order in which they were opened; of each claim its instrument,
    its holder and its issuer (numbers of parties).
    """

    def __init__(self, always_pays, families, instruments, holders, issuers):
        self.always_pays, self.families = always_pays, tuple(families)
        self.instruments, self.holders, self.issuers = tuple(instruments), tuple(holders), tuple(issuers)
        claims = self.instruments, self.holders, self.issuers
        self._said = always_pays.tobytes(), *claims, tuple(family.said() for family in families)

    def __eq__(self, other):
        return isinstance(other, Declared) and self._said == other._said

    def __hash__(self):
        return hash(self._said)


class Topology:
    """What follows from the declarations alone: where each leg lies, what a payment changes, the matrices.

    Its attributes become those of the Ledger. Ledgers of equal declarations, in any thread, share one: nothing in it
    is ever changed. `net` adds each leg to its payee and takes it from its payer; `legs_of` and `entries_of` are those
    of each family, in the order in which they were opened.
    """

    def __init__(self, declared):
        families = sorted(declared.families, key=lambda family: not family.cleared)
        legs_of, first = {}, 0
        for family in families:
            legs_of[family] = slice(first, first + len(family))
            first += len(family)
        count, parties = len(declared.instruments), len(declared.always_pays)
        self._claim_rows = slice(parties, parties + count)  # of all balances: cash, claims, real assets
        self._asset_rows = slice(parties + count, 2 * parties + count)
        join = (lambda field: np.concatenate([getattr(f, field) for f in families])) if families else None
        self.payer, self.payee, self.seniority = join("payer"), join("payee"), join("seniority")
        self.kinds = tuple(family.kind for family in families for _ in range(len(family)))
        self.cleared = slice(0, sum(len(family) for family in families if family.cleared))
        nature = np.array([family.nature for family in families for _ in range(len(family))])
        accrual = (nature == INCOME).astype(float)
        into, out = incidence(self.payee, parties), incidence(self.payer, parties)
        self.net = (into - out).tocsr()
        at_once = np.arange(len(nature)) >= self.cleared.stop
        self._income_of_bills = Adder(self.net[:, self.cleared] @ sp.diags(accrual[self.cleared]))
        income = self.net @ sp.diags(accrual * at_once) + into @ sp.diags((nature == ASSET).astype(float))
        self._income_at_once, income = Adder(income), income.T.tocsr().tocoo()  # the entries, ordered by leg
        self._earnings = income.col.astype(np.int64), income.row.astype(np.int64), income.data
        self._shortfall = Adder(out[:, self.cleared])
        self._on_accrual, self._whole = accrual[self.cleared], np.ones(count)
        self._accruing = np.flatnonzero(accrual[self.cleared])
        self.holders = np.array(declared.holders, dtype=int)
        self.issuers = np.array(declared.issuers, dtype=int)
        held, owed = incidence(self.holders, parties), incidence(self.issuers, parties)
        self._claim_net = Adder(held - owed)
        self._entries = self._enter(families, nature, legs_of)
        self._cleared_entries = self._entries.within(self.cleared)
        self.legs_of = [legs_of[family] for family in declared.families]
        self.entries_of = [self._entries.within(legs) for legs in self.legs_of]
        kinds = self._kind_names = list(dict.fromkeys(self.kinds))
        self._kind_rows = np.array([kinds.index(kind) for kind in self.kinds], dtype=np.int64)
        instruments = self._instrument_names = list(dict.fromkeys(declared.instruments))
        rows = [1 + instruments.index(name) for name in declared.instruments]
        self._instrument_rows = np.array(rows, dtype=np.int64)
        self.clearing = Clearing(
            self.payer[self.cleared],
            self.payee[self.cleared],
            self.seniority[self.cleared],
            parties,
            always_pays=declared.always_pays,
        )
        self._legs = first
        for each in vars(self).values():
            if isinstance(each, np.ndarray):
                each.setflags(write=False)

    def _enter(self, families, nature, legs_of):
        """Write down what every payment does to cash, claims and real assets: the rows of all balances."""
        legs = np.arange(len(nature))
        buys = np.flatnonzero(np.isin(nature, [ASSET, ASSET_SALE]))
        sells = np.flatnonzero(nature == ASSET_SALE)
        claims, assets = self._claim_rows.start, self._asset_rows.start
        sides = [(self.payer, legs, -1.0), (self.payee, legs, 1.0)]
        for family in families:
            if family.nature == CLAIM:
                own = legs[legs_of[family]]
                sides.append((claims + family.claims, own, family.sign))
                if family.given_up is not None:
                    sides.append((claims + family.given_up, own, -1.0))
        sides += [(assets + self.payer[buys], buys, 1.0), (assets + self.payee[sells], sells, -1.0)]
        return Entries.of(sides)


topology_of = functools.lru_cache(maxsize=16)(Topology)
"""The Topology of what was declared; the last few are kept: all models of the same opening books share one."""


@functools.lru_cache(maxsize=64)
def _net_of(topology, mask, parties):
    return Adder(topology.net[parties] @ sp.diags(np.frombuffer(mask)))


class Ledger:
    """Cash, claims, payables and real assets of all parties in all worlds.

    Parameters: ``parties``, their names in the order of the rows; ``sectors``, the names of those who always pay
    (customers, investors, the rest of the world), whose money is topped up from the rest of the world.
    Shapes: cash and real assets ``(parties, worlds)``, claims ``(claims, worlds)``, payables ``(legs, worlds)``.
    Units: US$bn.
    """

    def __init__(self, parties, sectors, closing_party):
        self.parties = list(parties)
        self.index = {name: row for row, name in enumerate(self.parties)}
        self.closing_party = self.index[closing_party]
        self.always_pays = np.isin(np.arange(len(self.parties)), [self.index[name] for name in sectors])
        self.families, self.claim_names, self.instruments = {}, [], []
        self._holders, self._issuers = [], []

    # -- declaring the topology ------------------------------------------------------------------------------

    def open_claims(self, instrument, names, holders, issuers):
        """Declare claims of ``holders`` on ``issuers`` (party names); give their row numbers."""
        first = len(self.claim_names)
        self.claim_names += list(names)
        self.instruments += [instrument] * len(self.claim_names[first:])
        self._holders += [self.index[name] for name in holders]
        self._issuers += [self.index[name] for name in issuers]
        return np.arange(first, len(self.claim_names))

    def open_family(
        self,
        kind,
        payers,
        payees,
        *,
        seniority=0,
        nature=INCOME,
        claims=None,
        sign=0,
        given_up=None,
        cleared=True,
        name=None,
    ):
        """Declare a family of legs from ``payers`` to ``payees`` (party names); give the Family."""
        payer = np.array([self.index[p] for p in payers], dtype=np.int64)
        payee = np.array([self.index[p] for p in payees], dtype=np.int64)
        ranks = np.broadcast_to(np.asarray(seniority, dtype=np.int64), payer.shape).copy()
        family = Family(kind, payer, payee, ranks, nature, cleared, claims, sign, given_up)
        if (name or kind) in self.families:
            raise ValueError(f"a family called {name or kind!r} is open already")
        if claims is not None and len(set(claims)) < len(family):
            raise ValueError(f"{kind!r}: a claim may stand behind one leg of a family only")
        self.families[name or kind] = family
        return family

    def close_topology(self):
        """Lay out the legs and build the matrices; no family or claim can be opened after it."""
        families = list(self.families.values())
        said = Declared(self.always_pays, families, self.instruments, self._holders, self._issuers)
        topology = self.topology = topology_of(said)
        for family, legs, entries in zip(families, topology.legs_of, topology.entries_of, strict=True):
            family.legs, family.posting = legs, (legs.start, family.payer, self.always_pays, *entries)
        vars(self).update(vars(topology))

    def allocate(self, worlds, cash, claims, real_assets):
        """Take in the books of month 0: one column each, the same in every world, US$bn."""
        self.worlds, first, parties = worlds, self._legs, len(self.parties)
        for family in self.families.values():
            family.shape = len(family), worlds
        self._balances = _block(np.concatenate([cash, claims, real_assets]), worlds)
        self.payable = np.zeros((first, worlds))
        self.live = np.ones((first, worlds), dtype=bool)
        self.closed = np.zeros((parties, worlds), dtype=bool)
        self.residual = np.zeros(worlds)
        self.flow, self._used = np.zeros((first, worlds)), np.zeros(first, dtype=bool)
        self.accrued, self._payable_before = (np.zeros((self.cleared.stop, worlds)) for _ in range(2))
        self._stated, self._scratch = (np.zeros(self._balances.shape) for _ in range(2))
        self._claim_change = self._stated[self._claim_rows]
        self._asset_change = self._stated[self._asset_rows]
        self.open_month()

    # -- the month ---------------------------------------------------------------------------------------------

    def open_month(self):
        """Start a new journal: remember the opening books and clear what flowed, accrued and changed.

        The balances of the new month are copies that payments change in place; who reads `cash`, `claims` or
        `real_assets` sees them move during the month, and last month's stay what they were.
        """
        self._before = self._balances
        self._balances = self._before.copy()
        self._claims, self._real_assets = self._balances[self._claim_rows], self._balances[self._asset_rows]
        self.cash = _read_only(self._balances[: len(self.parties)])
        self.claims, self.real_assets = _read_only(self._claims), _read_only(self._real_assets)
        np.copyto(self._payable_before, self.payable[self.cleared])
        kernels.clear_flow(self._used, self.flow)
        for journal in (self.accrued, self._stated):
            journal.fill(0.0)
        self._bill_change = None  # of accrued bills, by writing them off; most months have none

    def close_parties(self, closed):
        """Shut the legs of parties that have left the market; ``closed`` is ``(parties, worlds)``, bool."""
        live = np.empty(self.live.shape, dtype=bool)
        kernels.shut_legs(closed, self.payer, self.payee, live)
        self.closed, self.live = closed, live

    def bill(self, family, amount, *, even_closed=False):
        """Make ``amount`` ``(legs, worlds)`` fall due on a family; legs of closed parties bill nothing."""
        if not family.cleared:
            raise ValueError(f"{family.kind}: no clearing would ever pay such a bill")
        amount, due = self._for_each_leg(family, amount), np.empty(family.shape)
        first, accrues = family.legs.start, family.nature == INCOME
        kernels.fall_due(self.live, even_closed, first, accrues, amount, self.payable, self.accrued, due)
        return due

    def file(self, family, amount):
        """File claims against an estate: as ``bill``, though the payer has left the market."""
        self.bill(family, amount, even_closed=True)

    def pay(self, family, wanted, *, even_closed=False):
        """Pay ``wanted`` now, pro rata to the payer's cash where it is short; give what was paid.

        These are the payments made outside the clearing: draws, capital calls, equity, sales to customers.
        """
        wanted, paid = self._for_each_leg(family, wanted), np.empty(family.shape)
        books = self._scratch, self._used, self.flow, self._balances, paid
        found = kernels.pay_from_cash(self.live, even_closed, *family.posting, wanted, *books)
        if found == kernels.NEGATIVE:
            raise ValueError(f"{family.kind}: nobody pays a negative amount")
        if found == kernels.SOMETHING and family.cleared and family.nature == INCOME:
            self.accrued[family.legs] += paid
        return paid

    def _for_each_leg(self, family, amount):
        """Give the amounts ``(legs, worlds)``; nearly every rule has made such a block."""
        is_block = type(amount) is np.ndarray and amount.dtype is _FLOAT and amount.shape == family.shape
        if is_block and amount.flags.c_contiguous:
            return amount
        block = np.empty(family.shape)
        block[...] = amount
        return block

    def settle(self):
        """Clear everything that is due, by seniority; what cannot be paid stays payable (arrears)."""
        due = self.payable[self.cleared]
        paid = self.clearing.clear(self.cash, due)
        books = self._scratch, self._used, self.flow, self._balances
        kernels.post(paid, 0, *self._cleared_entries, *books)
        np.subtract(due, paid, out=due)

    def change_claims(self, rows, change):
        """Change claim balances without cash, as a write-off (-) or revaluation (+)."""
        self._claims[rows] += change
        self._claim_change[rows] += change

    def change_real_assets(self, change, parties=slice(None)):
        """Depreciate (-), impair (-) or revalue (+) real assets, ``(parties, worlds)``; those of some rows only."""
        self._real_assets[parties] += change
        self._asset_change[parties] += change

    def write_down(self, parties):
        """Write the real assets of ``parties`` (``(parties, worlds)``, bool) down to nothing."""
        kernels.write_down(parties, self._real_assets, self._asset_change)

    def write_off(self, parties):
        """Write off all that ``parties`` (``(parties, worlds)``, bool) still owe; give the loss of each holder."""
        by_claims, by_bills = np.zeros(self.cash.shape), np.zeros(self.cash.shape)
        claims = (self.issuers, self.holders, self._whole, self._claims, self._claim_change, by_claims)
        kernels.write_off(parties, *claims)
        if self._bill_change is None:
            self._bill_change = np.zeros(self.accrued.shape)
        ends = self.payer[self.cleared], self.payee[self.cleared]
        kernels.write_off(
            parties, *ends, self._on_accrual, self.payable[self.cleared], self._bill_change, by_bills
        )
        return by_claims + by_bills

    # -- the matrices and the proof ----------------------------------------------------------------------------

    def net_worth(self):
        """Give each party's net worth: cash, claims held less owed, receivables less payables, real assets."""
        receivable = self._income_of_bills @ self.payable[self.cleared]
        return self.cash + self._claim_net @ self.claims + receivable + self.real_assets

    def income(self):
        """Give each party's income of the month so far, revaluations and depreciation included."""
        earned = self._income_of_bills @ self._booked + self._income_at_once @ self.flow
        return earned + self._claim_net @ self._claim_change + self._asset_change

    @property
    def _booked(self):
        """What is booked as income and expense of the legs that are cleared: accrued less what was written off."""
        return self.accrued if self._bill_change is None else self.accrued + self._bill_change

    def net_of(self, mask, parties=slice(None)):
        """Give the matrix legs -> `parties` that adds receipts less payments over the legs of `mask`."""
        return _net_of(self.topology, np.asarray(mask, dtype=float).tobytes(), parties)

    def outgoing(self):
        """Give what each party has to pay in the coming clearing, ``(parties, worlds)``, US$bn."""
        return self._shortfall @ self.payable[self.cleared]

    def share_paid(self, due):
        """Give the share that each party has paid of what was `due` before the clearing, ``(parties, worlds)``."""
        share = np.empty(due.shape)
        kernels.share_paid(due, self.payable[self.cleared], self.payer, share)
        return share

    def foresee(self, paid_share):
        """Give what each party has to pay, as `outgoing`, and what it may expect of others.

        That is: bills to it times the share that each payer paid last month. Both ``(parties, worlds)``, US$bn.
        """
        outgoing, incoming = np.empty(self.cash.shape), np.empty(self.cash.shape)
        kernels.foresee(self.payable[self.cleared], paid_share, self.payer, self.payee, outgoing, incoming)
        return outgoing, incoming

    def debt(self, rows):
        """Give what each party owes on the claims ``rows``, ``(parties, worlds)``."""
        owing = Adder(incidence(self.issuers[rows], len(self.parties)))
        return owing @ np.take(self.claims, rows, axis=0)

    def prove(self):
        """Check the identities of the month; give the largest relative residual of each world.

        1. cash is what it was plus receipts less payments; 2. a claim is what it was plus cash and stated changes;
        3. what each party has gained (cash, claims, receivables, real assets) is its income; 4. all cash adds up
        to zero (claims and payables do by their making: each is one number with two ends); 5. no cash is negative
        but the sectors'.
        """
        now, before, stated, change = self._balances, self._before, self._stated, self._scratch
        gap, earned = np.empty(self.cash.shape), np.empty(self.cash.shape)
        worst, scale, largest, cash = np.empty((4, self.worlds))
        rows, legs, signs, _ = self._entries
        kernels.replay(self.flow, rows, legs, signs, *self._earnings, change, earned, largest)
        first_rows = self._claim_rows.start, self._asset_rows.start
        ends = self.holders, self.issuers
        kernels.compare(now, before, stated, change, earned, *first_rows, *ends, largest, gap, worst, scale)
        bills = self._accruing, self.payee, self.payer
        kernels.gain_by_bills(*bills, self.payable, self._payable_before, self._booked, gap)
        kernels.misfits(gap, now, self.always_pays, cash, worst)
        self.residual = np.maximum(self.residual, worst / scale)
        return self.residual

    def transaction_flows(self, world):
        """Give the transaction-flow matrix of this month: (kinds, matrix (kinds, parties)); rows sum to zero."""
        matrix = np.zeros((len(self._kind_names), len(self.parties)))
        kernels.sort_by_party(self.flow, world, self._kind_rows, self.payee, self.payer, matrix)
        return self._kind_names, matrix

    def balance_sheet(self, world):
        """Give the balance-sheet matrix: (instruments, matrix (instruments, parties)).

        Financial rows (cash, each instrument, payables) sum to zero; real assets do not; liabilities are negative.
        """
        matrix = np.zeros((len(self._instrument_names) + 3, len(self.parties)))
        matrix[0] = self.cash[:, world]
        kernels.sort_by_party(self.claims, world, self._instrument_rows, self.holders, self.issuers, matrix)
        matrix[-2] = (self._income_of_bills @ self.payable[self.cleared, world : world + 1])[:, 0]
        matrix[-1] = self.real_assets[:, world]
        return ["cash", *self._instrument_names, "payables", "real assets"], matrix


def _read_only(block):
    view = block.view()
    view.setflags(write=False)
    return view


def _block(column, worlds):
    return np.repeat(np.asarray(column, dtype=float)[:, None], worlds, axis=1)
