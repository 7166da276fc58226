"""Equity in all its forms: shares and rounds, site equity, funds and their investors, co-investment, deposits."""

import numpy as np

from agents.worlds import Mechanism, State, of_params
from model.contracts import UNSECURED, WORLD
from model.kernels_capital import (
    add_promised,
    add_uncalled,
    ask_for_cures,
    ask_investors,
    ask_owners,
    hand_out_shares,
    leave_to_the_market,
    split_by_site,
    split_pledges,
    split_round,
    value_shares,
)
from model.ledger import ASSET_SALE, CLAIM
from model.roles import LAB
from model.sums import Adder, adder_into, incidence, total


class Shares(Mechanism):
    """Shares at paid-in value: opening stakes in the lab, its rounds, and new shares of every firm."""

    group = "shares"

    owned = State("share", "share of OpenAI held: opening stakes, then round investors")

    def __init__(self, model, opening):
        super().__init__(model)
        self.stakes = opening.contracts_of_kind("equity stake")
        self.rows = len(self.stakes) + 3

    def open_accounts(self, ledger, firms):
        """Open opening stakes, the rounds of the lab, and a leg of new shares for each firm."""
        holders = [c.creditor for c in self.stakes]
        self.opening = ledger.open_claims(
            "shares", [c.id for c in self.stakes], holders, [c.debtor for c in self.stakes]
        )
        holding = self.model.opening.roles.holding
        investors = [holding, "Chip vendor", "Equity investors"]
        rows = ledger.open_claims("shares", [f"rounds {name}" for name in investors], investors, [LAB] * 3)
        self.rounds = ledger.open_family(
            "equity round", investors, [LAB] * 3, nature=CLAIM, claims=rows, sign=1, cleared=False
        )
        self.holder = np.array([ledger.index[name] for name in (*holders, *investors)])
        self.firms = [name for name in firms if name != LAB]
        market = ["Equity investors"] * len(self.firms)
        rows = ledger.open_claims("shares", [f"new shares {name}" for name in self.firms], market, self.firms)
        self.issues = ledger.open_family(
            "share issue", market, self.firms, nature=CLAIM, claims=rows, sign=1, cleared=False
        )
        self.dividends = ledger.open_family("dividend", self.firms, market, cleared=False)
        self.sales = ledger.open_family(
            "sale of holdings", [WORLD], [holding], nature=ASSET_SALE, cleared=False
        )
        row = self.model.partners.names.index(holding)
        self._of_holding = slice(row, row + 1)

    def pay_round(self):
        """Pay the month's round: who has holdings and the chip vendor their shares while they can, the market all else.

        New shares go to those who paid, at the last valuation: owned = owned x (1 - new) + paid / value.
        """
        model, partners, wanted = self.model, self.model.partners, np.empty((3, self.worlds))
        has_round = split_round(
            partners.first_row,
            partners.loan_to_value,
            partners.loan_to_value_ceiling,
            model.solvency.months_missed,
            partners.round_share,
            partners.sells_holdings,
            model.chip_vendor.round_share,
            model.equity_window.round_now,
            wanted,
        )
        if not has_round:
            return
        paid = model.ledger.pay(self.rounds, wanted)
        gap = np.empty(wanted.shape)
        owned = np.empty(self.owned.shape)
        if leave_to_the_market(wanted, paid, gap):
            paid = paid + model.ledger.pay(self.rounds, gap)
        hand_out_shares(paid, model.equity_window.valuation, self.owned, owned)
        self.owned = owned

    def sign(self):
        """Take over the opening stakes at month 0."""
        opening = np.array([c.price for c in self.stakes] + [0.0] * 3)
        self.owned = np.broadcast_to(opening[:, None], (self.rows, self.worlds))

    @property
    def market_value(self):
        """What the shares of OpenAI held by each party are worth at its valuation, ``(parties, worlds)``."""
        value = np.empty((len(self.model.party_names), self.worlds))
        value_shares(self.owned, self.model.equity_window.valuation, self.holder, value)
        return value

    def issue(self, wanted):
        """Sell new shares of firms to the market; `wanted` is ``(firms but the lab, worlds)``."""
        return self.model.ledger.pay(self.issues, wanted)

    def pay_dividends(self, wanted):
        """Pay dividends and buybacks; `wanted` is ``(firms but the lab, worlds)``."""
        return self.model.ledger.pay(self.dividends, wanted)

    def sell_holdings(self, wanted):
        """Sell a partner's holdings at book value to the rest of the world; `wanted` is ``(partners, worlds)``."""
        return self.model.ledger.pay(self.sales, wanted[self._of_holding])


