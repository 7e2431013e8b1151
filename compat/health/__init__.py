"""`GET /health` of the contracts C and E: one path, and one answer for both."""
