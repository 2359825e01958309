"""Generators that write: language models and chat endpoints, their prompt, and checking what they wrote."""
