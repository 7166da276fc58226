"""A toy model that keeps the promises the real one makes to scenarios/: two labs, a mill, a little luck."""

import numpy as np

from agents.worlds import Actor, Mechanism, Param, State, WorldsModel
from model.history import NEVER, History
from model.ledger import Ledger
from model.sums import total
from model.tape import Tape


class Lab(Actor):
    """Earns by luck and pays rent."""

    group = "lab"
    measures = ("revenue", "cash", "owed")

    floor_share = Param(0.9, "share", (0, 1), "Share of the rent that is due whatever is used.", source="toy")
    rent = Param(4.0, "US$bn a year", (0, 50), "Rent at full use.")
    strategy = Param("grow", "choice", None, "What the lab does with money.", choices=("grow", "save"))
    patience = Param(12, "months", (1, 60), "How long it waits.", whole=True)
    bold = Param(False, "flag", None, "Whether it takes risks.")
    revenue = State("US$bn", "what customers paid this month")
    by_segment = State("US$bn", "revenue by segment", over=2)

    @property
    def cash(self):
        """Money in the bank, US$bn; only the Ledger changes it."""
        return self.model.ledger.cash[: len(self.cohort.names)][self.row]

    @property
    def owed(self):
        """Rent not yet paid, US$bn: a view of an array that the Ledger goes on writing to."""
        return self.model.ledger.payable[self.model.rent.legs][self.row]


class Mill(Actor):
    """Owns the halls."""

    group = "mill"
    measures = ("revenue",)

    price = Param(1.0, "US$bn per GW", (0.1, 10), "What a hall costs.")
    revenue = State("US$bn", "rent received this month")


class Stress(Mechanism):
    """How bad things are."""

    group = "stress"
    measures = ("index",)

    weight = Param(1.0, "share", (0, 2), "Weight of arrears.")
    index = State("0-1", "share of the rent that was not paid")


class Solvency(Mechanism):
    """Who has failed, over all parties."""

    group = "solvency"
    measures = ("loss",)

    missed_month = State("month", "first bill missed for 60 days", default=NEVER, dtype=int)
    distressed_month = State("month", "first distressed exchange", default=NEVER, dtype=int)
    default_month = State("month", "legal default", default=NEVER, dtype=int)
    loss = State("US$bn", "written off so far")
    trapped = State("flag", "cannot meet what is due in 24 months", dtype=bool)


ACTORS, MECHANISMS = (Lab, Mill), (Stress, Solvency)


class ToyModel(WorldsModel):
    """Labs sell by luck, rent falls due, and a lab that cannot pay has failed."""

    def __init__(self, worlds=64, rng=1, months=96, setting=None, record=True):
        super().__init__(worlds, rng)
        self.months, self.month, self.record = months, 0, record
        self.solvency, self.stress = Solvency(self), Stress(self)
        labs = [Lab(self, name) for name in ("Big Lab", "Small Lab")]
        names = [*(lab.name for lab in labs), Mill(self, "Old Mill").name, "Rest of the world"]
        self.solvency.rows, self.solvency.firms = len(names), names[:3]
        self.ledger = Ledger(names, ["Rest of the world"], "Rest of the world")
        loan = self.ledger.open_claims("loan", ["loan"], ["Old Mill"], ["Big Lab"])
        self.sales = self.ledger.open_family("sales", [names[3]] * 2, names[:2], cleared=False)
        self.rent = self.ledger.open_family("rent", names[:2], [names[2]] * 2)
        self.ledger.close_topology()
        self.ledger.allocate(self.worlds, [2.0, 1.0, 0.5, -3.5], np.full(len(loan), 1.5), np.zeros(4))
        self.allocate()
        self.luck_of = Tape(self.seed, self.luck, months)
        self.history = History(self)
        self.setting = setting
        for path, value in (setting.params if setting else {}).items():
            self.set_param(path, value)

    def step(self):
        """Play one month."""
        self.ledger.open_month()
        self.decide()
        labs, mills = self.agents_by_type[Lab], self.agents_by_type[Mill]
        luck = np.stack([self.luck_of.uniform(name)[self.month] for name in labs.names])
        labs.revenue = self.ledger.pay(self.sales, luck * 0.55 * self.demand())
        labs.by_segment = np.stack([labs.revenue * 0.25, labs.revenue * 0.75])
        self.ledger.bill(self.rent, labs.rent / 12.0 * np.maximum(labs.floor_share, luck))
        self.ledger.settle()
        mills.revenue = total(self.ledger.flow[self.rent.legs])[None]
        self.test()
        self.month += 1
        self.ledger.prove()
        if self.record:
            self.history.record()

    def decide(self):
        """Apply the decisions of this month."""
        for decision in self.setting.decisions if self.setting else ():
            if decision.month == self.month + 1:
                self.set_param(decision.path, decision.value, decision.mask)

    def demand(self):
        """The size of the market: demand shocks to date, (worlds,)."""
        size = np.ones(self.worlds)
        for event in self.setting.events if self.setting else ():
            if event.kind == "demand_shock" and event.month <= self.month + 1:
                size = size * np.where(True if event.mask is None else event.mask, 1.0 + event.value, 1.0)
        return size

    def test(self):
        """See who has failed."""
        solvency, owed = self.solvency, self.ledger.payable[self.rent.legs]
        arrears = np.concatenate([owed, np.zeros_like(owed)])  # of labs; the mill and the world owe nothing
        short = arrears > 1e-9
        first = short & (solvency.default_month == NEVER)
        now = np.full(first.shape, self.month + 1)
        solvency.missed_month = np.where(first, now, solvency.missed_month)
        solvency.default_month = np.where(first, now, solvency.default_month)
        solvency.trapped = solvency.trapped | short
        solvency.loss = solvency.loss + np.take(arrears, [2, 2, 0, 3], axis=0) * 0.01
        self.stress.index = np.minimum(total(arrears), 1.0)[None]
        names = self.ledger.parties[:2]
        because = ["revenue below plan", "rent too high"]
        self.history.event("missed payment", names, first[:2], arrears[:2], "Old Mill", because)
