"""The page on which staff read a conversation. `reading` is its entry point."""
