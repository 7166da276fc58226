"""What joins the lines of the month: handing results from one cohort to another, dated events, the journal."""

from functools import cached_property

import numpy as np

from model.kernels_capital import finance_orders


class Schedule:
    """Steps of the month that concern several kinds of agents at once."""

    def each_lab(self, rule):
        """Run a rule for OpenAI, its rivals and the small builders, all at once."""
        self.labs.do(rule)

    def each_firm(self, rule):
        """Run a rule for every firm at once: labs, builders, partners, hyperscalers, utilities."""
        self.firms.do(rule)

    def open_month(self):
        """Open the journal, forget last month's dated events, keep who held what."""
        self.ledger.open_month()
        vars(self).update(self._without_events)
        self.shares_held = self.shares.market_value
        self._force_running_events()

    @cached_property
    def _without_events(self):
        """What dated events change, as it is in a month without any; replaced, never changed in place."""
        of_all, of_sellers = np.zeros((1, self.worlds)), np.zeros((self.technology.rows, self.worlds))
        return {
            "demand_shock": of_all,
            "forced_freeze": of_all,
            "chip_price_level": np.ones(of_all.shape),
            "forced_window": np.full(of_all.shape, -1.0),
            "forced_heat": np.zeros((len(self.utilities), self.worlds)),
            "dated_gain": of_sellers,
            "dated_leak": of_sellers,
        }

    def decide(self):
        """Apply this month's dated events and decisions, each in its worlds."""
        setting = self.setting
        for event in getattr(setting, "events", None) or ():
            if event.month == self.month + 1:
                getattr(self, f"_{event.kind}")(event, self._mask(event))
        for decision in getattr(setting, "decisions", None) or ():
            if decision.month == self.month + 1:
                self._decide_one(decision)

    def _decide_one(self, decision):
        mask = None if decision.mask is None else np.asarray(decision.mask)
        self.set_param(decision.path, decision.value, mask)
        if decision.existing and decision.path.endswith("floor_share"):
            self.compute_contracts.set_floors(self._mask(decision))
        agent = decision.path.split(".")[1] if decision.path.count(".") == 2 else decision.path.split(".")[0]
        words = f"{decision.path} = {decision.value}" if np.ndim(decision.value) == 0 else decision.path
        self.history.event("decision", agent, self._mask(decision)[0], because=words)

    def _mask(self, dated):
        mask = np.ones(self.worlds, dtype=bool) if dated.mask is None else np.asarray(dated.mask)
        return mask[None, :]

    def _running(self, kind):
        for event in getattr(self.setting, "events", None) or ():
            first = event.month - 1
            if event.kind == kind and first <= self.month < first + event.extra.get("months", 1):
                yield event, self._mask(event)

    def _force_running_events(self):
        for event, mask in self._running("credit_freeze"):
            self.forced_freeze = np.where(mask, event.value, self.forced_freeze)
        for event, mask in self._running("equity_window"):
            self.forced_window = np.where(mask, np.asarray(event.value, dtype=float), self.forced_window)
        for event, mask in self._running("heat_wave"):
            names = np.array([event.agent in (None, name) for name in self.utilities.names])[:, None]
            self.forced_heat = np.where(mask & names, event.value, self.forced_heat)
        for event, mask in self._running("demand_shock"):
            self.demand_shock = np.where(mask, np.log1p(event.value), self.demand_shock)
        for event in getattr(self.setting, "events", None) or ():
            if event.kind == "chip_price" and event.month - 1 <= self.month:
                level = self.chip_price_level
                self.chip_price_level = np.where(self._mask(event), level * (1.0 + event.value), level)

    def _log(self, event, mask, words):
        amount = np.broadcast_to(np.asarray(event.value, dtype=float), (self.worlds,))
        self.history.event(event.kind, event.agent or "everybody", mask[0], amount=amount, because=words)

    def _breakthrough(self, event, mask):
        owners = {"own": [0], "rival": [1], "open": list(range(self.technology.rows))}[event.extra["owner"]]
        size = np.where(mask, np.log(event.value), 0.0)
        owner = np.isin(np.arange(self.technology.rows), owners)[:, None]
        self.dated_gain = self.dated_gain + owner * size
        self.dated_leak = self.dated_leak + ~owner * size
        self._log(event, mask, f"{event.extra['owner']} breakthrough")

    def _delay(self, event, mask):
        site = np.arange(self.halls.rows)[:, None] == self.sites.names.index(event.agent)
        months = np.broadcast_to(np.asarray(event.extra.get("months", event.value)), (self.worlds,)).astype(
            int
        )
        self.halls.delay(site & mask, months[None, :])
        self._log(event, mask, "dated delay")

    def _demand_shock(self, event, mask):
        self._log(event, mask, "dated demand shock")

    def _credit_freeze(self, event, mask):
        self._log(event, mask, "dated credit freeze")

    def _equity_window(self, event, mask):
        self._log(event, mask, "dated equity window")

    def _heat_wave(self, event, mask):
        self._log(event, mask, "dated heat wave")

    def _chip_price(self, event, mask):
        self._log(event, mask, "dated change of chip prices")

    def open_halls(self):
        """Delay the halls of sites that wait for power or slip, and open those that are due."""
        self.halls.open(self.power.waits_of_sites, self.sites.slips_now, self.sites.slip_months)
        self.sites.energised = self.lease_energised

    def hand_out_demand(self):
        """Tell every seller what customers want of it."""
        self.labs.demanded = self.demand.seller_demand

    def hand_out_sales(self):
        """Tell clouds and hyperscalers what they sold, sites what rent they billed."""
        sales = self.compute_contracts.sales
        self.partners.compute_revenue = sales[self.places["infrastructure_partner"]].copy()
        self.hyperscalers.compute_revenue = sales[self.places["hyperscaler"]].copy()
        self.sites.rent = self.leases.rent_billed + self.leases.rent_from_others

    def expect_payments(self):
        """Add up what everybody has to pay this month, and what it may expect to receive."""
        self.outgoing, self.expected_incoming = self.ledger.foresee(self.solvency.paid_share)
        self.loans.measure_room()
        self.service_now = self.loans.service_of_parties

    def call_capital(self):
        """Call what sites ask from their owners, funds from their investors, and pay it in."""
        by_contract, by_party = self.site_equity.asked()
        self.lenders.site_equity_due = by_party[self.lenders.place].copy()
        self.lenders.do("call_capital")
        if by_contract is not None:
            by_party[self.lenders.place] = self.lenders.capital_call  # what their own cash does not cover
            self.funds.call(by_party)
            self.site_equity.pay_in(by_contract)
        self.pledges.call(self.accounts.vehicle_equity_need)

    def raise_funds(self):
        """Let every firm find what it is short of, and raise it: lines, site loans, shares, holdings, parents.

        For chips nobody counts on more than its loans for them have undrawn.
        """
        self.chip_draws = np.minimum(self.chip_draws, self.loans.undrawn_on_chips)
        self.expected_incoming = self.expected_incoming + self.chip_draws
        self.each_firm("find_need")
        self.builders.do("ask_little")
        self.rivals.do("ask_parent")
        self.openai.do("use_credit")
        self.borrowers.do("use_credit")
        self.partners.do("sell_holdings")
        drawn = self.loans.draw(self.firms.line_draw, self.sites.loan_call)
        self.accounts.build_within_means(drawn)
        self.shares.issue(self.borrowers.share_issue)
        self.shares.sell_holdings(self.partners.asset_sale)
        self.accounts.fund_parents()

    def note_receipts(self):
        """Note what was received: rent of sites, operating cash of firms, the share of bills each party paid."""
        self.sites.rent_received = self.rent_flow()
        self.sites.debt_service = self.loans.service_of_sites
        self.firms.operating_cash = self.operating_cash
        self.solvency.paid_share = self.ledger.share_paid(self.outgoing)

    def rent_flow(self):
        """Give the rent that each site received this month, ``(sites, worlds)``."""
        return self.ledger.flow[self.leases.rents.legs] + self.ledger.flow[self.leases.others.legs]

    def plan_orders(self):
        """Tell the lab what is under contract at its planning lead, and what a builder could finance.

        Announced capacity needs pledged equity, an open bond market and a sponsor who is willing.
        """
        contracts = self.compute_contracts
        self.openai.contracted_ahead = contracts.firm_ahead(self.openai.planning_lead)
        buildable = np.empty((contracts.rows, self.worlds))
        finance_orders(
            self.pledges.amount,
            self.pledges.called,
            self.accounts.vehicle_equity,
            contracts.build_cost,
            contracts.announced_left,
            self.credit.openness,
            self.credit.frozen,
            self.ledger.closed,
            self.row(self.opening.roles.vehicle),
            self.lenders.willing,
            self.lenders.names.index(self.opening.roles.sponsor),
            buildable,
        )
        contracts.buildable_gw = buildable

    @property
    def sponsor_willing(self):
        """Whether the sponsor of announced capacity still gives new money, ``(1, worlds)``."""
        return self.lenders.willing[[self.lenders.names.index(self.opening.roles.sponsor)]]

    def pay_out(self):
        """Pay dividends, distribute sites' cash to owners, and funds' cash to their investors."""
        dividends, first = np.zeros((len(self.shares.firms), self.worlds)), self.borrowers.first_row
        for cohort in (self.partners, self.hyperscalers):
            cohort.do("pay_out")
            dividends[cohort.first_row - first : cohort.place.stop - first] = cohort.payout_now
        self.shares.pay_dividends(dividends)
        self.partners.do("plan_prepayment")
        self.sites.do("run_cascade")
        self.loans.sweep(self.sites.prepaid)
        self.site_equity.pay_out()
        self.lenders.do("distribute")
        if self.lenders.to_investors.any():
            self.funds.pay_out(self.party_block("to_investors"))
        self.joint_venture.distribute()

    def revalue_holdings(self):
        """Book the change of the market value of holdings."""
        self.ledger.change_real_assets(self.partners.revaluation, self.partners.place)

    def depreciate(self):
        """Write off a month's wear of real assets: chips evenly or to their value, the rest at a yearly rate."""
        self.ledger.change_real_assets(self.hardware.age())

    def close_month(self):
        """Prove the books, record the month, and move on."""
        self.ledger.prove()
        if self.record:
            self.history.record()
        self.month += 1
