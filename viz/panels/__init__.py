"""What can be opened beside the page: each panel a module with TITLE, SENTENCE and a component Panel(session)."""

PANELS = {}
