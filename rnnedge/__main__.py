"""`rnnedge` and `python -m rnnedge`."""

from rnnedge.cli import main

if __name__ == "__main__":
    main()
