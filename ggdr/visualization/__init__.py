"""What G and D know, as pictures of their feature maps."""
