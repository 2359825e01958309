"""Rerankers: what one promises, cross-encoders in folders, their conversion, and how they run without torch."""
