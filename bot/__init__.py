"""The bot process: Rasa embedded behind a loopback face, and the doors that lead to it."""
