"""OpenVINO IR: an xml and a bin with weights of 32, 16 or 8 bits."""
