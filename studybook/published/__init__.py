"""The papers' printed numbers: read from each paper's file, checked against each other, set beside reproduced ones."""
