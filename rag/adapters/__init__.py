"""What other programs expect of a source of passages: agents (MCP), LangChain, LlamaIndex, Haystack.

Each file is thin, optional and imported by whoever uses it; nothing here is needed to answer.
"""
