"""What is measured, against what: ``python -m bench``, and ``python -m bench.gpu`` for an accelerator."""
