"""Rasa graph components of the pipeline in `config.yml`."""
