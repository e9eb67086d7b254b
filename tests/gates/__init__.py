"""Statistical gates: thousands of experiments of known truth, seeds 0 to n - 1."""
