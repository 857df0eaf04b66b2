"""What is measured, against what. ``python -m bench`` prints the table; ``python -m bench.gpu`` measures an accelerator."""
