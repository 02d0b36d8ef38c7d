"""Who may ask the server for what: API keys, scopes, grants, and answers that are given once."""
