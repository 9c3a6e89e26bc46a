"""``python -m daybook`` is the command line."""

from daybook.cli import main

if __name__ == "__main__":
    main()
