"""Keys and what they seal: nothing of a person lies in a store unsealed."""
