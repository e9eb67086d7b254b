"""What to do with each tier, and whether it worked."""
