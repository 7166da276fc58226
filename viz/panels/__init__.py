"""What can be opened beside the page: each panel a module with TITLE, SENTENCE and a component Panel(session).

WIDE: a wide drawer; NEEDS_RUN: it shows nothing before there is a run. Both may be left out.
"""

from pathlib import Path

from viz.panels import about, attribution, avoid, compare, files, lessons, trap_map

PANELS = {
    "lessons": lessons,
    "compare": compare,
    "map": trap_map,
    "drivers": attribution,
    "avoid": avoid,
    "files": files,
    "about": about,
}
"""Key in a link -> the panel, in the order of the menu."""

STYLE = (Path(__file__).resolve().parent / "panels.css").read_text(encoding="utf-8")
"""What panels and lessons add to the looks of the page."""
