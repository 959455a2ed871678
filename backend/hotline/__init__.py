"""Conversations: the way to the dialogue engine, what is said while it is away, and calls for a person."""
