"""What all tests share."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # workers share the cores, and so does what they start
    os.environ.setdefault("OMP_NUM_THREADS", "1")
