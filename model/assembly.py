"""How a model is put together: agents from the opening books, accounts on the Ledger, the values of month 0."""

import numpy as np

from agents.bank import Bank
from agents.commission import Commission
from agents.customers import CHOICES, Customers
from agents.firm import Firm, Issuer
from agents.hyperscaler import Hyperscaler
from agents.infrastructure_partner import InfrastructurePartner
from agents.lab import Lab
from agents.openai import OpenAI
from agents.private_equity_lender import PrivateEquityLender
from agents.rival_lab import RivalLab
from agents.sectors import Bondholders, ChipVendor, EquityInvestors, JointVentureCompany, RestOfTheWorld
from agents.site_company import SiteCompany
from agents.small_model_builder import SmallModelBuilder
from agents.utility import Utility
from agents.worlds import Together, WorldsModel
from model.accounts import Accounts
from model.capital import CoInvestment, Deposits, Funds, Pledges, Shares, SiteEquity
from model.compute_market import ComputeMarket
from model.contracts import WORLD, ComputeContracts, Halls, Leases, PowerContracts
from model.credit import Credit, LoanPricing, Loans
from model.demand import Demand
from model.hardware import Hardware
from model.joint_venture import JointVenture
from model.kernels_waterfall import distribute_excess, run_cascades
from model.ledger import Ledger
from model.opening import read_opening, read_values
from model.power import Power
from model.roles import LAB
from model.solvency import Solvency
from model.stress import Stress
from model.tape import Tape
from model.technology import Technology

PARTIES = {
    "openai": (OpenAI, ("lab",), None),
    "rival_lab": (RivalLab, ("rival lab",), None),
    "small_model_builder": (SmallModelBuilder, ("small-model builder",), None),
    "infrastructure_partner": (InfrastructurePartner, ("infrastructure partner",), None),
    "hyperscaler": (Hyperscaler, ("hyperscaler",), None),
    "utility": (Utility, ("utility",), None),
    "site_company": (SiteCompany, ("site",), None),
    "joint_venture_company": (JointVentureCompany, ("vehicle",), None),
    "private_equity_lender": (PrivateEquityLender, ("private-equity lender",), None),
    "bank": (Bank, ("bank",), None),
    "chip_vendor": (ChipVendor, ("sector",), "Chip vendor"),
    "customers": (Customers, ("customers",), None),
    "bondholders": (Bondholders, ("sector",), "Bondholders"),
    "equity_investors": (EquityInvestors, ("sector",), "Equity investors"),
    "rest_of_the_world": (RestOfTheWorld, ("sector",), "Rest of the world"),
}
"""Group -> class, kinds of the opening books, and the one name where a kind holds several classes."""

CLOSERS = ("Bondholders", "Equity investors", WORLD)
"""Sectors that may owe without end, beside customers: they close the books."""
FIRM_GROUPS = (
    "openai",
    "rival_lab",
    "small_model_builder",
    "infrastructure_partner",
    "hyperscaler",
    "utility",
)
ACTORS = (*(cls for cls, _, _ in PARTIES.values()), Commission)
MECHANISMS = (
    Credit,
    Demand,
    Technology,
    Power,
    ComputeMarket,
    Hardware,
    JointVenture,
    Halls,
    ComputeContracts,
    Leases,
    PowerContracts,
    Loans,
    LoanPricing,
    Shares,
    SiteEquity,
    Funds,
    CoInvestment,
    Pledges,
    Deposits,
    Accounts,
    Solvency,
    Stress,
)


