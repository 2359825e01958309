"""Answers in the form that a question asks for: every word of them is copied from a passage, joining words excepted."""
