"""The quoting generator: it answers with a sentence of the passages, and never writes a word."""
