"""Questions that take more than one run: what differs between two scenarios, and why."""

from scenarios.experiments.compare import Comparison, compare

__all__ = ["Comparison", "compare"]
