"""The copying generator: reads each passage with the question, and answers in spans of them."""
