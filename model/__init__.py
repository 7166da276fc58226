"""Where agents meet: money, contracts, markets, and the month."""

from model.events import Decision, Event
from model.market import ACTORS, MECHANISMS, DebtTrapModel

__all__ = ["ACTORS", "MECHANISMS", "DebtTrapModel", "Decision", "Event"]
