"""The page of a user. `reading` reads what it shows, `acts` has its actions."""
