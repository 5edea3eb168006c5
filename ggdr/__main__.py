"""`python -m ggdr` is the `ggdr` command."""

from ggdr.cli import main

if __name__ == "__main__":
    main()
