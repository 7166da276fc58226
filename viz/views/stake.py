"""What is at stake, in one sentence computed from the opening books."""

from model.opening import DEBT_KINDS
from viz.views.reading import opening_of
from viz.views.standing import LAB
from viz.words import capitalised, money, percent

PROMISES = ("take-or-pay", "announced capacity")


def stake(run):
    """Give {debt, promise, revenue} of the opening books, US$bn.

    ``debt``: loans for the lab's compute, those in talks included; ``promise``: what the lab has promised, or has
    announced, to pay for compute in all; ``revenue``: what it earns in a year.
    """
    books = opening_of(run)
    loans = (c for c in books.contracts if c.kind in DEBT_KINDS and c.openai_linked and c.kind != "revolver")
    promised = (c for c in books.contracts if c.debtor == LAB and c.kind in PROMISES and not c.scenario_only)
    return {
        "debt": float(sum(c.amount for c in loans)),
        "promise": float(sum(c.amount for c in promised)),
        "revenue": float(books.party(LAB).revenue),
    }


def stake_sentence(run, context):
    """Give what is at stake: who has borrowed how much, on whose promise, and what that one earns."""
    facts, own = stake(run), run.scenario.params.get("loan.lab_borrows", 0.0)
    lab = context.inside(LAB)
    promise = f"a promise worth {money(facts['promise'], short=True)} by {lab}"
    earns = f"which earns {money(facts['revenue'], short=True)} a year"
    if own > 0.0:
        return f"{capitalised(lab)} borrows for {percent(own)} of its chips itself, on {promise}, {earns}"
    debt = money(facts["debt"], short=True)
    return f"Partners have borrowed, or are about to borrow, {debt} on {promise}, {earns}"
