"""What is paid for and not used: the compute that the lab uses, and what its contracts make it pay for beyond."""

import numpy as np

from viz.specs import Chart
from viz.views.drawing import column, frame, grid, line, months_axis, part_of_stack, three, value_axis
from viz.views.reading import dates_of, first_month, opening_of, table_of, with_opening
from viz.views.standing import LAB
from viz.words import capitalised, figures

NOTABLE = 0.005  # GW: less is not told


def paid_and_used(run):
    """Give (paid for, used, under contract) by the lab in the shown world, each ``(months,)``, GW; NaN once it is gone.

    Of each take-or-pay contract it pays for what it uses, and at least for the floor share of what is available; of
    capacity that it keeps after a term for what is renewed.
    """
    story, opening = run.story, opening_of(run)
    names, floor = story.state("compute_contract.floor")
    own = [row for row, name in enumerate(names) if opening.contract(name).debtor == LAB]
    available, used, renewed = (
        story.state(f"compute_contract.{state}")[1][1:, own] for state in ("available", "used", "renewed")
    )
    paid = np.maximum(used, floor[1:, own] * available).sum(axis=1) + renewed.sum(axis=1)
    in_use = story.value("compute_used", LAB)[1:]
    gone = run.measure("closed", LAB)[:, run.position].astype(bool)
    series = np.maximum(paid, in_use), in_use, story.value("available", LAB)[1:]
    return tuple(np.where(gone, np.nan, values) for values in series)


def chart(run, context):
    """Give the chart of compute that is used, hatched above it what is paid for and stands idle."""
    paid, used, available = (with_opening(values) for values in paid_and_used(run))
    idle, dates, lab = paid - used, dates_of(run), context.inside(LAB)
    unused = part_of_stack(context.tell("paid for, idle"), idle, "paid", 0)
    unused |= {"areaStyle": {"color": "hatch:breach", "opacity": 1.0}, "itemStyle": {"color": "var:breach"}}
    series = [
        part_of_stack("used", used, "paid", 2),
        unused,
        line("used", used, color="var:accent"),
        line("paid for", paid),
        line("under contract", available, color="var:muted", width=1.5, dashed=True),
    ]
    headline = _headline(idle, used, dates, context)
    rows = zip(dates, *map(column, (used, paid, idle, available)), strict=True)
    label = capitalised(
        context.tell(f"compute that {lab} uses, pays for and has under contract, in this world")
    )
    return Chart(
        key="idle",
        headline=headline,
        label=f"{label}; hatched: paid for and not used",
        unit="GW",
        option=frame(grid=grid(), xAxis=months_axis(dates), yAxis=value_axis(low=0), series=series),
        cursor=True,
        alt=headline,
        table=table_of(["month", "used", "paid for", "paid for, idle", "under contract"], rows),
    )


def _headline(idle, used, dates, context):
    """In how many months something is paid for and not used, and when most of it."""
    told = np.nan_to_num(idle) > NOTABLE
    if not told.any():
        return context.tell(
            f"{capitalised(context.inside(LAB))} uses all the compute that it pays for, in every month"
        )
    most, first = int(np.nanargmax(idle)), first_month(told)
    share = three(100.0 * idle[most] / max(idle[most] + used[most], 1e-9))
    return context.tell(
        f"{capitalised(context.inside(LAB))} pays for compute that stands idle in {int(told.sum())} months, first in"
        f" {dates[first]}; most in {dates[most]}: {figures(idle[most])} GW, {share}% of what it pays for"
    )
