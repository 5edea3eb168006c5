"""Pictures of what G and D know: their feature maps, losses and films."""
