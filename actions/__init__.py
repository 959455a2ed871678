"""Rasa custom actions: thin, one per job; they ask the backend over its public API."""
