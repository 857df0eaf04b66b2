"""Pre-training on drawn images."""
