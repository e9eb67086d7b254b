"""Exports -> clean tables -> one row per customer at a date."""
