"""The power market's arithmetic: merit order, load that bids, scarcity, months of blocks, the connection queue.

Pure functions over arrays with worlds last; `model/power.py` runs the same arithmetic compiled, and tests compare the
two to the last bit. The first axis of a stack is its units, from the cheapest to the
dearest; whatever stands between units and worlds (blocks of a month, regions) broadcasts.

Sources: merit order and uniform price as in any market with one price per region (checked against the duals of
PyPSA, Brown, Hörsch and Schlachtberger 2018); reserve scarcity from Hogan (2013), "Electricity scarcity pricing
through operating reserves".
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from model.sums import total


def merit_order(cost, *others):
    """Sort units by marginal cost, the cheapest first; units of one cost keep their order.

    cost and others: ``(units, ..., worlds)`` of one shape; the order may differ per world. Gives them sorted.
    """
    order = np.argsort(cost, axis=0, kind="stable")
    return tuple(np.take_along_axis(each, order, axis=0) for each in (cost, *others))


def stack_price(supply, cost, load, cap):
    """Lowest supporting price: the lowest cost at which supply covers the load; the cap in a shortage.

    price = min {cost_u : supply_u >= load}, cap where the whole stack is too small. Where the load ends exactly
    on a step every price up to the next cost supports it, and the lowest is taken.

    Parameters
    ----------
    supply
        ``(units, ..., worlds)`` cumulated capacity from the cheapest unit on, GW.
    cost
        Marginal cost of each unit in that order, US$/MWh, >= 0; broadcasts against `supply`.
    load
        What must be served, GW; broadcasts against one unit of `supply`. It may have more axes in front.
    cap
        Price at which shortage is settled, US$/MWh, at least the highest cost.
    """
    price = np.broadcast_to(cost[0], np.broadcast_shapes(supply[0].shape, np.shape(load), np.shape(cap)))
    for cheaper, unit in zip(supply, cost[1:], strict=False):
        price = np.where(cheaper < load, np.maximum(price, unit), price)
    return np.where(supply[-1] < load, cap, price)


def price_with_bids(price_at, firm, amount, bid, full=None):
    """Price when load may leave: it stays on while the price is below its bid.

    price = max(P(firm), max_j min(P(firm + load bidding at least bid_j), bid_j)). This is the lowest price at
    which supply covers firm load and all load that bids more, for any P that does not fall with load.

    Parameters
    ----------
    price_at
        Function from load, GW, to the price at which it is supplied; load may have one more axis in front.
    firm
        Load that pays any price, GW.
    amount, bid
        ``(bidders, ...)`` GW and US$/MWh, the highest bid first.
    full
        The price with all load on, if it is known.
    """
    full = price_at(firm + np.cumsum(amount, axis=0)[-1]) if full is None else full
    leaves = full > bid[-1]
    if not leaves.any():  # most months; where nobody leaves, the long way gives the same price
        return full
    prices = price_at(np.concatenate([firm[None], firm + np.cumsum(amount, axis=0)[:-1]]))
    after = np.concatenate([prices[1:], full[None]])
    least = np.maximum(prices[0], np.minimum(after, bid).max(axis=0))
    return np.where(leaves, least, full)


class Cleared(NamedTuple):
    """A cleared market: price US$/MWh; GW served of each bidder and of each unit; firm load shed, GW."""

    price: np.ndarray
    served: np.ndarray
    dispatch: np.ndarray
    shed: np.ndarray


def clear_market(capacity, cost, cap, firm, amount=None, bid=None):
    """Clear one market of units sorted by cost, firm load and load that bids.

    capacity ``(units, ..., worlds)``; amount and bid ``(bidders, ..., worlds)`` in any order. Generation + shed =
    firm load + what bidders are served; a bidder is off where its bid is below the price.
    """
    supply = np.cumsum(capacity, axis=0)
    firm = np.asarray(firm, dtype=np.float64)

    def price_at(load):
        return stack_price(supply, cost, load, cap)

    if amount is None or not len(amount):
        price, served = price_at(firm), np.zeros((0, *firm.shape))
    else:
        order = np.argsort(-bid, axis=0, kind="stable")
        high, size = (np.take_along_axis(each, order, axis=0) for each in (bid, amount))
        price = price_with_bids(price_at, firm, size, high)
        left = supply_at(supply, cost, price) - firm - (np.cumsum(size, axis=0) - size)
        sorted_served = np.clip(left, 0.0, size) * (high >= price)
        served = np.take_along_axis(sorted_served, np.argsort(order, axis=0, kind="stable"), axis=0)
    met = np.minimum(firm + total_of(served), supply[-1])
    dispatch = np.clip(met - (supply - capacity), 0.0, capacity)
    return Cleared(price, served, dispatch, np.maximum(firm - supply[-1], 0.0))


def supply_at(supply, cost, price):
    """Capacity whose cost is at most the price, GW."""
    return (supply * (cost <= price)).max(axis=0)


def total_of(served):
    """Add up bidders along axis 0 whatever the other axes; no bidders add up to zero."""
    if not len(served):
        return np.zeros(served.shape[1:])
    return total(served.reshape(len(served), -1)).reshape(served.shape[1:])


def loss_of_load(reserve, contingency, mean, deviation):
    """Probability that load exceeds what is left of the reserve: 1 at or below the minimum contingency.

    LOLP = 1 - Phi((reserve - contingency - mean) / deviation), all in GW (Hogan 2013).
    """
    beyond = (reserve - contingency - mean) / deviation
    return np.where(reserve <= contingency, 1.0, ndtr(-beyond))


def scarcity_adder(price, cap, reserve, contingency, mean, deviation):
    """Operating-reserve demand curve: adder = (cap - price) x LOLP(reserve), US$/MWh; never below zero."""
    return np.maximum(cap - price, 0.0) * loss_of_load(reserve, contingency, mean, deviation)


def reserve_at(price, energy_price, cap, contingency, mean, deviation):
    """Reserve at which energy price + adder reach a price: the inverse of `scarcity_adder` in the reserve, GW."""
    chance = np.clip((price - energy_price) / np.maximum(cap - energy_price, 1e-9), 1e-12, 1.0 - 1e-12)
    return contingency + np.maximum(mean - ndtri(chance) * deviation, 0.0)


def month_mean(weight, block):
    """Mean of a month from its blocks: sum of weight x value; weight ``(blocks, ...)`` sums to one.

    The price is convex in load, so the mean price is not the price at mean load.
    """
    return total(weight * block)


class Queue(NamedTuple):
    """What becomes of a request: share left after each stage, GW that is connected, months until then."""

    survival: np.ndarray
    connected: np.ndarray
    months: np.ndarray


def connection_queue(requested, completion, months):
    """Send requests down the stages of a connection queue.

    survival_s = product of the completion probabilities up to stage s; connected = requested x survival at the end;
    the time is the sum of the stages' months for what survives. completion and months: ``(stages, ...)``.
    """
    survival = np.cumprod(completion, axis=0)
    return Queue(survival, requested * survival[-1], np.cumsum(months, axis=0)[-1])


def queue_survival(age, completion, months):
    """Give the share of requests still in the queue at an age in months; 1 at age 0, the completed share at the end.

    Within a stage the hazard is constant: ln S = sum over stages of ln(completion) x share of the stage behind it.
    completion and months: ``(stages, ...)``; age broadcasts against one stage.
    """
    begun = np.cumsum(months, axis=0) - months
    behind = np.clip((age - begun) / months, 0.0, 1.0)
    return np.exp(total(np.log(completion) * behind))
