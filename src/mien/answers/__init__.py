"""What doors answer as JSON: the same shapes on the command line, over HTTP and in the client."""
