"""The US$1.5bn joint venture, in its two readings and both directions of the cash.

* ``data centre`` (the second article): a venture with private equity that builds compute for the lab. The lab
  pays a take-or-pay fee on the capital; distributions run down a waterfall with a preferred return.
* ``deployment`` (as reported in 2026): preferred equity in a company that sells the lab's tools, with a minimum
  return that the lab guarantees: what the venture does not earn, the lab owes the month after.
"""

import numpy as np

from agents.worlds import Mechanism, Param, State, of_params
from model.contracts import OPERATIONS, SECURED, UNSECURED, WORLD
from model.ledger import ASSET, CLAIM
from model.roles import LAB
from model.waterfall import private_equity_waterfall

READINGS = ("data centre", "deployment")
DIRECTIONS = ("lab pays in", "funds pay in")


class JointVenture(Mechanism):
    """A venture between the lab and private equity. Off: nothing is paid in, nothing is owed."""

    group = "joint_venture"

    enabled = Param(False, "yes/no", None, "Whether the venture is founded.")
    reading = Param("data centre", "choice", None, "Which of the two readings holds.", choices=READINGS)
    direction = Param("lab pays in", "choice", None, "Who puts in the 1.5.", choices=DIRECTIONS)
    month = Param(6, "month", (0, 90), "Month of the founding.", source="opening: jv_seed", whole=True)
    ticket = Param(
        1.5,
        "US$bn",
        (0.1, 10.0),
        "The lab's ticket (or the funds').",
        source="calibration: jv_openai_total_commit",
    )
    partner_capital = Param(
        4.0, "US$bn", (0.0, 20.0), "Capital of the funds.", source="calibration: jv_pe_capital"
    )
    preferred_return = Param(
        0.08,
        "per year",
        (0.0, 0.2),
        "Preferred return of the funds.",
        source="calibration: pe_preferred_return",
    )
    guaranteed_return = Param(
        0.175,
        "per year",
        (0.0, 0.25),
        "Minimum return that the lab guarantees in the deployment reading.",
        source="calibration: jv_guaranteed_return",
    )
    carry = Param(0.2, "share", (0.0, 0.4), "The lab's share of profit above the hurdle.",
                  source="calibration: carried_interest")  # fmt: skip
    catch_up = Param(1.0, "share", (0.0, 1.0), "The lab's share in the catch-up tier.",
                     source="calibration: gp_catch_up")  # fmt: skip
    ip_lien = Param(
        False,
        "yes/no",
        None,
        "Whether the funds have a lien on the lab's models for what they have not got back.",
    )
    fee_yield = Param(
        0.16, "per year", (0.05, 0.4), "Take-or-pay fee on the venture's capital (data centre)."
    )
    market_yield = Param(0.1, "per year", (-0.1, 0.4), "What the venture earns in the market (deployment).")

    capital = State("US$bn", "paid in")
    unreturned = State("US$bn", "capital of the funds not yet returned")
    unpaid_preferred = State("US$bn", "preferred return accrued and not paid")
    preferred_paid = State("US$bn", "preferred return paid so far")
    catch_up_paid = State("US$bn", "catch-up paid so far")
    income = State("US$bn", "income of the venture this month")
    guarantee_due = State("US$bn", "guarantee that the lab owes this month")
    shortfall = State("US$bn", "guarantee called for next month")
    funds_paid_in = State("US$bn", "paid in by the funds")
    lien_claim = State("US$bn", "claimed under the lien when the lab defaulted")

    founded = False
    """Whether there is a venture in any world by now."""

    measures = ("capital", "income", "guarantee_due")

    def open_accounts(self, ledger):
        """Open contributions, fees, income, distributions and the guarantee."""
        (sponsor,) = {c.creditor for c in self.model.opening.contracts_of_kind("joint venture")}
        venture, names = self.model.opening.roles.venture, [LAB, sponsor]
        self._venture = ledger.index[venture]
        self.claims = ledger.open_claims(
            "joint venture", [f"venture {n}" for n in names], names, [venture] * 2
        )
        self.contributions = ledger.open_family(
            "venture capital", names, [venture] * 2, nature=CLAIM, claims=self.claims, sign=1, cleared=False
        )
        self.calls = ledger.open_family("venture capital call", [WORLD], [sponsor], cleared=False)
        self.builds = ledger.open_family(
            "venture investment", [venture], [WORLD], nature=ASSET, cleared=False
        )
        self.fees = ledger.open_family("venture fee", [LAB], [venture], seniority=SECURED)
        self.sales = ledger.open_family("venture sales", [WORLD], [venture], cleared=False)
        self.out = ledger.open_family("venture distribution", [venture] * 2, names, cleared=False)
        self.guarantee = ledger.open_family("venture guarantee", [LAB], [sponsor], seniority=UNSECURED)
        self.lien = ledger.open_family("venture lien", [LAB], [sponsor], seniority=OPERATIONS)

    @of_params
    def founding_months(self):
        """Months in which the venture is founded in some world."""
        return frozenset(self.month[self.enabled].tolist())

    def found(self):
        """Pay the capital in and invest it, in the month of founding; funds call theirs from their investors."""
        if self.model.month not in self.founding_months:
            return
        self.founded, now = True, (self.model.month == self.month) & self.enabled
        lab = np.where(self.direction == 0, self.ticket, 0.0)
        funds = np.where(self.direction == 0, self.partner_capital, self.partner_capital + self.ticket)
        self.model.ledger.pay(self.calls, funds * now)
        paid = self.model.ledger.pay(self.contributions, np.vstack([lab, funds]) * now)
        self.capital = self.capital + paid[:1] + paid[1:]
        self.unreturned = self.unreturned + paid[1:]
        self.funds_paid_in = self.funds_paid_in + paid[1:]
        self.model.ledger.pay(self.builds, paid[:1] + paid[1:])

    def bill(self):
        """Bill the fee or earn in the market; bill last month's guarantee."""
        if not self.founded:
            return
        data_centre = self.reading == 0
        fee = self.capital * self.fee_yield / 12.0 * data_centre
        earned = np.maximum(self.capital * self.market_yield / 12.0, 0.0) * ~data_centre
        self.income = self.model.ledger.bill(self.fees, fee) + self.model.ledger.pay(self.sales, earned)
        self.guarantee_due = self.model.ledger.bill(self.guarantee, self.shortfall)

    def enforce_lien(self, proceeds):
        """File the funds' lien on the lab's models against its estate, at most their `proceeds` ``(1, worlds)``."""
        claim = np.minimum(self.unreturned + self.unpaid_preferred, proceeds) * self.ip_lien
        if claim.any():
            self.model.ledger.file(self.lien, claim)
            self.lien_claim = self.lien_claim + claim

    def distribute(self):
        """Run the waterfall on what came in; note what the guarantee will owe next month."""
        if not self.founded:
            return
        cash = self.model.ledger.cash[self._venture][None, :]
        tiers = private_equity_waterfall(
            self.unreturned,
            self.unpaid_preferred,
            self.preferred_paid,
            self.catch_up_paid,
            0.0,
            np.maximum(cash, 0.0),
            preferred_return=self.preferred_return,
            carry=self.carry,
            catch_up=self.catch_up,
        )
        self.unreturned, self.unpaid_preferred = tiers.unreturned, tiers.unpaid_preferred
        self.preferred_paid = self.preferred_paid + tiers.preferred
        self.catch_up_paid = self.catch_up_paid + tiers.catch_up
        self.model.ledger.pay(self.out, np.vstack([tiers.manager, tiers.investors]))
        promised = self.funds_paid_in * self.guaranteed_return / 12.0
        self.shortfall = np.maximum(promised - tiers.investors, 0.0) * (self.reading == 1)
