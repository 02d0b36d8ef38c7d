"""Who is known: people, their embeddings, and the search among them."""
