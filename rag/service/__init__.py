"""The service: search, answers and collections over HTTP, a page, and what chat clients and agents expect."""
