"""The page of a user, and what staff can do there. `reading` reads what it shows, `acts` has its actions."""
