"""Images before a network sees them: parts of them, and their contrast."""
