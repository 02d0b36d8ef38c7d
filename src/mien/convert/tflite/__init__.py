"""TensorFlow Lite, and the networks inside MediaPipe's task files."""