class Assembly(WorldsModel):
    """All agents, mechanisms, accounts and opening values of a model, and the look-ups that rules use."""

    def __init__(self, worlds, rng, months, setting):
        super().__init__(worlds, rng)
        self.setting, self.months, self.month = setting, int(months), 0
        name = getattr(setting, "opening", None) or "end_2025"
        self.opening = read_opening(name)
        self.opening_values = read_values(name)
        self.tape, self._drawn = Tape(self.seed, self.luck, self.months), {}
        self._joined, self._declared_by = {}, {}
        self._make_agents()
        self._make_mechanisms()
        self._open_accounts()
        self.allocate()
        self._set_params()
        self._take_in_books()

    # -- building ---------------------------------------------------------------------------------------------

    def _make_agents(self):
        self.places, names = {}, []
        for group, (cls, kinds, only) in PARTIES.items():
            parties = [p.name for kind in kinds for p in self.opening.parties_of_kind(kind)]
            parties = [only] if only else parties
            self.places[group] = slice(len(names), len(names) + len(parties))
            names += parties
            for party in parties:
                cls(self, party)
        for commission in self.opening.parties_of_kind("commission"):
            Commission(self, commission.name)
        self.party_names = names
        self._rows = {name: row for row, name in enumerate(names)}
        cohort = {group: self.agents_by_type[cls] for group, (cls, _, _) in PARTIES.items()}
        self.openai, self.rivals = cohort["openai"], cohort["rival_lab"]
        self.builders, self.partners = cohort["small_model_builder"], cohort["infrastructure_partner"]
        self.hyperscalers, self.utilities = cohort["hyperscaler"], cohort["utility"]
        self.sites = cohort["site_company"]
        self.lenders = cohort["private_equity_lender"]
        self.banks = cohort["bank"]
        self.customers, self.chip_vendor = cohort["customers"], cohort["chip_vendor"]
        self.bondholders, self.equity_window = cohort["bondholders"], cohort["equity_investors"]
        self.world, self.venture = cohort["rest_of_the_world"], cohort["joint_venture_company"]
        self.commissions = self.agents_by_type[Commission]
        self.cohorts = cohort
        self.firm_cohorts = [cohort[group] for group in FIRM_GROUPS]
        self.labs = Together.of(Lab, self.firm_cohorts[:3])
        self.firms = Together.of(Firm, self.firm_cohorts)
        self.borrowers = Together.of(Issuer, self.firm_cohorts[1:])
        self._give_places()

    def _give_places(self):
        """Tell everybody which rows of blocks over all parties, and over all sellers, are its own."""
        for group, cohort in self.cohorts.items():
            cohort.place = self.places[group]
            cohort.first_row = cohort.place.start
            for agent in cohort:
                agent.place = agent.first_row = cohort.first_row + agent.row
        for several in (self.firms, self.borrowers, self.labs):
            several.first_row = several.cohorts[0].first_row
            several.place = slice(several.first_row, several.cohorts[-1].place.stop)
        self.labs.seller = slice(0, self.labs.rows)
        for cohort, rows in zip(self.labs.cohorts, self.labs.rows_of_cohorts, strict=True):
            cohort.seller = rows
            for agent in cohort:
                agent.seller = rows.start + agent.row

    def _make_mechanisms(self):
        opening = self.opening
        self.credit, self.demand, self.technology = Credit(self), Demand(self), Technology(self)
        self.power, self.compute_market, self.hardware = Power(self), ComputeMarket(self), Hardware(self)
        self.joint_venture = JointVenture(self)
        self.halls, self.compute_contracts = Halls(self, opening), ComputeContracts(self, opening)
        self.leases, self.power_contracts = Leases(self, opening), PowerContracts(self, opening)
        self.loans, self.shares = Loans(self, opening), Shares(self, opening)
        self.loan_pricing = LoanPricing(self, self.party_names)
        self.site_equity, self.funds = SiteEquity(self, opening), Funds(self, opening)
        self.co_investment, self.pledges = CoInvestment(self, opening), Pledges(self, opening)
        self.deposits, self.accounts = Deposits(self, opening), Accounts(self)
        self.solvency, self.stress = Solvency(self, self.party_names), Stress(self)

    def _open_accounts(self):
        ledger = self.ledger = Ledger(self.party_names, [*self.customers.names, *CLOSERS], WORLD)
        firms = [name for group in FIRM_GROUPS for name in self.cohorts[group].names]
        self.accounts.open_accounts(ledger, self.opening, firms)
        self.hardware.open_accounts(ledger)
        self.shares.open_accounts(ledger, firms)
        for each in (
            self.compute_contracts,
            self.leases,
            self.power_contracts,
            self.loans,
            self.site_equity,
            self.funds,
            self.co_investment,
            self.pledges,
            self.deposits,
            self.joint_venture,
        ):
            each.open_accounts(ledger)
        failing = [*firms, *self.cohorts["site_company"].names]
        self.solvency.open_accounts(ledger, failing)
        ledger.close_topology()
        self._operating = self.accounts.operating_matrix(ledger, self.firms.place)

    def _set_params(self):
        for row in self.opening_values["value"]:
            self.set_param(row["path"], row["value"])
        for path, value in dict(getattr(self.setting, "params", None) or {}).items():
            self.set_param(path, value)

    def _take_in_books(self):
        ledger, opening = self.ledger, self.opening
        cash = [opening.party(name).cash for name in self.party_names]
        claims = np.zeros(len(ledger.claim_names))
        claims[self.loans.claims] = self.loans.opening_drawn
        claims[self.shares.opening] = [c.amount for c in self.shares.stakes]
        claims[self.site_equity.claims] = self.site_equity.opening_drawn
        claims[self.deposits.claims] = [c.drawn for c in self.deposits.contracts]
        assets = np.zeros(len(self.party_names))
        for contract in opening.contracts_of_kind("fixed asset"):
            assets[self.row(contract.debtor)] += contract.amount
        ledger.allocate(self.worlds, cash, claims, assets)
        self.opening_cash = ledger.cash
        self.shares_held = np.zeros_like(ledger.cash)
        self._open_markets()
        for contracts in (self.halls, self.compute_contracts, self.loans, self.shares):
            contracts.sign()
        self.solvency.measure()
        self.banks.do("measure_exposure")
        self.loan_pricing.quote()

    def _open_markets(self):
        """Calibrate who sells what to whom, and give firms the earnings of last year."""
        mix, outside = self.opening_values["revenue_mix"], self.opening_values["outside_share"]
        sold = np.zeros((CHOICES, len(self.customers), 1))
        for seller, name in enumerate(self.labs.names):
            for segment, who in enumerate(self.customers.names):
                sold[seller, segment] = self.opening.party(name).revenue * mix.get(name, {}).get(who, 0.0)
        spent = np.cumsum(sold, axis=0)[-1] / (1.0 - np.array([[outside[n]] for n in self.customers.names]))
        shares = sold / spent
        shares[-1] = [[outside[n]] for n in self.customers.names]
        self.customers.spending = np.broadcast_to(spent, (len(self.customers), self.worlds))
        self.customers.shares = np.broadcast_to(shares, (*shares.shape[:2], self.worlds))
        self.customers.appeal = self.demand.calibrate(self.customers.shares)
        for cohort in (self.openai, self.rivals, self.builders):
            revenue = np.array([[self.opening.party(name).revenue] for name in cohort.names])
            cohort.revenue = np.broadcast_to(revenue, (len(cohort), self.worlds))
            if "revenue_year_ago" in type(cohort)._states:
                cohort.revenue_year_ago = cohort.revenue * cohort.revenue_last_year
            used = np.array([[max(self.opening.party(name).capacity_gw, 0.01)] for name in cohort.names])
            cohort.compute_used = np.broadcast_to(used, (len(cohort), self.worlds))
            trained = np.maximum(used * cohort.training_share / cohort.training_decay, 1e-3)
            cohort.training_stock = trained
            cohort.opening_stock = trained
        for cohort in (self.partners, self.hyperscalers, self.utilities):
            earned = [
                self.opening.party(n).revenue * self.opening.party(n).ebitda_margin for n in cohort.names
            ]
            cohort.earnings = np.broadcast_to(np.array(earned)[:, None], (len(cohort), self.worlds))
        gw = np.array([[p.capacity_gw] for p in self.opening.parties_of_kind("hyperscaler")])
        self.opening_capacity = gw
        value = self.opening.party(LAB).terms["equity_value"]
        self.equity_window.valuation = np.full((1, self.worlds), value)
        self.hyperscalers.capacity = np.broadcast_to(gw, (len(self.hyperscalers), self.worlds))
        self.demand.open_market()

    # -- look-ups that rules use -----------------------------------------------------------------------------

    def row(self, name):
        """Give the row of a party in blocks over all parties."""
        return self._rows[name]

    def draw(self, stream, kind="uniform"):
        """Give this month's draws of a named stream, ``(1, worlds)``."""
        return self.draw_all(stream, kind)[self.month]

    def draw_all(self, stream, kind="uniform"):
        """Give the draws of a named stream in all months, ``(months, 1, worlds)``."""
        drawn = self._drawn.get((stream, kind))
        if drawn is None:
            drawn = self._drawn[stream, kind] = getattr(self.tape, kind)(stream)[:, None, :]
        return drawn

    def draw_once(self, stream, kind="uniform"):
        """Give the draws of a stream that is drawn once, at month 0, ``(1, worlds)``."""
        return getattr(self.tape, kind)(stream)[0][None, :]

    def draw_rows(self, stream, cohort, kind="uniform"):
        """Give this month's draws of a stream for each agent of a cohort, ``(agents, worlds)``."""
        drawn = self._drawn.get((stream, kind, cohort.group))
        if drawn is None:
            each = [getattr(self.tape, kind)(f"{stream} | {name}") for name in cohort.names]
            drawn = self._drawn[stream, kind, cohort.group] = np.stack(each, axis=1)
        return drawn[self.month]

    def party_block(self, state):
        """Join a State or Param of all parties, ``(parties, worlds)``, read-only; zero where it is not declared."""
        whole = self._joined.get(state)
        if whole is not None:
            return whole
        whole, (holders, is_param) = np.zeros((len(self.party_names), self.worlds)), self._declaring(state)
        for holder in holders:
            whole[holder.place] = getattr(holder, state)
        whole.setflags(write=False)
        if is_param:  # the same until a Param is set
            self._joined[state] = whole
            self.made_of_params.append((self._joined, state))
        return whole

    def _declaring(self, state):
        """Who declares a State or Param, all firms as one; and whether it is a Param."""
        found = self._declared_by.get(state)
        if found is None:
            cohorts = [
                cohort for cohort in self.cohorts.values() if state in {*cohort._states, *cohort._params}
            ]
            holders = [self.firms] if state in Firm._states else cohorts  # all that declare it are firms then
            found = self._declared_by[state] = holders, any(state in cohort._params for cohort in cohorts)
        return found

    def seller_block(self, state):
        """Join a State of OpenAI, its rivals and the small builders, in the order of customers' choices."""
        return getattr(self.labs, state)

    @property
    def alive(self):
        """1 for each party in the market, 0 once legal default has taken it out, ``(parties, worlds)``."""
        closed, alive = self._alive
        if closed is not self.ledger.closed:
            alive = 1.0 - self.ledger.closed
            self._alive = self.ledger.closed, alive
        return alive

    _alive = None, None

    @property
    def lease_energised(self):
        """Energised GW of each lease: by its halls, and others' sites from the end of their construction."""
        energised, first = np.empty((self.leases.rows, self.worlds)), self.halls.rows
        energised[:first] = self.halls.energised
        complete = self.halls.months_left_of_others == 0
        energised[first:] = (self.leases.full_gw[first:] * complete)[:, None]
        return energised

    @property
    def lease_rent_year(self):
        """Rent a year that each site earns at present, ``(sites, worlds)``, US$bn."""
        return (self.leases.rent_billed + self.leases.rent_from_others) * 12.0

    @property
    def operating_cash(self):
        """Operating cash of every firm this month, read off the Ledger's journal, ``(firms, worlds)``."""
        return self._operating @ self.ledger.flow

    def committed_equity(self):
        """Give the monthly equity of the neutral case, ``(1, worlds)``; nothing after 2030."""
        window, year = self.equity_window, self.month // 12
        yearly = (
            window.committed_2026,
            window.committed_2027,
            window.committed_2028,
            window.committed_2029,
            window.committed_2030,
        )
        return yearly[year] / 12.0 if year < len(yearly) else np.zeros((1, self.worlds))

    def run_cascade(self, first, *of_sites):
        """Run sites' cash down their cascades, from party `first` on; they pay out when a quarter ends."""
        rows = first, first - self.sites.first_row
        run_cascades(self.month % 3 == 2, *rows, self.ledger.cash, self.ledger.closed, *of_sites)

    def run_waterfall(self, first, *of_funds):
        """Hand what funds have beyond their bills down their waterfalls (`distribute_excess`)."""
        of_all = self.ledger.cash, self.outgoing, self.ledger.closed
        distribute_excess(first, *of_all, *of_funds)

    def why_short(self, name):
        """Say in words what a party was short of when it missed a bill."""
        return CAUSES.get(self._group_of(name), "bills exceeded cash and what could be borrowed")

    def _group_of(self, name):
        row = self.row(name)
        return next(group for group, place in self.places.items() if place.start <= row < place.stop)


CAUSES = {
    "openai": "take-or-pay bills and costs exceeded revenue, and no new money came in",
    "infrastructure_partner": "debt, rent and chips exceeded what customers paid and markets lent",
    "site_company": "rent received did not cover the debt due, or a bullet could not be refinanced",
    "rival_lab": "costs exceeded revenue and investors gave no more",
    "small_model_builder": "costs exceeded revenue and investors gave no more",
    "hyperscaler": "bills exceeded cash flow and borrowing",
    "utility": "costs exceeded the bills that the commission allowed",
}
