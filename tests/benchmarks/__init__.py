"""Benchmarks: run each with python -m tests.benchmarks.<name>; none is collected by pytest."""
