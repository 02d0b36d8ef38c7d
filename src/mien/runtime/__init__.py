"""The only room that speaks to ONNX Runtime."""
