"""Questions to the server, described by pure functions: one for each route, in one file for each noun."""
