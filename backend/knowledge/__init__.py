"""The knowledge base: entries, loading, checking, search and answers."""

import os

# One question is one core's work: threads of the linear algebra would only wait for each other, busily.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