class SiteEquity(Mechanism):
    """Equity of the owners in the site companies: paid in before the loan, paid out after it."""

    group = "site_equity"

    promised = State("US$bn", "promised beyond the commitment, for a refinancing that falls short")

    def __init__(self, model, opening):
        super().__init__(model)
        self.contracts = opening.contracts_of_kind("site equity")
        self.rows = len(self.contracts)
        self.amount = np.array([c.amount for c in self.contracts])[:, None]
        self.opening_drawn = np.array([c.drawn for c in self.contracts])
        self.site = np.array([opening.roles.sites.index(c.debtor) for c in self.contracts])

    def open_accounts(self, ledger):
        """Open the claims of the owners, contributions and distributions."""
        sites, owners = [c.debtor for c in self.contracts], [c.creditor for c in self.contracts]
        self.owner = np.array([ledger.index[name] for name in owners])
        self.claims = ledger.open_claims("site equity", [c.id for c in self.contracts], owners, sites)
        self.contributions = ledger.open_family(
            "site equity", owners, sites, nature=CLAIM, claims=self.claims, sign=1, cleared=False
        )
        self.distributions = ledger.open_family("site distribution", sites, owners, cleared=False)
        self._claim_rows = slice(int(self.claims[0]), int(self.claims[-1]) + 1)
        self.by_site = adder_into(self.site, self.model.sites.rows)

    @property
    def paid_in(self):
        """Equity paid in, ``(contracts, worlds)``, US$bn."""
        return self.model.ledger.claims[self._claim_rows]

    @property
    def uncalled(self):
        """Equity promised to each site and not yet paid, ``(sites, worlds)``."""
        uncalled = np.empty((self.by_site.shape[0], self.worlds))
        owners = (self.owner, self.model.ledger.closed)
        add_promised(self.amount, self.promised, self.paid_in, *owners, self.site, uncalled)
        return uncalled

    def promise(self, gap):
        """Let owners promise equity for a site's refinancing gap ``(sites, worlds)``: a share of what they paid in.

        They do so while credit flows, up to half of their cash and uncalled commitments; what is promised is
        called with the bills.
        """
        credit, ledger = self.model.credit, self.model.ledger
        if not gap.any():
            return
        paid_in = self.paid_in
        asked = self._split(gap, paid_in)
        able = ~ledger.closed.take(self.owner, axis=0) & ~credit.frozen
        spare = 0.5 * np.maximum(ledger.cash + self.model.funds.uncalled, 0.0)
        most = np.minimum(credit.sponsor_support * paid_in, np.take(spare, self.owner, axis=0))
        self.promised = self.promised + np.minimum(asked, most) * able

    def cure(self):
        """Let owners cure breaches of their sites: they pay what is needed, and the site prepays its loan with it.

        Each owner pays in proportion to what it paid in, from half of its cash and, as a fund, from calls on its
        investors; a site is cured in full or not at all.
        """
        sites, ledger, funds = self.model.sites, self.model.ledger, self.model.funds
        if (
            self.model.month % 3 != 2 or not sites.cure_needed.any()
        ):  # covenants are tested when a quarter ends
            return
        needed, paid_in, called = sites.cure_needed, self.paid_in, np.empty(ledger.cash.shape)
        asked = np.empty(paid_in.shape)
        whole = np.empty(needed.shape)
        refused = np.empty(needed.shape, dtype=bool)
        means = ledger.cash, ledger.closed, funds.uncalled
        ask_for_cures(needed, paid_in, *means, self.site, self.owner, whole, refused, asked, called)
        funds.call(called)
        paid = self.by_site @ ledger.pay(self.contributions, asked)
        sites.heal(self.model.loans.sweep(paid))
        self.model.history.event(
            "equity cure",
            list(sites.names),
            paid > 0.0,
            amount=paid,
            because="cover or value had fallen below the covenant, and the site is worth more than it owes",
        )

    def _split(self, by_site, weight):
        """Split what concerns each site among its contracts, pro rata to a weight of each."""
        split = np.empty(weight.shape)
        split_by_site(by_site, self.site, weight, split)
        return split

    def asked(self):
        """Split what sites call among their owners, pro rata to what they still owe.

        By contract, or None where no site calls anything, and by party.
        """
        by_contract, by_party = np.empty(self.promised.shape), np.empty(self.model.ledger.cash.shape)
        owed = self.model.sites.equity_call, self.amount, self.promised, self.paid_in
        some = ask_owners(*owed, self.site, self.owner, by_contract, by_party)
        return by_contract if some else None, by_party

    def pay_in(self, asked):
        """Pay what the sites call, as `asked` of the owners."""
        self.model.ledger.pay(self.contributions, asked)

    def pay_out(self):
        """Distribute to the owners, pro rata to what they paid in."""
        distribution = self.model.sites.distribution
        if distribution.any():
            self.model.ledger.pay(self.distributions, self._split(distribution, self.paid_in))


