"""Solvency: from a missed bill to legal default, and what happens to the estate.

One path for every party: a bill is missed and waived - the lab asks for a lower price, once - standstill - legal
default: assets are sold, claims are filed, the next clearing pays them by seniority, the rest is written off.
Three outcomes are reported apart: 60 days missed, a distressed exchange, legal default.
"""

import numpy as np

from agents.worlds import Mechanism, Param, State, of_params
from model.contracts import OPERATIONS, WORLD
from model.kernels_solvency import (
    count_missed,
    declare_defaults,
    find_defaults,
    find_trapped,
    grant_cuts,
    left_after_default,
    may_renegotiate,
    owed_and_lent,
    price_estates,
)
from model.ledger import ASSET_SALE
from model.roles import LAB
from model.sums import total

NEVER = 10_000
RESCUES = ("none", "renegotiable", "public backstop")
BACKSTOP = RESCUES.index("public backstop")


class Solvency(Mechanism):
    """Arrears, standstill, default and estates of all parties: one row per party."""

    group = "solvency"

    waiver = Param(1, "months", (0, 6), "Months of arrears that creditors waive at first.", whole=True)
    standstill = Param(
        3, "months", (1, 12), "Months of arrears after the waiver after which default is legal.", whole=True
    )
    rescue = Param(
        "renegotiable",
        "choice",
        None,
        "What happens when the lab cannot pay: nothing, a lower price, or that and public money.",
        choices=RESCUES,
    )
    backstop_cap = Param(50.0, "US$bn a year", (0.0, 300.0), "Most that the public pays in a year.")
    survival_if_granted = Param(
        0.5, "probability", (0.0, 1.0), "Chance that sellers give the lab to live on at the lower price."
    )
    expected_recovery = Param(
        0.1, "share", (0.0, 0.6), "What sellers expect of their claims for damages if it does not."
    )
    cross_acceleration = Param(
        True, "yes/no", None, "Whether legal default spreads to those whose loans refer to it; default does."
    )
    liquidation_cost = Param(0.08, "share", (0.0, 0.4), "Share of an estate's proceeds that its sale costs.")
    estate_multiple = Param(
        0.5, "x revenue", (0.0, 5.0), "What buyers pay for the lab's models and customers, over its revenue."
    )
    trap_horizon = Param(24, "months", (6, 60), "Horizon of the trap test.", whole=True)

    months_missed = State("months", "months in arrears", dtype=int)
    missed_month = State("month", "first month with a bill 60 days overdue", dtype=int, default=NEVER)
    distressed_month = State("month", "month of a distressed exchange", dtype=int, default=NEVER)
    default_month = State("month", "month of legal default", dtype=int, default=NEVER)
    cross_defaulted = State("yes/no", "in default only since a debt that its loans refer to is", dtype=bool)
    estate = State("yes/no", "whether an estate is to be paid out", dtype=bool)
    debt = State("US$bn", "loans and bonds owed")
    lent = State("US$bn", "loans and bonds held")
    lent_linked = State("US$bn", "loans held that the lab's payments serve")
    loss_now = State("US$bn", "written off this month")
    loss = State("US$bn", "written off so far")
    concession = State(
        "US$bn", "present value of five years' minimum payments given up by renegotiation so far"
    )
    public_money = State("US$bn", "paid by the public so far")
    trapped = State("yes/no", "whether it could at some month not meet the horizon's obligations", dtype=bool)
    renegotiated = State("yes/no", "whether its prices have been renegotiated", dtype=bool)
    shortfall = State("US$bn", "bills unpaid")
    paid_share = State("share", "share of its bills that each party paid last", default=1.0)

    measures = ("loss",)

    def __init__(self, model, parties):
        super().__init__(model)
        self.rows, self.party_names = len(parties), tuple(parties)
        self.why_short = tuple(map(model.why_short, parties))

    def open_accounts(self, ledger, firms):
        """Open the legs of estates: sale of assets, of the lab's models, costs, and what is left."""
        self.firms = firms
        self.firm = np.array([ledger.index[name] for name in firms])
        world = [WORLD] * len(firms)
        self.sales = ledger.open_family("liquidation", world, firms, nature=ASSET_SALE, cleared=False)
        self.costs = ledger.open_family("liquidation cost", firms, world, seniority=OPERATIONS)
        self.models = ledger.open_family("sale of the lab", [WORLD], [LAB], cleared=False)
        self.rest = ledger.open_family("rest of estates", firms, world, cleared=False)
        self.backstop = ledger.open_family("public backstop", [WORLD], [LAB], cleared=False)
        self.may_fail = np.isin(np.arange(self.rows), self.firm)
        references = np.zeros((self.rows, self.rows), dtype=bool)
        opening = self.model.opening
        rivals = opening.parties_of_kind("rival lab")
        parents = [(lab.name, lab.terms["parent"]) for lab in rivals if "parent" in lab.terms]
        for borrower, referenced in (*parents, (opening.roles.vehicle, LAB)):
            references[ledger.index[borrower], ledger.index[referenced]] = True
        self.bound = np.flatnonzero(references.any(axis=0) | references.any(axis=1))
        self.references = references
        self.clauses = np.ascontiguousarray(references[np.ix_(self.bound, self.bound)][:, :, None])

    def measure(self):
        """Read debts, loans and unpaid bills off the Ledger."""
        loans, ledger, shape = self.model.loans, self.model.ledger, self.debt.shape
        debt, lent, lent_linked = np.empty(shape), np.empty(shape), np.empty(shape)
        ends, unpaid = (loans.debtor, loans.lender, loans.linked), np.empty(shape)
        bills = ledger.payer, ledger.payable[ledger.cleared]
        owed_and_lent(*ends, loans.balance, *bills, debt, lent, lent_linked, unpaid)
        self.debt, self.lent, self.lent_linked, self.shortfall = debt, lent, lent_linked, unpaid

    def count_arrears(self):
        """Count the months in arrears; 60 days make a missed payment."""
        shape = self.months_missed.shape
        missed, month = np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.int64)
        started = np.empty(shape, dtype=bool)
        some = count_missed(
            self.model.month + 1,
            self.shortfall,
            self.model.outgoing,
            self.may_fail,
            self.model.ledger.closed,
            self.months_missed,
            self.missed_month,
            NEVER,
            missed,
            month,
            started,
        )
        self.months_missed, self.missed_month = missed, month
        if some:
            said = self.party_names, started, self.shortfall
            self.model.history.event("missed payment", *said, because=self.why_short)

    def renegotiate(self):
        """Let the lab ask for a lower price once, when a waiver has not helped; each seller decides for itself.

        What a seller gives up is noted as its concession; a cut above 10% is a distressed exchange.
        """
        lab, contracts = self.model.openai, self.model.compute_contracts
        row, asks = self.model.row(LAB), np.empty(lab.renegotiates.shape, dtype=bool)
        wants = lab.renegotiates, lab.renegotiation_cut
        if not may_renegotiate(
            row, self.months_missed, self.waiver, self.renegotiated, *wants, self.rescue, asks
        ):
            return
        owed = contracts.worth_of_floors()[0] * contracts.of_openai[:, None]
        market, given = self.model.compute_market, np.empty(owed.shape)
        grants = np.empty(owed.shape, dtype=bool)
        price = contracts.price.copy()
        concession = np.empty(self.debt.shape)
        _, let, _ = market.let_of(contracts.available * contracts.of_openai[:, None])
        sellers = self.model.shares.market_value, contracts.seller, contracts.of_openai
        instead = let, market.old_rent, self.expected_recovery, self.survival_if_granted, self.concession
        grant_cuts(asks, lab.renegotiation_cut, owed, *sellers, *instead, grants, price, given, concession)
        contracts.agree_on(price)
        self.concession = concession
        lab_row = np.arange(self.rows)[:, None] == row
        self.renegotiated = self.renegotiated | (lab_row & asks)
        granted = np.logical_or.reduce(grants, axis=0)
        distressed = lab_row & granted & (lab.renegotiation_cut > 0.1)
        self.distressed_month = np.where(distressed, self.model.month + 1, self.distressed_month)
        self.model.history.event(
            "renegotiation",
            LAB,
            granted,
            amount=total(given),
            because="a bill was missed and sellers prefer less to a claim",
        )

    def rescue_lab(self):
        """Let the public pay what the lab is short of after all its own sources, within the yearly cap."""
        if not self._some_backstop:
            return
        lab = self.model.openai
        short = np.maximum(lab.outgoing - lab.expected_incoming - lab.cash, 0.0) * ~lab.closed
        paid = self.model.ledger.pay(
            self.backstop, np.minimum(short, self.backstop_cap / 12.0) * (self.rescue == BACKSTOP)
        )
        lab_row = np.arange(self.rows)[:, None] == self.model.row(LAB)
        self.public_money = self.public_money + lab_row * paid

    @of_params
    def _some_backstop(self):
        """Whether the public backs the lab in any world."""
        return bool((self.rescue == BACKSTOP).any())

    def default(self):
        """Declare legal default after the standstill, with those whose contracts refer to the defaulter.

        A loan refers to another's: once that is in default, by arrears of 60 days or a breach, draws on it stop, and
        once that is called it is called too (`cross_acceleration`). A borrower's own loans all refer to one another:
        its arrears and covenants count for all of them.
        """
        shape, sites = self.estate.shape, self.model.sites
        own, cross_defaulted = np.empty(shape, dtype=bool), np.empty(shape, dtype=bool)
        some = find_defaults(
            self.months_missed,
            self.model.ledger.closed,
            self.model.places["site_company"].start,
            sites.event_of_default,
            sites.called,
            self.waiver,
            self.standstill,
            self.bound,
            self.clauses,
            self.debt,
            own,
            cross_defaulted,
        )
        self.cross_defaulted = cross_defaulted
        self._wind_up()
        if some:
            self._open_estates(own)

    def _open_estates(self, own):
        """Take the parties in default, by their `own` doing or by reference, out of the market; sell what they have."""
        ledger = self.model.ledger
        new, default_month = np.empty(own.shape, dtype=bool), np.empty(own.shape, dtype=np.int64)
        gone, cross_defaulted = np.empty(own.shape, dtype=bool), np.empty(own.shape, dtype=bool)
        declare_defaults(
            self.model.month + 1,
            own,
            self.default_month,
            NEVER,
            self.bound,
            self.clauses,
            self.debt,
            self.cross_acceleration,
            ledger.closed,
            self.may_fail,
            self.cross_defaulted,
            new,
            default_month,
            gone,
            cross_defaulted,
        )
        self.default_month = default_month
        self._sell_assets(new)
        self.model.compute_contracts.terminate(new)
        self.model.leases.reject(new)
        self.model.loans.accelerate(new)
        ledger.close_parties(gone)
        self.cross_defaulted, self.estate = cross_defaulted, new
        said = self.party_names, new, self.debt
        self.model.history.event("legal default", *said, because="arrears for longer than the standstill")

    def _sell_assets(self, new):
        """Sell the assets of new estates to the rest of the world; write down what they do not fetch."""
        model, ledger, lab = self.model, self.model.ledger, self.model.openai
        proceeds = np.empty((len(self.firm), self.worlds))
        worth = model.party_block("liquidation_value"), model.hardware.asset_value_share
        price_estates(new, ledger.real_assets, *worth, self.firm, proceeds)
        received = ledger.pay(self.sales, proceeds)
        ledger.write_down(new)
        own = new[model.row(LAB)]
        if own.any():
            ip = ledger.pay(self.models, self.estate_multiple * lab.revenue * own)
            model.joint_venture.enforce_lien(ip * (1.0 - self.liquidation_cost))
            received = received + (self.firm == model.row(LAB))[:, None] * ip
        ledger.file(self.costs, received * self.liquidation_cost)

    def _wind_up(self):
        """Write off what last month's estates could not pay; hand what they still receive to the world."""
        ledger = self.model.ledger
        if self.estate.any():
            self.model.loans.note_losses(self.estate)
            self.loss_now = ledger.write_off(self.estate)
            self.loss = self.loss + self.loss_now
            # What an estate has paid for in its last clearing, such as ordered chips, finds no buyer any more.
            ledger.write_down(self.estate)
            self.estate = np.zeros(self.estate.shape, dtype=bool)
        else:
            self.loss_now = np.zeros(self.loss.shape)
        left = np.empty((len(self.firm), self.worlds))
        if left_after_default(ledger.cash, ledger.closed, self.firm, left):
            ledger.pay(self.rest, left, even_closed=True)

    def test_trap(self):
        """Test, each quarter, the weak form of the trap: do cash, lines and projected operations meet the horizon?

        For the lab: minimum payments, staff and revenue share against revenue that grows along the curve. For
        other firms: debt service against earnings; for sites in service: debt service against rent.
        """
        model, ledger, lab = self.model, self.model.ledger, self.model.openai
        if model.month % 3 != 2:
            return
        trapped, loans, leases = np.empty(self.trapped.shape, dtype=bool), model.loans, model.leases
        find_trapped(
            ledger.cash,
            loans.line_undrawn,
            model.party_block("earnings"),
            loans.service_of_parties,
            self.trap_horizon,
            self.may_fail,
            ledger.closed,
            model.places["site_company"].start,
            model.sites.months_complete,
            leases.rent_billed,
            leases.rent_from_others,
            model.sites.operating_share,
            loans.service_of_sites,
            model.row(LAB),
            lab.revenue,
            model.demand.curve_growth,
            model.compute_contracts.minimum_due(self.trap_horizon),
            lab.cost_level,
            model.accounts.revenue_share * (model.month < model.accounts.share_until),
            model.equity_window.signed_total,
            self.trapped,
            trapped,
        )
        self.trapped = trapped
