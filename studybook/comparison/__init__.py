"""All methods on all data sets under one protocol, and all published numbers beside all runs."""
