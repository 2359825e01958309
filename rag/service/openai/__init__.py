"""OpenAI's form: how conversations become questions, answers completions, and errors their errors."""
