"""A room per paper."""
