"""What Solara serves: the one page, without Solara's own frame around it."""

import solara

from viz.page import Page

__all__ = ["Layout", "Page"]


@solara.component
def Layout(children=()):
    return solara.Div(children=list(children))
