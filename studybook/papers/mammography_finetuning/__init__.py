"""Everything of one paper: its numbers, its checks, its study, its figures."""
