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

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from model.clearing import Clearing
from model.sums import Adder, incidence, total

INCOME, CLAIM, ASSET, ASSET_SALE = "income", "claim", "asset", "asset sale"


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

    def __len__(self):
        """Give the number of legs."""
        return len(self.payer)

    def prepare(self, net, out, assets, always_pays):
        """Cut the family's part out of the Ledger's matrices: whom it touches, who is asked, what assets move."""
        self.touched = np.unique(np.concatenate([self.payer, self.payee]))
        self.payers, self.payer_place = np.unique(self.payer, return_inverse=True)
        self.always = always_pays[self.payers]
        self.always_paid = bool(self.always.all())
        self.moves_matrix = Adder(net[self.touched][:, self.legs])
        self.asked_matrix = Adder(out[self.payers][:, self.legs])
        self.assets_matrix = Adder(assets[:, self.legs])


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
        families = sorted(self.families.values(), key=lambda family: not family.cleared)
        first = 0
        for family in families:
            family.legs = slice(first, first + len(family))
            first += len(family)
        count, parties = len(self.claim_names), len(self.parties)
        join = (lambda field: np.concatenate([getattr(f, field) for f in families])) if families else None
        self.payer, self.payee, self.seniority = join("payer"), join("payee"), join("seniority")
        self.kinds = [family.kind for family in families for _ in range(len(family))]
        self.cleared = slice(0, sum(len(family) for family in families if family.cleared))
        nature = np.array([family.nature for family in families for _ in range(len(family))])
        into, out = incidence(self.payee, parties), incidence(self.payer, parties)
        net = self._net_csr = (into - out).tocsr()
        self._net, self._into = Adder(net), Adder(into)
        self._shortfall = Adder(out[:, self.cleared])
        self._cleared_net = Adder(net[:, self.cleared])
        self._cleared_into = Adder(into[:, self.cleared])
        accrual = (nature == INCOME).astype(float)
        self._on_accrual = accrual[:, None]
        self._income = Adder(net @ sp.diags(accrual))
        self._bought = Adder(into @ sp.diags((nature == ASSET).astype(float)))
        assets = self._assets_of(into, out, nature)
        self._cleared_assets = Adder(assets[:, self.cleared])
        for family in families:
            family.prepare(net, out, assets, self.always_pays)
        rows, columns, signs = [], [], []
        for family in families:
            if family.nature == CLAIM:
                rows += list(family.claims)
                columns += list(range(family.legs.start, family.legs.stop))
                signs += [float(family.sign)] * len(family)
                if family.given_up is not None:
                    rows += list(family.given_up)
                    columns += list(range(family.legs.start, family.legs.stop))
                    signs += [-1.0] * len(family)
        claim_flow = sp.csr_matrix((signs, (rows, columns)), shape=(count, first))
        self._claim_flow, self._cleared_claims = Adder(claim_flow), Adder(claim_flow[:, self.cleared])
        self.holders, self.issuers = np.array(self._holders, dtype=int), np.array(self._issuers, dtype=int)
        held, owed = incidence(self.holders, parties), incidence(self.issuers, parties)
        self._held, self._claim_net = Adder(held), Adder(held - owed)
        kinds = self._kind_names = list(dict.fromkeys(self.kinds))
        self._kind_rows = np.array([kinds.index(kind) for kind in self.kinds], dtype=np.int64)
        instruments = self._instrument_names = list(dict.fromkeys(self.instruments))
        self._instrument_rows = np.array([1 + instruments.index(n) for n in self.instruments], dtype=np.int64)
        self.clearing = Clearing(
            self.payer[self.cleared],
            self.payee[self.cleared],
            self.seniority[self.cleared],
            parties,
            always_pays=self.always_pays,
        )
        self._legs = first

    def allocate(self, worlds, cash, claims, real_assets):
        """Take in the books of month 0: one column each, the same in every world, US$bn."""
        self.worlds, first, parties = worlds, self._legs, len(self.parties)
        self.cash = _block(cash, worlds)
        self.claims = _block(claims, worlds)
        self.real_assets = _block(real_assets, worlds)
        self.payable = np.zeros((first, worlds))
        self.live = np.ones((first, worlds), dtype=bool)
        self.closed = np.zeros((parties, worlds), dtype=bool)
        self.residual = np.zeros(worlds)
        self.flow, self.accrued = np.zeros((first, worlds)), np.zeros((first, worlds))
        self._payable_change, self._payable_before = np.zeros((first, worlds)), np.zeros((first, worlds))
        self._receivable = np.zeros((first, worlds))
        self._claim_change = np.zeros(self.claims.shape)
        self._asset_change = np.zeros(self.real_assets.shape)
        self.open_month()

    @staticmethod
    def _assets_of(into, out, nature):
        """Build legs -> parties for real assets: the payer gains what it buys, the seller loses what it sells."""
        bought = sp.diags(np.isin(nature, [ASSET, ASSET_SALE]).astype(float))
        sold = sp.diags((nature == ASSET_SALE).astype(float))
        return (out @ bought - into @ sold).tocsr()

    # -- the month ---------------------------------------------------------------------------------------------

    def open_month(self):
        """Start a new journal: remember the opening books and clear what flowed, accrued and changed."""
        np.copyto(self._payable_before, self.payable)
        self._before = (self.cash, self.claims, self.real_assets)
        for journal in (
            self.flow,
            self.accrued,
            self._claim_change,
            self._payable_change,
            self._asset_change,
        ):
            journal.fill(0.0)

    def close_parties(self, closed):
        """Shut the legs of parties that have left the market; ``closed`` is ``(parties, worlds)``, bool."""
        self.closed = closed
        self.live = ~(np.take(closed, self.payer, axis=0) | np.take(closed, self.payee, axis=0))

    def bill(self, family, amount):
        """Make ``amount`` ``(legs, worlds)`` fall due on a family; legs of closed parties bill nothing."""
        due = amount * self.live[family.legs]
        self.payable[family.legs] += due
        if family.nature == INCOME:
            self.accrued[family.legs] += due
        return due

    def file(self, family, amount):
        """File claims against an estate: as ``bill``, though the payer has left the market."""
        self.payable[family.legs] += amount
        if family.nature == INCOME:
            self.accrued[family.legs] += amount

    def pay(self, family, wanted, *, even_closed=False):
        """Pay ``wanted`` now, pro rata to the payer's cash where it is short; give what was paid.

        These are the payments made outside the clearing: draws, capital calls, equity, sales to customers.
        """
        if not np.any(wanted):
            return np.zeros((len(family), self.worlds))
        if np.min(wanted) < 0.0:
            raise ValueError(f"{family.kind}: nobody pays a negative amount")
        amount = wanted if even_closed else wanted * self.live[family.legs]
        paid = np.ascontiguousarray(np.broadcast_to(amount, (len(family), self.worlds)), dtype=float)
        if not family.always_paid:
            asked = family.asked_matrix @ paid
            have = np.maximum(np.take(self.cash, family.payers, axis=0), 0.0)
            short = (asked > have) & ~family.always[:, None]
            ratio = np.where(short, have / np.maximum(asked, 1e-300), 1.0)
            paid = paid * np.take(ratio, family.payer_place, axis=0)
        if family.nature == INCOME:
            self.accrued[family.legs] += paid
        self._move(family, paid)
        return paid

    def settle(self):
        """Clear everything that is due, by seniority; what cannot be paid stays payable (arrears)."""
        due = self.payable[self.cleared]
        paid = self.clearing.clear(self.cash, due)
        self.flow[self.cleared] += paid
        self.cash = _frozen(self.cash + self._cleared_net @ paid)
        self.claims = _frozen(self.claims + self._cleared_claims @ paid)
        self.real_assets = _frozen(self.real_assets + self._cleared_assets @ paid)
        self.payable[self.cleared] = due - paid

    def _move(self, family, paid):
        self.flow[family.legs] += paid
        cash = self.cash.copy()
        cash[family.touched] += family.moves_matrix @ paid
        self.cash = _frozen(cash)
        if family.nature == CLAIM:
            self.change_claims(family.claims, family.sign * paid, cash=True)
            if family.given_up is not None:
                self.change_claims(family.given_up, -paid, cash=True)
        elif family.nature in (ASSET, ASSET_SALE):
            self.real_assets = _frozen(self.real_assets + family.assets_matrix @ paid)

    def change_claims(self, rows, change, *, cash=False):
        """Change claim balances: by cash inside a payment, else as a write-off (-) or revaluation (+)."""
        claims = self.claims.copy()
        claims[rows] += change
        self.claims = _frozen(claims)
        if not cash:
            self._claim_change[rows] += change

    def change_real_assets(self, change):
        """Depreciate (-), impair (-) or revalue (+) real assets, ``(parties, worlds)``."""
        self.real_assets = _frozen(self.real_assets + change)
        self._asset_change += change

    def write_off(self, parties):
        """Write off all that ``parties`` (``(parties, worlds)``, bool) still owe; give the loss of each holder."""
        worlds = np.flatnonzero(parties.any(axis=0))
        here = np.take(parties, worlds, axis=1)
        gone = np.take(here, self.issuers, axis=0) * np.take(self.claims, worlds, axis=1)
        change = np.zeros_like(self.claims)
        change[:, worlds] = -gone
        self.change_claims(slice(None), change)
        unpaid = np.take(here, self.payer, axis=0) * np.take(self.payable, worlds, axis=1)
        booked = unpaid * self._on_accrual
        self.payable[:, worlds] -= unpaid
        self._payable_change[:, worlds] -= booked
        loss = np.zeros_like(self.cash)
        loss[:, worlds] = self._held @ gone + self._into @ booked
        return loss

    # -- the matrices and the proof ----------------------------------------------------------------------------

    def net_worth(self):
        """Give each party's net worth: cash, claims held less owed, receivables less payables, real assets."""
        receivable = self._income @ self.payable
        return self.cash + self._claim_net @ self.claims + receivable + self.real_assets

    def income(self):
        """Give each party's income of the month so far, revaluations and depreciation included."""
        earned = self._income @ (self.accrued + self._payable_change) + self._bought @ self.flow
        return earned + self._claim_net @ self._claim_change + self._asset_change

    def net_of(self, mask):
        """Give the matrix legs -> parties that adds receipts less payments over the legs of `mask`."""
        return Adder(self._net_csr @ sp.diags(mask))

    def outgoing(self):
        """Give what each party has to pay in the coming clearing, ``(parties, worlds)``, US$bn."""
        return self._shortfall @ self.payable[self.cleared]

    def expected(self, paid_share):
        """Give what each party may expect: bills to it times the share that each payer paid last month."""
        due = self.payable[self.cleared] * np.take(paid_share, self.payer[self.cleared], axis=0)
        return self._cleared_into @ due

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
        cash0, claims0, assets0 = self._before
        claims = self.claims - claims0 - self._claim_change
        receivable = np.subtract(self.payable, self._payable_before, out=self._receivable)
        receivable -= self.accrued
        receivable -= self._payable_change
        gained = self.cash - cash0 + self.real_assets - assets0 - self._asset_change
        unexplained = gained + self._claim_net @ claims + self._income @ receivable - self._bought @ self.flow
        scale = np.abs(self.cash).max(axis=0) + np.abs(self.claims).max(axis=0) + self.flow.max(axis=0)
        scale = np.maximum(1.0, scale)
        payers = np.where(self.always_pays[:, None], 0.0, np.minimum(self.cash, 0.0))
        errors = (
            np.abs(self.cash - cash0 - self._net @ self.flow).max(axis=0),
            np.abs(claims - self._claim_flow @ self.flow).max(axis=0),
            np.abs(unexplained).max(axis=0),
            np.abs(total(self.cash)),
            np.abs(payers).max(axis=0),
        )
        self.residual = np.maximum(self.residual, np.maximum.reduce(errors) / scale)
        return self.residual

    def transaction_flows(self, world):
        """Give the transaction-flow matrix of this month: (kinds, matrix (kinds, parties)); rows sum to zero."""
        matrix = np.zeros((len(self._kind_names), len(self.parties)))
        flow = self.flow[:, world]
        np.add.at(matrix, (self._kind_rows, self.payee), flow)
        np.subtract.at(matrix, (self._kind_rows, self.payer), flow)
        return self._kind_names, matrix

    def balance_sheet(self, world):
        """Give the balance-sheet matrix: (instruments, matrix (instruments, parties)).

        Financial rows (cash, each instrument, payables) sum to zero; real assets do not; liabilities are negative.
        """
        matrix = np.zeros((len(self._instrument_names) + 3, len(self.parties)))
        matrix[0], claims = self.cash[:, world], self.claims[:, world]
        np.add.at(matrix, (self._instrument_rows, self.holders), claims)
        np.subtract.at(matrix, (self._instrument_rows, self.issuers), claims)
        matrix[-2] = (self._income @ self.payable[:, world : world + 1])[:, 0]
        matrix[-1] = self.real_assets[:, world]
        return ["cash", *self._instrument_names, "payables", "real assets"], matrix


def _frozen(array):
    array.setflags(write=False)
    return array


def _block(column, worlds):
    return _frozen(np.repeat(np.asarray(column, dtype=float)[:, None], worlds, axis=1))
