"""The main screen: how things stand, who owes whom, what happens, all worlds, and one large chart."""

import numpy as np

from viz.specs import STATES, Plain, Status
from viz.views.fans import CHARTS, chart
from viz.views.happenings import strip, timeline
from viz.views.network import cash_words, network
from viz.views.reading import dates_of, opening_of, with_opening
from viz.views.stake import stake
from viz.views.standing import BREACH, CALM, DEFAULT, LAB, LOCK_UP, NEVER_OUT, SETTLED, STRAINED, standing
from viz.words import capitalised, figures, money, percent, several, times

__all__ = ["CHARTS", "GROUP", "KEY", "TITLE", "build", "chart", "network", "status", "strip", "timeline"]

TITLE = "Who owes whom"
KEY = "owes"
GROUP = "The story"
QUARTER = 3  # months back that an arrow compares with
STEADY = 0.01  # a smaller change, of the larger of the two values, has no arrow
GONE = "–"


def build(run, context):
    """Give the network alone: what else is on the main screen has places of its own."""
    return [network(run, context)]


def status(run, context):
    """Give the banner and four tiles of each month: weakest cover, compute in use, months of cash, promises."""
    tiles = list(zip(*(tile(run, context) for tile in (_cover, _use, _cash, _promises)), strict=True))
    banners = _banners(run, context)
    frames = ({"banner": banner, "tiles": list(four)} for banner, four in zip(banners, tiles, strict=True))
    return Status(Plain(frames))


# -- the banner -----------------------------------------------------------------------------------------------------


def _banners(run, context):
    """Worst state among the lab, its partners and their sites, and who is in it."""
    stands = standing(run)
    partners, _ = run.story.state("infrastructure_partner.dscr")
    sites, _ = run.story.state("site_company.dscr")
    chain = [LAB, *partners, *sites[: len(stands.tested) - len(partners)]]
    places = [stands.parties.index(name) for name in chain]
    states, worst = stands.state[:, places], stands.worst(chain)
    names, covers = stands.weakest()
    dates, told = dates_of(run), []
    for month, state in enumerate(worst.tolist()):
        who = [chain[at] for at in np.flatnonzero(states[month] == state)]
        if month == 0:
            words, sentence = "The start", _start(run, context, stands, chain)
        else:
            tell = {DEFAULT: _gone, BREACH: _broken, STRAINED: _tight, CALM: _fine}[state]
            words, sentence = tell(run, context, month, who, stands, (names[month], covers[month]), dates)
        told.append({"state": STATES[state], "words": words, "sentence": capitalised(sentence)})
    return told


def _start(run, context, stands, chain):
    """What is owed at the start, and by whom: the lab itself owes little."""
    own, others = float(stands.column(stands.debt, LAB)[0]), chain[1:]
    owed = sum(float(stands.column(stands.debt, name)[0]) for name in others)
    cash = opening_of(run).party(LAB).cash
    itself = f"owes {money(own, short=True)}" if own > 0.0 else "owes nothing"
    return (
        f"{context.inside(LAB)} itself {itself} and has {money(cash, short=True)} in the bank;"
        f" partners and their sites owe {money(owed, short=True)} in all."
    )


def _gone(run, context, month, who, stands, weakest, dates):
    default = run.outcome("default")[:, run.position]
    when = {name: int(default[stands.parties.index(name)]) for name in who}
    ordered = sorted(who, key=lambda name: -when[name])
    shown = several([context.inside(name) for name in ordered])
    if len(who) == 1:
        return "Default", f"{shown} has been in default since {dates[when[who[0]]]}."
    return "Default", f"{shown} are in default, the first since {dates[when[ordered[-1]]]}."


def _broken(run, context, month, who, stands, weakest, dates):
    late = {name: float(stands.column(stands.unpaid, name)[month]) for name in who}
    late = {name: amount for name, amount in late.items() if amount > 0.0}
    if late:
        largest = max(late, key=late.get)
        others = f", and {len(late) - 1} more cannot pay in full" if len(late) > 1 else ""
        return "Bills unpaid", f"{context.inside(largest)} has left {money(late[largest])} unpaid{others}."
    covers = [stands.column(stands.cover, name)[month] for name in who]
    lowest = who[int(np.nanargmin(covers))] if np.isfinite(covers).any() else who[0]
    cover = stands.column(stands.cover, lowest)[month]
    at = f": cover {times(cover)}" if np.isfinite(cover) else ""
    return (
        "Covenant breach",
        f"{several([context.inside(name) for name in who])} breaks the promises of a loan{at}.",
    )


def _tight(run, context, month, who, stands, weakest, dates):
    """The lab short of cash, borrowers short of cover, or both."""
    told, borrowers = [], [name for name in who if name != LAB]
    if LAB in who:
        told.append(f"{context.inside(LAB)} has {cash_words(stands.runway[month])}")
    name, cover = weakest
    if name in borrowers and cover < 1.0:
        earns = f"{times(cover)}" if cover > 0.0 else "nothing"
        told.append(f"{context.inside(name)} earns {earns} of what falls due and borrows the rest")
    elif borrowers:
        shown = several([context.inside(each) for each in borrowers])
        verb = "has" if len(borrowers) == 1 else "have"
        told.append(f"{shown} {verb} less than the {times(LOCK_UP)} cover that lenders ask for")
    return "Strained", f"{'; '.join(told)}."


