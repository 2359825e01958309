"""Evaluation that can be believed: data sets in, run folders with scores, intervals and comparisons out."""
