"""Commissions and communities: one per region; they delay sites and limit the bills of other users."""

import numpy as np

from agents.kernels import as_rows
from agents.kernels_power import hear_region
from agents.worlds import Actor, Param, State

VERDICTS = ("approve", "delay", "refuse")


class Commission(Actor):
    """A regulator with voters: opposition grows with the household bill and with the load of data centres."""

    group = "commission"

    bill_sensitivity = Param(
        1.5, "per unit bill", (0.0, 10.0), "Opposition raised by a doubling of the bill."
    )
    load_sensitivity = Param(
        2.0,
        "per unit load share",
        (0.0, 20.0),
        "Opposition raised by data centres' share of the region's load.",
    )
    patience = Param(12, "months", (1, 60), "Time in which opposition follows its causes.")
    allowed_growth = Param(0.05, "per year", (0.0, 0.3), "Growth of bills that it allows without a fight.")
    delay_at = Param(
        0.4,
        "index",
        (0.05, 10.0),
        "Opposition from which on new connections are delayed.",
        source="assumed; nimby_2023_mar2025: delays and blocks do happen, 46 against 18 US$bn",
    )
    refuse_at = Param(
        1.2,
        "index",
        (0.1, 10.0),
        "Opposition from which on new connections are refused.",
        source="assumed; nimby_2023_mar2025: most of what was blocked was filed again nearby",
    )
    upgrades_paid = Param(
        0.5,
        "share",
        (0.0, 1.0),
        "Share of upgrades that it makes data centres pay; the rest is in all bills.",
    )

    opposition = State("index", "strength of opposition, 0 = none")
    delay_pressure = State("x", "multiple of the slip chance of sites in the region", default=1.0)
    allowed_now = State("per year", "growth of bills that it allows at present")
    verdict = State("index", "on new connections: 0 approve, 1 delay, 2 refuse", dtype=int)

    measures = ("opposition", "delay_pressure", "verdict")

    def hear(self):
        """Hear the region: opposition follows bills and load; it delays sites and caps bills."""
        power, shape = self.model.power, self.opposition.shape
        opposition, delay_pressure, allowed_now = np.empty(shape), np.empty(shape), np.empty(shape)
        verdict = np.empty(shape, dtype=np.int64)
        given = (
            power.bills_of_regions[self.row],
            power.ai_share_of_regions[self.row],
            self.bill_sensitivity,
            self.load_sensitivity,
            self.patience,
            power.enabled,
            self.allowed_growth,
            self.delay_at,
            self.refuse_at,
            self.opposition,
        )
        hear_region(*as_rows(*given, opposition, delay_pressure, allowed_now, verdict))
        self.opposition, self.delay_pressure = opposition, delay_pressure
        self.allowed_now, self.verdict = allowed_now, verdict
