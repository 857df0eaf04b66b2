"""Parts of images: crops of a whole image."""
