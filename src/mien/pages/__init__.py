"""Self-contained HTML pages: markup that escapes by itself, one look for all reports."""
