"""Artefacts: speech models, language models, domains, and the catalogue that finds them.

One module or package for each kind of artefact. Nothing here knows of stages, sockets or
configuration files.
"""

import os

# onnxruntime since 1.29 sends usage data to its maker unless this is set before it is imported.
# Nothing may leave this machine.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# NumPy's threads spin for a while after each product; the products here are small, so that a
# processor would be busy with that alone. Whoever sets the variable keeps what it says.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
