"""``python -m observatory`` is the command line."""

from observatory.cli import main

if __name__ == "__main__":
    main()
