"""The study book: five papers, their twins, and the engine that executes and renders the chapters."""
