"""The accounts of everyday business: sales, operating costs, investment, chips, and the sectors that close them."""

import math

import numpy as np

from agents.worlds import Mechanism, Param, of_params
from model.contracts import JUNIOR, OPERATIONS, SECURED, WORLD
from model.kernels_accounts import (
    add_costs,
    add_segments,
    build_within_means,
    buy_compute,
    charge_for_service,
    draw_for_chips,
    order_chips,
    part_fee,
    part_gain_from_loss,
    part_investment,
    part_surplus,
)
from model.ledger import ASSET
from model.roles import LAB
from model.sums import total

OPERATING_KINDS = (
    "sales",
    "take-or-pay",
    "renewal",
    "re-letting",
    "power pass-through",
    "rent",
    "rent of a new tenant",
    "power",
    "operating cost",
    "compute purchase",
    "other business",
    "revenue share",
    "take-or-pay to second owners",
    "rent to second owners",
    "parent funding",
)


class Accounts(Mechanism):
    """Everyday flows. One method per line of business; each reads what agents decided and moves the money."""

    group = "account"

    chip_share = Param(
        0.58,
        "share",
        (0.3, 0.8),
        "Share of the cost of a GW that goes to the chip vendor; the rest to builders.",
        source="calibration: capex_it_share",
    )
    chip_advance = Param(
        0.85, "share", (0.3, 1.0), "Share of chips on signed contracts that a delayed-draw loan pays.",
        source="opening: ddtl_coreweave_new",
    )  # fmt: skip
    vehicle_equity = Param(
        0.2, "share", (0.05, 1.0), "Equity share of what the Stargate vehicle builds.",
        source="calibration: dc_ltc_2026_market",
    )  # fmt: skip
    developer_fee = Param(0.03, "share", (0.0, 0.1), "Development fee in the cost of a site.")
    compute_discount = Param(0.8, "share", (0.3, 1.2), "What rivals pay for compute over the market rent.")

    sold = np.zeros((1, 1))
    losses = np.zeros((1, 1))

    def open_accounts(self, ledger, opening, firms):
        """Open the legs."""
        roles, sellers, segments = opening.roles, self.model.labs.names, self.model.customers.names
        self.sales = ledger.open_family(
            "sales",
            [segment for _ in sellers for segment in segments],
            [seller for seller in sellers for _ in segments],
            cleared=False,
        )
        self.spenders = [*firms, *roles.sites, roles.venture, "Chip vendor"]
        self.operating = ledger.open_family(
            "operating cost", self.spenders, [WORLD] * len(self.spenders), seniority=OPERATIONS
        )
        groups = (
            "openai",
            "rival_lab",
            "small_model_builder",
            "infrastructure_partner",
            "hyperscaler",
            "site_company",
        )
        self.first_of_spenders = np.array([self.model.places[group].start for group in groups])
        rented = [opening.party(name) for name in sellers if name != LAB]
        self.compute = ledger.open_family(
            "compute purchase",
            [seller.name for seller in rented],
            [seller.terms["cloud"] for seller in rented],
            seniority=SECURED,
        )
        self.contracted = self._contracted([seller.name for seller in rented])
        (shared,) = opening.contracts_of_kind("revenue share")
        self.share = ledger.open_family(
            "revenue share", [shared.debtor], [shared.creditor], seniority=SECURED
        )
        self.share_until, self.revenue_share = shared.terms["last_month"], shared.price
        earners = [
            p.name
            for kind in ("infrastructure partner", "hyperscaler", "utility")
            for p in opening.parties_of_kind(kind)
        ]
        self.earner = np.array([ledger.index[name] for name in earners])
        self.business = ledger.open_family("other business", [WORLD] * len(earners), earners, cleared=False)
        builders = [party.name for party in opening.parties_of_kind("hyperscaler")]
        self.investment = ledger.open_family(
            "investment", earners, [WORLD] * len(earners), nature=ASSET, cleared=False
        )
        self.own_chips = ledger.open_family(
            "chips of hyperscalers", builders, ["Chip vendor"] * len(builders), nature=ASSET, cleared=False
        )
        sites = list(roles.sites)
        self.construction = ledger.open_family(
            "construction", sites, [WORLD] * len(sites), nature=ASSET, cleared=False
        )
        developed = [site for site in sites if "developer" in opening.party(site).terms]
        developers = [opening.party(site).terms["developer"] for site in developed]
        self.fees = ledger.open_family("development fee", developed, developers, nature=ASSET, cleared=False)
        self.fee_site = np.array([sites.index(name) for name in developed])
        whole = [roles.signed_builder, roles.vehicle]
        buyers = [roles.cloud for _ in roles.campuses] + [name for name in whole for _ in range(2)] + [LAB]
        makers = ["Chip vendor" for _ in roles.campuses] + ["Chip vendor", WORLD] * 2 + ["Chip vendor"]
        self.chips_of_vendor = np.flatnonzero([maker != WORLD for maker in makers])
        self.drawers = np.array([ledger.index[name] for name in (*whole, LAB)])
        self.chips = ledger.open_family("chip order", buyers, makers, seniority=JUNIOR, nature=ASSET)
        owners = [ledger.parties[row] for row in np.unique(self.chips.payer)]  # as `Hardware` has them
        self.new_chips = ledger.open_family(
            "chip replacement", owners, ["Chip vendor"] * len(owners), seniority=JUNIOR, nature=ASSET
        )
        children = [lab for lab in opening.parties_of_kind("rival lab") if "parent" in lab.terms]
        self.with_parent = np.array([self.model.rivals.names.index(lab.name) for lab in children])
        self.parents = ledger.open_family(
            "parent funding",
            [lab.terms["parent"] for lab in children],
            [lab.name for lab in children],
            cleared=False,
        )
        closers = [*segments, "Bondholders", "Equity investors"]
        self.closer = np.array([ledger.index[name] for name in closers])
        self.top_up = ledger.open_family("sector funding", [WORLD] * len(closers), closers, cleared=False)
        self.sweep = ledger.open_family(
            "sector surplus", closers, [WORLD] * len(closers), cleared=False, name="sector surplus"
        )
        signed = opening.party(roles.signed_builder).terms["capex_signed_yearly"]
        path = np.zeros(self.model.months + 60)
        for year, amount in enumerate(signed):
            path[12 * year : 12 * year + 12] = amount / 12.0
        self.signed_capex = path
        (order,) = [c for c in opening.contracts_of_kind("chip order") if "site" not in c.terms]
        self.chips_of_signed = order.amount / math.fsum(signed)

    def _contracted(self, names):
        """GW that these parties have under contracts of their own, month by month, ``(months, parties, 1)``."""
        contracts, months = self.model.compute_contracts, self.model.months
        of_each = [[row for row, c in enumerate(contracts.contracts) if c.debtor == name] for name in names]
        paths = [total(contracts.gw_path[rows, :months]) for rows in of_each]
        return np.ascontiguousarray(np.stack(paths, axis=1)[:, :, None])

    def operating_matrix(self, ledger, parties):
        """Give the matrix legs -> `parties`, a slice, that adds up operating cash."""
        operating = np.isin(ledger.kinds, OPERATING_KINDS).astype(float)
        return ledger.net_of(operating, parties)

    def collect_sales(self):
        """Let customers pay for what is served."""
        model = self.model
        charged, sold = np.empty((len(self.sales), self.worlds)), np.empty((model.labs.rows, self.worlds))
        labs = model.labs.served_share, model.labs.closed
        charge_for_service(model.demand.segment_demand, *labs, charged)
        add_segments(len(model.customers), model.ledger.pay(self.sales, charged), sold)
        self.sold = sold

    def bill_operations(self):
        """Bill running costs, compute bought by rivals, the revenue share, chips and deposit interest."""
        model, ledger = self.model, self.model.ledger
        ledger.bill(self.operating, self._operating_costs())
        ledger.bill(self.compute, self._compute_bought())
        if model.month < self.share_until:
            ledger.bill(self.share, self.revenue_share * self.sold[:1])
        self._bill_chips()
        ledger.bill(model.deposits.interest, model.banks.deposit_interest)

    def _operating_costs(self):
        """What everybody's business costs this month; firms and sites are the first parties, and the first spenders."""
        model, sites = self.model, self.model.sites
        costs = np.empty((len(self.spenders), self.worlds))
        add_costs(
            model.openai.operating_outlay,
            model.rivals.pay_costs(),
            model.builders.pay_costs(),
            self.losses,
            model.partners.running_cost,
            model.hyperscalers.running_cost,
            sites.rent,
            sites.operating_share,
            model.chip_vendor.pay_costs(),
            self.first_of_spenders,
            costs,
        )
        return costs

    def _compute_bought(self):
        """What rivals and builders pay for compute this month, but for what they have under contract."""
        model, cost = self.model, np.empty((len(self.compute), self.worlds))
        price = model.compute_market.rent, self.compute_discount
        buy_compute(
            model.rivals.compute_used, model.builders.compute_used, self.contracted[model.month], *price, cost
        )
        return cost

    def _bill_chips(self):
        """Bill chips: the cloud for its halls, another builder for what is signed, the vehicle for firm orders."""
        model = self.model
        ordered = np.empty((len(self.chips), self.worlds))
        building, turbines = model.compute_contracts.costs_of_building()
        order_chips(
            model.halls.chips_due,
            model.loans.lab_borrows,
            self.signed_capex[model.month],
            self.chips_of_signed,
            building,
            self.chip_share,
            turbines,
            model.chip_price_level,
            ordered,
        )
        billed = model.ledger.bill(self.chips, ordered)
        sold, equity = np.empty((1, self.worlds)), np.empty((1, self.worlds))
        draws, terms = np.zeros(model.ledger.cash.shape), (self.chip_advance, self.vehicle_equity)
        draw_for_chips(billed, self.chips_of_vendor, self.drawers, *terms, sold, draws, equity)
        if model.hardware.some_due:
            equity = equity + self._bill_new_chips(sold, draws)
        model.chip_vendor.sales, model.chip_draws, self.vehicle_equity_need = sold, draws, equity

    vehicle_equity_need = np.zeros((1, 1))

    def _bill_new_chips(self, sold, draws):
        """Bill chips for halls that stand; add to what the vendor sold and to draws, give the vehicle's equity."""
        model, hardware = self.model, self.model.hardware
        price = model.halls.chip_price * model.chip_price_level
        billed = model.ledger.bill(self.new_chips, hardware.due * price)
        sold += total(billed)
        for name, share in self.drawn_share.items():
            row = hardware.names_of_rows.index(name)
            draws[hardware.owner[row]] += share[0] * billed[row]
        return self.vehicle_equity * billed[[hardware.names_of_rows.index(model.opening.roles.vehicle)]]

    @property
    def drawn_share(self):
        """Share of chips that loans for chips pay, by owner, each ``(1, worlds)``."""
        roles = self.model.opening.roles
        return {roles.signed_builder: self.chip_advance, roles.vehicle: 1.0 - self.vehicle_equity}

    def earn_other(self):
        """Receive the cash flow of other businesses; interest that is inside it is added back."""
        model = self.model
        other = [model.partners.other_cash, model.hyperscalers.other_cash, model.utilities.other_cash]
        other = np.concatenate(other)
        gain, losses, closed = np.empty(other.shape), np.empty(other.shape), model.ledger.closed
        part_gain_from_loss(other, model.loans.interest_inside, self.earner, closed, gain, losses)
        model.ledger.pay(self.business, gain)
        self.losses = losses

    def invest(self):
        """Spend on own investment: partners and utilities on plant, hyperscalers on halls and chips."""
        model, partners = self.model, self.model.partners
        invested = np.empty((len(self.investment), self.worlds))
        chips = np.empty((len(self.own_chips), self.worlds))
        plans = partners.other_cash, partners.own_investment_share, partners.minimum_cash
        of_others = model.hyperscalers.investment, model.utilities.investment, self.chip_share
        part_investment(partners.first_row, model.ledger.cash, *plans, *of_others, invested, chips)
        model.ledger.pay(self.investment, invested)
        model.ledger.pay(self.own_chips, chips)

    def build_within_means(self, drawn):
        """Build only what there is money for: less what lenders and co-investors do not give; `drawn` of each loan."""
        model = self.model
        sites = self.model.sites
        construction = np.empty(self.model.sites.construction.shape)
        given = drawn, model.loans.site, model.co_investment.of_sites
        build_within_means(*given, sites.loan_call, sites.construction, construction)
        sites.construction = construction

    def build_sites(self):
        """Spend on halls; the developer of a site earns a fee."""
        spent, ledger = self.model.sites.construction, self.model.ledger
        building, fees = np.empty(spent.shape), np.empty((len(self.fees), self.worlds))
        part_fee(spent, self.fee, self.fee_site, building, fees)
        ledger.pay(self.construction, building)
        ledger.pay(self.fees, fees)

    @of_params
    def fee(self):
        """Share of what is spent on each site that its developer earns, ``(sites, worlds)``."""
        fee = np.zeros((self.model.sites.rows, self.worlds))
        fee[self.fee_site] = self.developer_fee
        return fee

    def fund_parents(self):
        """Let the parents pay what their labs are short of."""
        funding = self.model.rivals.parent_funding.take(self.with_parent, axis=0)
        self.model.ledger.pay(self.parents, funding)

    def close_sectors(self):
        """Bring customers', bondholders' and investors' cash back to zero from the rest of the world."""
        shape = len(self.closer), self.worlds
        short, spare = np.empty(shape), np.empty(shape)
        part_surplus(self.model.ledger.cash, self.closer, short, spare)
        self.model.ledger.pay(self.top_up, short)
        self.model.ledger.pay(self.sweep, spare)
