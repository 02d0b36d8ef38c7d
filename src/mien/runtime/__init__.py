"""The only room that speaks to ONNX Runtime.

ONNX Runtime reports its use to its maker by default, on Linux too since 1.31. It looks at this variable
when it is imported and never again, so it is set here, before any module of this room imports it.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
