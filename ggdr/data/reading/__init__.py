"""How sources are opened and images decoded; imported by `open()` only, so it may import what it likes."""
