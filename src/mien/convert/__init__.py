"""Foreign model files become ONNX networks or plain arrays, once, at installation.

No foreign runtime is needed and nothing in a foreign file is ever executed.
"""
