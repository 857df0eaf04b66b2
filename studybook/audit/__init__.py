"""What the published protocols hide: each flaw measured as an inflated against an honest estimate."""
