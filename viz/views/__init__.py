"""What can be seen of a run: every view is a pure function of it."""

from viz.views import curves, heat, losses, main, margin, market, minsky, walls

VIEWS = {view.KEY: view for view in (main, walls, heat, market, margin, minsky, losses, curves)}
"""Every view by its key, in the order in which they are offered; each has TITLE, KEY, GROUP and build()."""
