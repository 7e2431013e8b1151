"""The page of a user. `reading` reads what it shows, `actions` has its actions."""
