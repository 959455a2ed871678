"""`python -m backend.cli`: the same as `qifu`, for places where the script is not on the path."""

import sys

from backend.cli import main

sys.exit(main())
