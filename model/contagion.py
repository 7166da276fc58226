"""Contagion as a measure: how much of everybody's equity hangs on one party (DebtRank).

Nothing in the model reads this: losses reach others by the clearing and the estates. DebtRank says beforehand how
far they could reach if lenders wrote down a loan as soon as its debtor's equity falls.

Sources: Battiston et al. (2012), "DebtRank: too central to fail?", Scientific Reports 2:541, in which a party
passes on its loss once; Bardoscia et al. (2015), "DebtRank: a microscopic foundation for shock propagation",
PLoS ONE 10:e0130406, in which it passes on each further loss: the one used here, since nothing is lost on cycles.
"""

from dataclasses import dataclass

import numpy as np

from model.sums import adder_into, total

SETTLED = 1e-13
"""Share of equity: a world in which no loss moved by more in a round is finished."""
MOST_ROUNDS = 5_000
SMALLEST_EQUITY = 1e-6
"""US$bn: equity is taken to be at least this, since a loss is divided by it."""


@dataclass(frozen=True)
class Contagion:
    """What a shock did.

    ``loss`` is each party's loss as a share of its equity, ``(parties, worlds)``, in [0, 1]; ``first`` the part of
    it that the shock itself took; ``floored`` says whose equity was not positive, so that it counts as lost from
    the start; ``settled`` ``(worlds,)`` says whether the last round moved nothing any more.
    """

    loss: np.ndarray
    first: np.ndarray
    floored: np.ndarray
    settled: np.ndarray

    def share_lost(self, equity):
        """Give the share of all equity that is lost, the shock's own part included, ``(worlds,)``."""
        return self._of_all(self.loss, equity)

    def share_passed_on(self, equity):
        """Give DebtRank: the share of all equity lost by others' losses, the shock apart, ``(worlds,)``."""
        return self._of_all(self.loss - self.first, equity)

    @staticmethod
    def _of_all(share, equity):
        worth = np.maximum(equity, 0.0)
        return total(share * worth) / np.maximum(total(worth), SMALLEST_EQUITY)


def debtrank(lender, debtor, claim, equity, shock, recovery=0.0):
    """Let a shock to equity run along the claims until nothing moves.

    h(0) = min(1, shock / equity);  h(t+1) = min(1, h(t) + L (h(t) - h(t-1))),  L = claim x (1 - recovery) / equity
    of the lender. It is the least h = min(1, h(0) + L h).

    Parameters
    ----------
    lender, debtor
        (claims,) party numbers: who holds each claim, and on whom.
    claim
        (claims, worlds) face value, US$bn, not negative.
    equity, shock
        (parties, worlds) US$bn: worth before the shock, and how much of it the shock takes.
    recovery
        Share of a claim that a failed debtor still pays: a number, or (claims, worlds).

    Returns
    -------
    A `Contagion`. A world stops by itself, whatever the others do.
    """
    equity, shock = np.asarray(equity, dtype=float), np.asarray(shock, dtype=float)
    floored = equity <= 0.0
    worth = np.maximum(equity, SMALLEST_EQUITY)
    first = np.where(floored, 1.0, np.minimum(np.maximum(shock, 0.0) / worth, 1.0))
    weight = np.asarray(claim, dtype=float) * (1.0 - recovery) / np.take(worth, lender, axis=0)
    to_lender = adder_into(lender, len(equity))
    loss, step = first, first
    running = np.ones(equity.shape[1], dtype=bool)
    for _ in range(MOST_ROUNDS):
        reached = np.minimum(loss + to_lender @ (weight * np.take(step, debtor, axis=0)), 1.0)
        step = np.where(running, reached - loss, 0.0)
        loss = np.where(running, reached, loss)
        running = running & (step.max(axis=0) > SETTLED)
        if not running.any():
            break
    return Contagion(loss, first, floored, ~running)


def debtranks(lender, debtor, claim, equity, seeds, recovery=0.0):
    """Give the DebtRank of each seed: the share of all equity that others lose when its own is gone.

    Shapes as for `debtrank`; ``seeds`` are party numbers, run side by side. Gives ``(seeds, worlds)``, in [0, 1].
    """
    parties, worlds = equity.shape
    count = len(seeds)
    wide = np.tile(equity, (1, count))
    at = np.repeat(np.asarray(seeds), worlds)
    shock = np.where(np.arange(parties)[:, None] == at, np.maximum(wide, SMALLEST_EQUITY), 0.0)
    spread = np.tile(np.broadcast_to(recovery, np.shape(claim)), (1, count))
    found = debtrank(lender, debtor, np.tile(claim, (1, count)), wide, shock, spread)
    return found.share_passed_on(wide).reshape(count, worlds)


def spectral_radius(lender, debtor, claim, equity):
    """Give the largest absolute eigenvalue of the leverage matrix in each world, ``(worlds,)``.

    Below one, and while nobody is wiped out, losses are (I - L)^-1 h(0); above it they grow until somebody is.
    """
    parties, worlds = equity.shape
    matrix = np.zeros((worlds, parties, parties))
    weight = claim / np.take(np.maximum(equity, SMALLEST_EQUITY), lender, axis=0)
    np.add.at(matrix, (slice(None), np.asarray(lender), np.asarray(debtor)), weight.T)
    return np.abs(np.linalg.eigvals(matrix)).max(axis=1)
