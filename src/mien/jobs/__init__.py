"""Long work on many photographs: kept in the store, worked on by whichever process is free."""