def _fine(run, context, month, who, stands, weakest, dates):
    name, cover = weakest
    if name is None:
        return "Calm", "All bills are paid."
    return "Calm", f"All bills are paid. The weakest cover is {times(cover)}: {context.inside(name)}."


# -- the tiles ------------------------------------------------------------------------------------------------------


def _arrows(values):
    """The direction of each month against a quarter before: -1, 0 or 1; 0 where one of the two is unknown."""
    values = np.asarray(values, dtype=float)
    before = np.concatenate([np.full(min(QUARTER, len(values)), np.nan), values[:-QUARTER]])[: len(values)]
    change = values - before
    known = np.isfinite(change)
    scale = np.where(known, np.maximum(np.abs(values), np.abs(before)), 1.0)
    moved = np.where(known, change, 0.0) / np.maximum(scale, 1e-12)
    return np.where(np.abs(moved) < STEADY, 0, np.sign(moved)).astype(int).tolist()


def _tiles(key, title, unit, values, shown, sentences, up_is_good):
    arrows = _arrows(values)
    return [
        {
            "key": key,
            "title": title,
            "value": text,
            "unit": unit if text != GONE else "",
            "arrow": arrow,
            "good": bool((arrow > 0) == up_is_good),
            "sentence": sentence,
        }
        for text, arrow, sentence in zip(shown, arrows, sentences, strict=True)
    ]


def _cover(run, context):
    """Cash against what is due, of the borrower who has least."""
    names, covers = standing(run).weakest()
    shown = [GONE if cover is None else times(cover) for cover in covers]
    dates = dates_of(run)
    first = f"known from {dates[min(SETTLED, run.months)]} on"
    sentences = [first if name is None else f"weakest: {context.inside(name)}" for name in names]
    values = [np.nan if cover is None else cover for cover in covers]
    return _tiles("cover", "Cover: cash over what is due", "", values, shown, sentences, True)


def _use(run, context):
    """The share of the compute under contract that the lab uses."""
    stands = standing(run)
    gone = stands.column(stands.closed, LAB)
    available, used = (_first_known(values) for values in (stands.available, stands.used))
    known = (available > 1e-9) & ~gone
    share = np.where(known, used / np.maximum(available, 1e-9), np.nan)
    shown = [percent(value) if there else GONE for value, there in zip(share.tolist(), known, strict=True)]
    sentences = [
        _idle_words(whole, whole - part) if there else _is_gone(context) if closed else "none under contract"
        for whole, part, there, closed in zip(available.tolist(), used.tolist(), known, gone, strict=True)
    ]
    return _tiles("use", capitalised(context.tell("compute in use")), "", share, shown, sentences, True)


def _is_gone(context):
    return f"{context.inside(LAB)} is gone"


def _first_known(values):
    """A series whose month 0, before any use, is that of the first month."""
    return np.concatenate([values[1:2] if len(values) > 1 else values[:1], values[1:]])


def _idle_words(whole, idle):
    if idle < 0.005 * whole:
        return f"all of {figures(whole)} GW"
    return f"{figures(idle)} of {figures(whole)} GW idle"


def _cash(run, context):
    """How long the lab's cash and open credit last at its present burn, which the first month makes known."""
    stands = standing(run)
    gone = stands.column(stands.closed, LAB)
    runway = np.where(gone, np.nan, stands.runway)
    cash = with_opening(run.measure("cash", LAB)[:, run.position], opening_of(run).party(LAB).cash)
    shown, sentences = [], []
    for left, held, closed in zip(stands.runway.tolist(), cash.tolist(), gone, strict=True):
        shown.append(GONE if closed else "no end" if left > NEVER_OUT else f"{max(left, 0.0):.0f}")
        sentences.append(_is_gone(context) if closed else f"{money(held)} in the bank")
    shown[0], sentences[0] = GONE, f"{money(cash[0])} in the bank, none of it spent yet"
    runway = np.concatenate([[np.nan], runway[1:]])
    tiles = _tiles("cash", "Months of cash", "months", runway, shown, sentences, True)
    for tile in tiles:
        tile["unit"] = "" if tile["value"] == "no end" else tile["unit"]
    return tiles


def _promises(run, context):
    """What the lab has promised and not yet paid, over what it earns in a year."""
    stands = standing(run)
    gone = stands.column(stands.closed, LAB)
    left = np.maximum(stake(run)["promise"] - np.cumsum(_paid_of_promises(run.story)), 0.0)
    known = (stands.revenue > 1e-9) & ~gone
    ratio = np.where(known, left / np.maximum(stands.revenue, 1e-9), np.nan)
    shown = [times(value) if there else GONE for value, there in zip(ratio.tolist(), known, strict=True)]
    sentences = [
        f"{money(owed)} over {money(earned)}" if there else _is_gone(context)
        for owed, earned, there in zip(left.tolist(), stands.revenue.tolist(), known, strict=True)
    ]
    return _tiles("promises", "Promised over a year's revenue", "", ratio, shown, sentences, False)


def _paid_of_promises(story):
    """What the lab pays each month under take-or-pay contracts, ``(months + 1,)``, US$bn."""
    lab = story.parties.index(LAB)
    mine = [
        leg
        for leg, kind in enumerate(story.legs.kinds)
        if kind == "take-or-pay" and story.legs.payer[leg] == lab
    ]
    return story.legs.paid[:, mine].sum(axis=1)