class Funds(Mechanism):
    """Commitments of investors to funds: called when needed, never counted as cash."""

    group = "fund"

    called = State("US$bn", "called so far")

    def __init__(self, model, opening):
        super().__init__(model)
        self.contracts = opening.contracts_of_kind("fund commitment")
        self.rows = len(self.contracts)
        self.amount = np.array([c.amount for c in self.contracts])[:, None]
        self.end = np.array([c.start_month + c.tenor_months for c in self.contracts])[:, None]

    def open_accounts(self, ledger):
        """Open the investors' interests, calls and distributions."""
        investors, managers = [c.debtor for c in self.contracts], [c.creditor for c in self.contracts]
        self.manager = np.array([ledger.index[name] for name in managers])
        self.claims = ledger.open_claims("fund interest", [c.id for c in self.contracts], investors, managers)
        self.calls = ledger.open_family(
            "capital call", investors, managers, nature=CLAIM, claims=self.claims, sign=1, cleared=False
        )
        self.distributions = ledger.open_family("fund distribution", managers, investors, cleared=False)

    @property
    def uncalled(self):
        """Commitments not yet called and not yet lapsed, per party, ``(parties, worlds)``."""
        uncalled = np.empty((len(self.model.party_names), self.worlds))
        add_uncalled(self.amount, self.called, self.end, self.model.month, self.manager, uncalled)
        return uncalled

    def call(self, wanted):
        """Call capital; `wanted` is ``(parties, worlds)``."""
        asked, ends = np.empty(self.called.shape), (self.end, self.model.month, self.manager)
        ask_investors(self.amount, self.called, *ends, wanted, asked)
        self.called = self.called + self.model.ledger.pay(self.calls, asked)

    def pay_out(self, amounts):
        """Distribute to investors; `amounts` is ``(parties, worlds)``."""
        self.model.ledger.pay(self.distributions, np.take(amounts, self.manager, axis=0))


