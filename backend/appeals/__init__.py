"""The "135" engine: levels, due times, supervision, routing and the life cycle of an appeal.

Everything but the ports' implementations lives here and imports neither a database nor a web library.
"""
