"""The month. This file shows its order, and nothing else.

Each line is a rule of agents or of a market; all agents of a kind decide on the same information, in all worlds
at once. What phases 11 and 12 set off falls due the month after.
"""

from model.assembly import ACTORS, MECHANISMS, Assembly
from model.history import History
from model.schedule import Schedule

__all__ = ["ACTORS", "MECHANISMS", "DebtTrapModel"]


class DebtTrapModel(Schedule, Assembly):
    """The market of the lab, its partners, their lenders, utilities and customers, month by month.

    worlds: a number, or luck numbers; rng: the seed; months: the longest horizon; setting: parameters, events and
    decisions (an object with ``params``, ``events``, ``decisions``, ``opening``), or None for the baseline.
    """

    def __init__(self, worlds=64, rng=1, months=96, setting=None, record=True):
        Assembly.__init__(self, worlds, rng, months, setting)
        self.history = History(self)
        self.record = record

    def step(self):
        """Play one month."""
        self.open_month()
        # 1. luck: the Tape's draws
        self.credit.move()
        self.demand.draw_surprise()
        self.equity_window.do("open_or_shut")
        self.power.strike_heat()
        # 2. decide: dated events and decisions
        self.decide()
        # 3. technology: breakthroughs, their leak; quality follows training
        self.technology.arrive()
        self.each_lab("adopt")
        self.each_lab("train")
        self.technology.follow()
        # 4. energise: queues move, halls open, load against capacity
        self.loans.close_talks()
        self.power.publish()
        self.commissions.do("hear")
        self.sites.do("slip")
        self.power.queue()
        self.open_halls()
        self.utilities.do("meet_load")
        self.utilities.do("price_power")
        self.utilities.do("file_rates")
        self.power.publish_prices()
        self.compute_contracts.make_available()
        # 5. sell: labs price, customers choose, demand is served up to what compute allows
        self.each_lab("set_price")
        self.customers.do("adopt_services")
        self.customers.do("choose")
        self.demand.spread_demand()
        self.hand_out_demand()
        self.each_lab("plan_compute")
        self.openai.do("serve")
        self.rivals.do("expand")
        self.rivals.do("buy_compute")
        self.builders.do("buy_compute")
        # 6. compute: use per contract, the rent clears, expiring contracts renew, re-let or lapse
        self.openai.do("use_compute")
        self.compute_market.clear_rent()
        self.compute_contracts.share_out()
        # 7. power: energy and demand charges
        self.power_contracts.bill()
        # 8. bill: everyone's obligations
        self.accounts.collect_sales()
        self.openai.do("spend")
        self.compute_contracts.bill()
        self.leases.bill()
        self.hand_out_sales()
        self.partners.do("earn")
        self.partners.do("run_compute")
        self.hyperscalers.do("earn")
        self.hyperscalers.do("follow_the_largest")
        self.utilities.do("earn")
        self.accounts.earn_other()
        self.loans.reprice()
        self.loans.bill()
        self.banks.do("pay_depositors")
        self.joint_venture.found()
        self.joint_venture.bill()
        self.accounts.bill_operations()
        # 9. fund: money already committed, by Ledger transfers
        self.expect_payments()
        self.equity_window.do("pay_in")
        self.shares.pay_round()
        self.sites.do("build")
        self.call_capital()
        self.raise_funds()
        self.solvency.rescue_lab()
        self.accounts.build_sites()
        # 10. settle: one clearing of everything that is due
        self.ledger.settle()
        self.note_receipts()
        self.loans.note_service()
        # 11. test: ratios, covenants, arrears, renegotiation, legal default, estates
        self.solvency.measure()
        self.partners.do("mark_holdings")
        self.revalue_holdings()
        self.partners.do("value_holdings")
        self.each_firm("track_earnings")
        self.partners.do("cover_debt")
        self.sites.do("test_cover")
        self.site_equity.cure()
        self.sites.do("enforce")
        self.solvency.count_arrears()
        self.solvency.renegotiate()
        self.solvency.default()
        self.loans.stop_draws()
        # 12. invest: lenders price and ration; equity; commitments; refinancing; the books are checked
        self.loans.sell_down()
        self.loans.measure_room()
        self.solvency.measure()
        self.banks.do("measure_exposure")
        self.banks.do("remember")
        self.lenders.do("remember")
        self.bondholders.do("remember")
        self.loan_pricing.quote()
        self.loans.refinance()
        self.loans.extend()
        self.openai.do("watch_runway")
        self.openai.do("forecast")
        self.equity_window.do("value_lab")
        self.openai.do("raise_equity")
        self.equity_window.do("sign")
        self.plan_orders()
        self.power.find_binding()
        self.openai.do("commit")
        self.compute_contracts.firm_up()
        self.hyperscalers.do("invest")
        self.accounts.invest()
        self.pay_out()
        self.depreciate()
        self.hardware.refresh()
        self.accounts.close_sectors()
        self.world.do("watch")
        self.solvency.test_trap()
        self.stress.read()
        self.close_month()