class CoInvestment(Mechanism):
    """Equity that the hyperscalers put into the build instead of loans, pro rata to their cash flow."""

    group = "co_investment"

    paid_in = State("US$bn", "paid in so far")

    def __init__(self, model, opening):
        super().__init__(model)
        self.investors = [party.name for party in opening.parties_of_kind("hyperscaler")]
        weight = np.array([p.operating_cash_flow for p in opening.parties_of_kind("hyperscaler")])
        weight = weight / weight.sum()  # bit-safe: constants
        self.funded = (*opening.roles.campuses, *opening.roles.builders)
        self.weight = np.tile(weight, len(self.funded))[:, None]
        self.rows = len(self.funded) * len(self.investors)

    def open_accounts(self, ledger):
        """Open a claim and a leg for each investor in each co-funded party."""
        issuers = [name for name in self.funded for _ in self.investors]
        holders = self.investors * len(self.funded)
        names = [f"{holder} in {issuer}" for holder, issuer in zip(holders, issuers, strict=True)]
        self.claims = ledger.open_claims("co-investment", names, holders, issuers)
        self.legs = ledger.open_family(
            "co-investment", holders, issuers, nature=CLAIM, claims=self.claims, sign=1, cleared=False
        )
        self.issuer = np.array([ledger.index[name] for name in issuers])
        sites = self.model.sites.names
        to_sites = [sites.index(name) if name in sites else len(sites) for name in issuers]
        self._to_sites = Adder(incidence(np.array(to_sites), len(sites) + 1)[:-1])

    @of_params
    def share(self):
        """Share of new loans that the hyperscalers replace by equity, ``(1, worlds)``; None where it is nothing."""
        share = self.model.hyperscalers.co_investment_share.max(axis=0)[None, :]
        return share if share.any() else None

    def put_in(self, wanted):
        """Pay `wanted` ``(parties, worlds)`` into the co-funded parties."""
        paid = self.model.ledger.pay(self.legs, np.take(wanted, self.issuer, axis=0) * self.weight)
        self.paid_in = self.paid_in + paid

    @property
    def of_sites(self):
        """What hyperscalers put into each site this month instead of loans, ``(sites, worlds)``."""
        if self.share is None:
            return np.zeros((self._to_sites.shape[0], self.worlds))
        return self._to_sites @ self.model.ledger.flow[self.legs.legs]


class Pledges(Mechanism):
    """Equity pledged to the vehicle: called only when announced capacity becomes firm."""

    group = "pledge"

    called = State("US$bn", "called so far")

    def __init__(self, model, opening):
        super().__init__(model)
        self.contracts = opening.contracts_of_kind("equity pledge")
        self.rows = len(self.contracts)
        self.amount = np.array([c.amount for c in self.contracts])[:, None]

    def open_accounts(self, ledger):
        """Open the claims and the calls."""
        holders = [c.debtor for c in self.contracts]
        issuers = [c.creditor for c in self.contracts]
        self.claims = ledger.open_claims("pledged equity", [c.id for c in self.contracts], holders, issuers)
        self.calls = ledger.open_family(
            "pledge call", holders, issuers, nature=CLAIM, claims=self.claims, sign=1, cleared=False
        )

    @property
    def uncalled(self):
        """Pledged and not yet called, ``(1, worlds)``, US$bn."""
        return total(np.maximum(self.amount - self.called, 0.0))[None, :]

    def call(self, wanted):
        """Call `wanted` ``(1, worlds)`` from the pledgers, pro rata to what they still owe."""
        asked = np.empty(self.called.shape)
        if split_pledges(self.amount, self.called, wanted, asked):
            self.called = self.called + self.model.ledger.pay(self.calls, asked)


class Deposits(Mechanism):
    """Deposits that fund the banks, and their interest."""

    group = "deposit"

    def __init__(self, model, opening):
        super().__init__(model)
        self.contracts = opening.contracts_of_kind("deposits")
        self.rows = len(self.contracts)

    def open_accounts(self, ledger):
        """Open the depositors' claims and the interest legs."""
        banks = [c.debtor for c in self.contracts]
        savers = [c.creditor for c in self.contracts]
        self.claims = ledger.open_claims("deposits", [c.id for c in self.contracts], savers, banks)
        self._claim_rows = slice(int(self.claims[0]), int(self.claims[-1]) + 1)
        self.interest = ledger.open_family("deposit interest", banks, savers, seniority=UNSECURED)

    @property
    def balance(self):
        """Deposits of each bank, ``(banks, worlds)``."""
        return self.model.ledger.claims[self._claim_rows]
