"""The knowledge base: entries, loading, checking, search and answers."""
