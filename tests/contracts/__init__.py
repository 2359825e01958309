"""One suite for each contract, run for every implementation."""
