"""Balance sheets and transaction flows of the month, with the zeros in which every row and column must end.

Godley and Lavoie (2007), *Monetary Economics*: every claim is somebody's debt, and every payment somebody's receipt, so
that rows add up to zero; with net worth, and with the change of cash, columns do too.
"""

import numpy as np

from scenarios.story import COLUMNS, OTHERS
from viz.specs import Table
from viz.views.drawing import cents
from viz.views.reading import dates_of, opening_of
from viz.words import money

TITLE = "Balance sheets and flows"
KEY = "books"
GROUP = "Money"
SECTIONS = ("OpenAI", "Labs", "Partners", "Sites", "Hyperscalers", "Lenders", "Utilities", OTHERS)
NET_WORTH, CASH_CHANGE, SUM = "net worth, as owed to owners", "change of cash", "sum"
ROWS = {
    "sales to customers": ("sales", "venture sales"),
    "compute": (
        "take-or-pay",
        "renewal",
        "re-letting",
        "compute purchase",
        "power pass-through",
        "revenue share",
        "take-or-pay to second owners",
    ),
    "rent": ("rent", "rent of a new tenant", "rent to second owners"),
    "power": ("power",),
    "staff and running": ("operating cost", "venture fee"),
    "other business": ("other business", "parent funding"),
    "chips": ("chip order", "chip replacement", "chips of hyperscalers"),
    "building": ("construction", "investment", "development fee", "venture investment"),
    "interest": ("interest", "deposit interest"),
    "repayment": ("principal", "bullet", "prepayment"),
    "new loans": ("draw", "loan sale"),
    "new equity": (
        "equity round",
        "share issue",
        "site equity",
        "capital call",
        "co-investment",
        "pledge call",
        "venture capital",
        "venture capital call",
        "sale of holdings",
    ),
    "to owners": ("dividend", "site distribution", "fund distribution", "venture distribution"),
    "closing of sectors": ("sector funding", "sector surplus"),
}
ESTATES = "damages, guarantees, estates"
"""Which kinds of payment stand in one row; all that is named nowhere stands in the row of estates."""


def build(run, context):
    """Give the balance sheets and the transaction flows, a column for each group of parties, month by month."""
    return [_sheets(run, context), _flows(run, context)]


def balance_sheets(run):
    """Give (rows, columns, US$bn ``(months + 1, rows, columns)``): claims held less owed, by group of parties.

    The row before the last is net worth with its sign turned, the last row and the last column are sums: zero but for
    real assets and net worth, which are each other's counterpart.
    """
    story = run.story
    blocks = story.sheets @ _groups(run)
    worth = -blocks.sum(axis=1, keepdims=True)
    return _with_sums([*story.instruments, NET_WORTH], np.concatenate([blocks, worth], axis=1))


def transaction_flows(run):
    """Give (rows, columns, US$bn ``(months + 1, rows, columns)``): received less paid in the month, by group.

    The row before the last is the change of cash with its sign turned, the last row and the last column are sums: zero.
    """
    story = run.story
    blocks = story.flows @ _groups(run)
    row_of = {kind: name for name, kinds in ROWS.items() for kind in kinds}
    names = [*ROWS, ESTATES]
    member = np.zeros((len(names), len(story.kinds)))
    for place, kind in enumerate(story.kinds):
        member[names.index(row_of.get(kind, ESTATES)), place] = 1.0
    rows = member @ blocks
    cash = np.zeros((len(rows), 1, rows.shape[-1]))
    sheet = story.sheets[:, story.instruments.index("cash")] @ _groups(run)
    cash[1:, 0] = -np.diff(sheet, axis=0)
    return _with_sums([*names, CASH_CHANGE], np.concatenate([rows, cash], axis=1))


def _groups(run):
    """Which group of parties each party is shown in, ``(parties, groups)``."""
    kinds = {party.name: party.kind for party in opening_of(run).parties}
    member = np.zeros((len(run.story.parties), len(SECTIONS)))
    for place, name in enumerate(run.story.parties):
        section = COLUMNS.get(kinds.get(name), OTHERS).replace("-\n", "")
        member[place, SECTIONS.index(section)] = 1.0
    return member


def _with_sums(names, block):
    block = np.concatenate([block, block.sum(axis=1, keepdims=True)], axis=1)
    return [*names, SUM], [*SECTIONS, SUM], np.concatenate([block, block.sum(axis=2, keepdims=True)], axis=2)


def _sheets(run, context):
    names, sections, block = balance_sheets(run)
    owed = run.story.sheets[:, run.story.instruments.index("loans")] @ _groups(run)
    partners, sites = -owed[:, SECTIONS.index("Partners")], -owed[:, SECTIONS.index("Sites")]
    headlines = [
        f"{date}: partners owe {money(partners[month])} and their sites {money(sites[month])}; each debt is"
        " somebody's claim"
        for month, date in enumerate(dates_of(run))
    ]
    return Table(
        key="balance_sheets",
        headline=headlines,
        label="What each group owns (+) and owes (−) at the end of the month, in this world; US$bn",
        columns=_columns("held or owed", sections, context),
        **_cells(names, block),
        alt="Balance-sheet matrix: every row of claims and every column adds up to zero.",
    )


def _flows(run, context):
    names, sections, block = transaction_flows(run)
    moved = np.abs(run.story.flows).sum(axis=(1, 2)) / 2.0
    headlines = [
        f"{date}: {money(moved[month])} changes hands, and nothing is lost on the way"
        if month
        else "Nothing has been paid yet: press play"
        for month, date in enumerate(dates_of(run))
    ]
    return Table(
        key="transaction_flows",
        headline=headlines,
        label="What each group receives (+) and pays (−) in the month, in this world; US$bn",
        columns=_columns("payment", sections, context),
        **_cells(names, block),
        alt="Transaction-flow matrix: every row and every column adds up to zero.",
    )


def _columns(first, sections, context):
    return [
        {"key": "row", "title": first, "align": "left", "unit": ""},
        *(
            {"key": f"column {place}", "title": context.name(name), "align": "right", "unit": ""}
            for place, name in enumerate(sections)
        ),
    ]


def _cells(names, block):
    """The rows that are ever in use: their names, and their cells by month; the sums are always written out."""
    shown = [row for row, name in enumerate(names) if name == SUM or np.abs(block[:, row]).max() > 0.0]
    frames = [[_row(month[row], names[row] == SUM) for row in shown] for month in block.tolist()]
    return {"fixed": [[names[row]] for row in shown], "frames": frames}


def _row(values, is_sum):
    return [*(cents(value) if is_sum or value else "" for value in values[:-1]), cents(values[-1])]
