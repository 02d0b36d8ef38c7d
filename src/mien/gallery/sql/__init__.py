"""The one schema in which people are kept, on SQLite and on PostgreSQL."""
