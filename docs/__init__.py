"""Documents about the model; `python -m docs.generate` writes those that follow from its declarations."""
