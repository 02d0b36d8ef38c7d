"""Caffe: a prototxt and a caffemodel of either version."""
