"""Tiers as rules: a small language, its proof, and the default schemes."""
