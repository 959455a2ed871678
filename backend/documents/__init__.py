"""The four official forms: what is on them, how they are laid out, and their Word files."""
