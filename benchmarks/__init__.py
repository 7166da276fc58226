"""How fast, how lean, how near to what the machine can do: `python -m benchmarks`, or `make bench`.

Ratios of things measured in one run, so that they mean something on a noisy machine; no test depends on them.
"""
