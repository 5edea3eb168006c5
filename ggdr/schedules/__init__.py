"""Schedules, one a file: numbers that move with the images seen, wherever a setting is `Scheduled`."""
