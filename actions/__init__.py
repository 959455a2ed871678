"""Rasa custom actions: thin, one per job.

They read slots and the last message, call the backend's public API through `actions.client`, and utter what
it says. They hold no rule of the district, no text retrieval and no SQL. The only process state is the
client's connection pool; everything about a conversation lives in its tracker.
"""
