"""Face intelligence over HTTP: translates requests to the rooms below, and answers back."""
