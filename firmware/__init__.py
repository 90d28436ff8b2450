"""The C sources that ship, as package data."""
