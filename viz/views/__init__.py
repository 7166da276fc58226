"""What can be seen of a run: every view is a pure function of it."""

from viz.views import (
    books,
    contracts,
    curves,
    energy,
    events,
    heat,
    inspector,
    losses,
    main,
    margin,
    market,
    minsky,
    sankey,
    walls,
)

VIEWS = {
    view.KEY: view
    for view in (
        main,
        walls,
        heat,
        contracts,
        sankey,
        books,
        inspector,
        market,
        margin,
        energy,
        minsky,
        losses,
        curves,
        events,
    )
}
"""Every view by its key, in the order in which they are offered; each has TITLE, KEY, GROUP and build()."""
