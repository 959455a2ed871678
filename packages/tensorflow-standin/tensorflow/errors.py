"""The one error of this package."""


class TensorFlowMissing(RuntimeError):
    """Something asked for the real TensorFlow, which this environment does not have."""

    def __init__(self, wanted: str) -> None:
        super().__init__(
            f"{wanted} needs the real TensorFlow, and this environment holds only a stand-in for it: "
            "run `make setup QIFU_TENSORFLOW=1` to install it."
        )
        self.wanted = wanted
