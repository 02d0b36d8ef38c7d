"""TensorFlow: frozen graphs, and the weights of face-api in the shards of TensorFlow.js."""
