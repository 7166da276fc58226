"""Banks: a US and a Japanese syndicate that lend to sites, clouds and (on paper) to the lab."""

import numpy as np

from agents.firm import Party
from agents.kernels import as_rows
from agents.kernels_lenders import measure_room, remember_as_bank
from agents.worlds import Param, State, of_params


class Bank(Party):
    """A syndicate with a lending limit, a limit for one name, and a memory."""

    group = "bank"

    lending_limit = Param(
        150.0,
        "US$bn",
        (20.0, 400.0),
        "Most that it lends to this market.",
        source="opening: US bank syndicate (assumed)",
    )
    single_name_limit = Param(
        0.6, "share", (0.05, 1.0), "Most of the limit that may depend on one name, look-through."
    )
    deposit_rate = Param(
        0.03, "per year", (0.0, 0.1), "Interest paid to depositors.", source="opening: deposits_*"
    )
    sell_down_share = Param(
        0.5,
        "share",
        (0.0, 1.0),
        "Share of a site loan that a syndicate that sells on passes to bondholders.",
        source="opening: Japanese bank syndicate",
    )
    sell_down_months = Param(
        6, "months", (1, 36), "Time in which it does so.", source="opening: Japanese bank syndicate"
    )
    memory_half_life = Param(36, "months", (2, 120), "Time in which the memory of a loss fades by half.")

    limit = State("US$bn", "lending limit less what other borrowers take of it")
    lent = State("US$bn", "loans outstanding")
    room = State("US$bn", "what it may still lend")
    exposure_to_openai = State("US$bn", "loans that OpenAI's payments serve, directly or through others")
    loss_memory = State("US$bn", "losses remembered")
    spread_add_on = State("per year", "added to its margins for remembered losses and a full book")
    deposit_interest = State("US$bn", "interest due to depositors this month")

    measures = ("lent", "exposure_to_openai", "room", "spread_add_on")

    @of_params
    def fade(self):
        """Share of its memory that is left after a month."""
        return np.exp(-np.log(2.0) / self.memory_half_life)

    @of_params
    def name_limit(self):
        """Most that may hang on one name, look-through, US$bn."""
        return self.single_name_limit * self.lending_limit

    def measure_exposure(self):
        """Add up what is lent, and how much of it hangs on the lab; other borrowers crowd it out."""
        model, credit, shape = self.model, self.model.credit, self.lent.shape
        lent, exposure, limit, room = np.empty(shape), np.empty(shape), np.empty(shape), np.empty(shape)
        of_all = model.solvency.lent, model.solvency.lent_linked
        market = credit.crowding_out, model.loans.growth_of_others, credit.openness
        own = as_rows(self.lending_limit, self.name_limit, lent, exposure, limit, room)
        measure_room(self.first_row, *of_all, *market, *own)
        self.lent, self.exposure_to_openai, self.limit, self.room = lent, exposure, limit, room

    def remember(self):
        """Remember losses and ask more for new loans: 10 basis points per per cent of the limit lost."""
        memory, add_on = np.empty(self.loss_memory.shape), np.empty(self.loss_memory.shape)
        loss, book = self.rows_of(self.model.solvency.loss_now), (self.lent, self.lending_limit)
        remember_as_bank(*as_rows(self.loss_memory, self.fade, loss, *book, memory, add_on))
        self.loss_memory, self.spread_add_on = memory, add_on

    def pay_depositors(self):
        """Owe the depositors their interest."""
        self.deposit_interest = self.model.deposits.balance[self.row] * self.deposit_rate / 12.0
