"""What converters write with: ONNX graphs, their common blocks, and networks whose shapes are worked out."""
