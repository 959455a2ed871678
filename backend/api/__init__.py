"""The HTTP face of the backend: it translates between JSON and the capabilities, and decides nothing."""
