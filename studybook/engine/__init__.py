"""The book as a program: parameters, records, units of work, chapters, and what shows them."""
