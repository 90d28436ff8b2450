#!/bin/sh
# Print the Python to use: the first of these that is 3.11, 3.12 or 3.13.
for python in python3 python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
        2>/dev/null; then
        echo "$python"
        exit 0
    fi
done
echo "no Python 3.11, 3.12 or 3.13 found; install one: sudo apt-get install python3" >&2
echo python3-of-3.11-to-3.13-is-missing
