"""Stand-in for TensorFlow: enough for Rasa 3.6.21 to import, and a clear refusal for everything else."""

import sys

from tensorflow.components import Closer
from tensorflow.errors import TensorFlowMissing
from tensorflow.placeholders import fill

__version__ = "2.12.0"
__all__ = ["TensorFlowMissing"]

fill(
    __name__,
    (
        "keras",
        "keras.backend",
        "keras.callbacks",
        "keras.utils",
        "python",
        "python.eager",
        "python.eager.wrap_function",
        "types",
        "types.experimental",
    ),
)
sys.meta_path.insert(0, Closer())
